"""Ctrl-C at any point of posting costs a pool nothing."""

import sys
import threading
from functools import partial

import pytest

from asgikit.executor import WorkerThreadPool
from tests.support.held import SECONDS
from tests.support.interrupts import interrupts

pytestmark = pytest.mark.skipif(sys.implementation.name != "cpython", reason="it looks for CPython's instructions")


@pytest.mark.parametrize("warm", [True, False])
@pytest.mark.parametrize("reuse", [True, False])
def test_ctrl_c_at_any_point_of_posting(warm: bool, reuse: bool) -> None:
    """C1: no thread of the pool is lost, also where there is but one."""
    before = set(threading.enumerate())
    for interrupt in interrupts():
        with WorkerThreadPool(1, reuse_threads=reuse) as pool:
            if warm:
                pool.submit(int).result(SECONDS)
            interrupt.during(lambda: pool.submit(int))
            assert pool.submit(int).result(SECONDS) == 0, interrupt.raised_at
            pool.shutdown(wait=False)
            left = set(threading.enumerate()) - before  # also those that the pool does not know of
            for thread in left:
                thread.join(SECONDS)
            assert not any(thread.is_alive() for thread in left), interrupt.raised_at
            assert not pool._state.seats
            assert not pool._state.searching


def test_ctrl_c_at_any_point_of_closing() -> None:
    """C1: closing again ends the threads."""
    for interrupt in interrupts():
        pool = WorkerThreadPool(2)
        pool.submit(int).result(SECONDS)
        threads = [seat.thread for seat in pool._state.seats if seat.thread is not None]
        interrupt.during(partial(pool.shutdown, wait=False))
        pool.close(SECONDS)
        for thread in threads:
            thread.join(SECONDS)
        assert not any(thread.is_alive() for thread in threads), interrupt.raised_at
