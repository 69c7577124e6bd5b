"""Ctrl-C at any point of a cold call ends that call, and nothing else."""

import asyncio
import sys
import threading
from asyncio import AbstractEventLoop
from functools import partial

import pytest

from asgikit import Bridge
from asgikit.bridge import _chain
from asgikit.loop import PerCallLoopRunner, PooledLoopRunner, SharedLoopRunner
from tests.support.held import SECONDS
from tests.support.interrupts import interrupts

pytestmark = pytest.mark.skipif(sys.implementation.name != "cpython", reason="it looks for CPython's instructions")


@pytest.mark.parametrize(
    ("kind", "warm"), [(PerCallLoopRunner, True), (PooledLoopRunner, True), (SharedLoopRunner, False)]
)
def test_ctrl_c_at_any_point_of_a_cold_call(
    kind: "type[PerCallLoopRunner | PooledLoopRunner | SharedLoopRunner]", warm: bool
) -> None:
    """C1: this thread hosts no more, the next call has a loop, and closing ends every thread."""
    before = set(threading.enumerate())
    for interrupt in interrupts():
        loops: list[AbstractEventLoop] = []

        def factory(loops: list[AbstractEventLoop] = loops) -> AbstractEventLoop:
            loops.append(asyncio.new_event_loop())
            return loops[-1]

        runner = kind(loop_factory=factory)
        with Bridge(loop_runner=runner) as bridge:

            async def hosted(bridge: Bridge = bridge) -> int:
                return await bridge.run_sync(int)

            if warm:
                assert bridge.run_async(hosted) == 0
            interrupt.during(partial(bridge.run_async, hosted))
            assert (_chain.here.thread.host, _chain.here.thread.call) == (None, None), interrupt.raised_at
            assert bridge.run_async(hosted) == 0
            runner.close(SECONDS)
            left = set(threading.enumerate()) - before
            for thread in left:
                thread.join(SECONDS)
            assert not any(thread.is_alive() for thread in left), interrupt.raised_at
        for loop in loops:
            loop.close()  # Ctrl-C may have come before anybody ran it
