"""Loops that are closed without cancelling their tasks: what these held and stood in line for is for others again."""

import asyncio
import contextvars
import logging
import threading
from asyncio import AbstractEventLoop, Task
from collections.abc import Iterator
from typing import Any

import pytest

from asgikit import Bridge
from asgikit.bridge._mailbox import Mailbox
from asgikit.errors import LoopUnavailableError
from asgikit.executor import ThreadSensitivePool
from asgikit.testing import ManualClock
from tests.support.gate import SECONDS, Gate, until, wait_for

pytestmark = pytest.mark.usefixtures("asyncio_errors")  # that such tasks are destroyed while pending is told


@pytest.fixture
def loop() -> Iterator[AbstractEventLoop]:
    """Return a loop for the test to close; its tasks are kept by the test, and so by nobody's garbage collector."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.close()


async def in_scope(bridge: Bridge) -> int:
    async with bridge.thread_sensitive_scope():
        return await bridge.run_sync(threading.get_ident)


async def hold(bridge: Bridge, lent: asyncio.Event) -> None:
    async with bridge.thread_sensitive_scope():
        await bridge.run_sync(int)
        lent.set()
        await asyncio.Event().wait()


async def one_holds_and_one_waits(bridge: Bridge, pool: ThreadSensitivePool) -> list[Task[Any]]:
    lent = asyncio.Event()
    tasks: list[Task[Any]] = [asyncio.create_task(hold(bridge, lent))]
    await lent.wait()
    tasks.append(asyncio.create_task(in_scope(bridge)))
    await until(lambda: pool.counters.queued)
    return tasks


def test_scopes_of_a_closed_loop_let_the_next_loop_have_their_worker(loop: AbstractEventLoop) -> None:
    """E3, A1: one holds the only worker and one stands in line for it; nobody will ever leave either."""
    with ThreadSensitivePool(1) as pool, Bridge(sensitive_pool=pool) as bridge:
        tasks = loop.run_until_complete(one_holds_and_one_waits(bridge, pool))
        loop.close()
        for _ in range(3):
            assert asyncio.run(asyncio.wait_for(in_scope(bridge), SECONDS))
        assert pool.counters.queued == 0
        assert pool.counters.started == 1
    del tasks


def test_scopes_of_a_closed_loop_let_a_loop_that_goes_on_have_their_worker(loop: AbstractEventLoop) -> None:
    """E3, A1: the same where no further loop ever comes: a call that waits looks once in a while."""
    clock = ManualClock()

    async def main() -> None:
        task = asyncio.create_task(in_scope(bridge))
        await until(lambda: pool.counters.queued == 2)
        for _ in range(3):
            clock.advance(1.0)
            await asyncio.sleep(0)
        await asyncio.wait_for(task, SECONDS)

    with (
        ThreadSensitivePool(1) as pool,
        Bridge(sensitive_pool=pool, clock=clock) as bridge,
        asyncio.Runner() as other,
    ):
        other.run(in_scope(bridge))
        tasks = loop.run_until_complete(one_holds_and_one_waits(bridge, pool))
        loop.close()
        other.run(main())
    del tasks


def test_a_call_of_a_closed_loop_that_has_not_begun_never_runs(loop: AbstractEventLoop) -> None:
    """A1, B2: as if its task had been cancelled."""
    ran: list[int] = []

    async def main() -> list[Task[Any]]:
        tasks: list[Task[Any]] = [asyncio.create_task(bridge.run_sync(gate))]
        await until(gate.begun.is_set)
        tasks.append(asyncio.create_task(bridge.run_sync(ran.append, 1)))
        await asyncio.sleep(0)
        return tasks

    with Bridge() as bridge, Gate() as gate:
        tasks = loop.run_until_complete(main())
        loop.close()
        asyncio.run(asyncio.wait_for(bridge.run_sync(ran.append, 2), SECONDS))  # by a fresh worker
        gate.open()
        wait_for(gate.ended.is_set)
    assert ran == [2]
    del tasks


def test_calls_in_line_are_taken_back_before_those_that_run_are_abandoned() -> None:
    """B2, L5: a worker that is abandoned is replaced by one that would run at once what is still in line."""
    order: list[bool] = []

    class Call:
        def __init__(self, *, begun: bool) -> None:
            self._gate = threading.Lock()
            self.begun = begun and self._gate.acquire()

        def forsaken(self) -> None:
            order.append(self.begun)

    policy: Any = None
    mailbox = Mailbox(policy)
    calls: Any = mailbox.waiting.calls
    calls.update(Call(begun=number % 2 == 0) for number in range(40))
    mailbox.end()
    assert order == [False] * 20 + [True] * 20


def test_a_call_of_a_closed_loop_that_is_stuck_holds_nobody_up(loop: AbstractEventLoop) -> None:
    """B5, B2: it counts as abandoned, knows it, and its next crossing is refused."""
    told: list[object] = []

    def stuck() -> None:
        gate()
        told.append(bridge.cancelled())
        try:
            bridge.run_async(asyncio.sleep, 0)
        except asyncio.CancelledError as error:
            told.append(str(error))

    async def main() -> Task[None]:
        task = asyncio.create_task(bridge.run_sync(stuck))
        await until(gate.begun.is_set)
        return task

    with ThreadSensitivePool() as pool, Bridge(sensitive_pool=pool) as bridge, Gate() as gate:
        task = loop.run_until_complete(main())
        loop.close()
        assert asyncio.run(asyncio.wait_for(bridge.run_sync(int), SECONDS)) == 0
        assert pool.counters.abandoned == 1
        gate.open()
        wait_for(lambda: pool.counters.abandoned == 0)
    assert told[0] is True
    assert "nobody waits" in str(told[1])
    del task


def test_a_thread_that_waits_for_a_closed_loop_is_released_and_then_abandoned(loop: AbstractEventLoop) -> None:
    """A1: it hears that its loop is gone."""
    outcome: list[object] = []

    async def inner() -> None:
        begun.set()
        await asyncio.Event().wait()

    def waits() -> None:
        try:
            bridge.run_async(inner)
        except LoopUnavailableError as error:
            outcome.append(error)

    async def main() -> Task[None]:
        task = asyncio.create_task(bridge.run_sync(waits))
        await until(begun.is_set)
        return task

    begun = threading.Event()
    with Bridge() as bridge:
        task = loop.run_until_complete(main())
        loop.close()
        assert asyncio.run(asyncio.wait_for(bridge.run_sync(int), SECONDS)) == 0
        wait_for(lambda: outcome)
    del task


def test_an_error_that_arrives_between_the_stop_and_the_close_of_its_loop_is_told(
    loop: AbstractEventLoop, caplog: pytest.LogCaptureFixture
) -> None:
    """B3: a loop that has stopped takes what it will never run."""

    async def main() -> Task[object]:
        task = asyncio.create_task(bridge.run_sync(gate))
        await until(gate.begun.is_set)
        return task

    with ThreadSensitivePool() as pool, Bridge(sensitive_pool=pool) as bridge:
        with Gate(error=LookupError("too late")) as gate:
            task = loop.run_until_complete(main())
        wait_for(lambda: not pool.default().running)
        pool.submit(int).result(SECONDS)  # by now the outcome has been delivered
        loop.close()
        asyncio.run(bridge.run_sync(int))
    assert [(record.levelno, record.name) for record in caplog.records] == [(logging.ERROR, "asgikit")]
    assert "failed after its caller had stopped waiting" in caplog.text
    assert "too late" in caplog.text
    caplog.clear()  # the frames of the error lead to the task
    del task
    caplog.clear()  # pytest keeps records, and these the task, until nobody is there to hear that it was pending


@pytest.mark.parametrize("closed_before_its_end", [True, False])
def test_a_context_that_a_call_of_a_closed_loop_was_given_is_for_the_next(
    loop: AbstractEventLoop, closed_before_its_end: bool
) -> None:
    """G3, A1: calls that were given one context take turns; one that nobody awaits any more ends its turn too."""
    context = contextvars.copy_context()

    async def main() -> Task[object]:
        task = asyncio.create_task(bridge.sync_to_async(gate, context=context)())
        await until(gate.begun.is_set)
        return task

    with Bridge() as bridge, Gate() as gate:
        task = loop.run_until_complete(main())
        if closed_before_its_end:
            loop.close()
        gate.open()
        wait_for(gate.ended.is_set)
        loop.close()
        assert asyncio.run(asyncio.wait_for(bridge.sync_to_async(int, context=context)(), SECONDS)) == 0
    del task


def test_closing_a_bridge_gives_back_what_a_closed_loop_holds_of_a_pool_of_others(loop: AbstractEventLoop) -> None:
    """E3: two bridges share a pool; the one is closed and asked nothing any more."""
    with ThreadSensitivePool(1) as pool, Bridge(sensitive_pool=pool) as bridge:
        other = Bridge(sensitive_pool=pool)
        tasks = loop.run_until_complete(one_holds_and_one_waits(other, pool))
        loop.close()
        other.close()
        assert asyncio.run(asyncio.wait_for(in_scope(bridge), SECONDS))
    del tasks


def test_an_iteration_of_a_closed_loop_gives_its_worker_back(loop: AbstractEventLoop) -> None:
    """E3, K2: its steps have a worker of their own, as a scope does."""

    async def main() -> Any:
        iterator = bridge.options(thread_sensitive=False).iterate_async(range(1000))
        assert await anext(iterator) == 0
        return iterator

    with ThreadSensitivePool(1) as pool, Bridge(sensitive_pool=pool) as bridge:
        iterator = loop.run_until_complete(main())
        loop.close()
        assert asyncio.run(asyncio.wait_for(in_scope(bridge), SECONDS))
    del iterator
