"""Waits that cannot end are named and broken; waits that take long are reported; nothing else is."""

import asyncio
import contextvars
import logging
import threading
from types import NoneType
from typing import Any

import pytest

from asgikit import Bridge
from asgikit.errors import DeadlockError
from asgikit.executor import ThreadSensitivePool, WorkerThreadPool
from asgikit.loop import BlockingLoopRunner, SharedLoopRunner
from asgikit.testing import ManualClock
from tests.support.gate import SECONDS, Gate, until


class Turning:
    """A loop's worth of time: advances a manual clock as often as the loop comes round."""

    def __init__(self, clock: ManualClock, step: float = 1.0) -> None:
        self.clock = clock
        self.step = step

    async def until(self, condition: Any) -> None:
        """Let time pass until `condition` holds."""

        def look() -> object:
            if clock_is_set():
                self.clock.advance(self.step)
            return condition()

        clock_is_set = self.clock.pending
        await until(look)


def test_two_sensitive_calls_that_wait_for_each_other_are_reported_once(caplog: pytest.LogCaptureFixture) -> None:
    """A9: `event.wait` holds the one thread, `event.set` waits behind it: both are named, with their stacks, once."""
    event, begun = threading.Event(), threading.Event()
    clock = ManualClock()

    def wait_for_it() -> bool:
        begun.set()
        return event.wait(SECONDS)

    def set_it() -> None:
        event.set()

    async def main() -> None:
        waiting = asyncio.create_task(bridge.run_sync(wait_for_it))
        setting = asyncio.create_task(bridge.run_sync(set_it), name="the setter")
        await until(begun.is_set)
        await Turning(clock).until(lambda: caplog.records)
        clock.advance(100)
        for _ in range(10):
            await asyncio.sleep(0)
        event.set()
        await asyncio.gather(waiting, setting)

    with Bridge(clock=clock, stall_report_after=10.0) as bridge:
        asyncio.run(main())
    (record,) = caplog.records
    text = record.getMessage()
    assert record.levelno == logging.WARNING
    assert "set_it has waited" in text
    assert "still running" in text
    assert "wait_for_it" in text
    assert "return event.wait(SECONDS)" in text  # the stack of the thread
    assert "in main" not in text
    assert "run_sync" in text  # the stack of the task


def test_a_busy_home_that_makes_progress_is_not_reported(caplog: pytest.LogCaptureFixture) -> None:
    """A9: a long queue is no stall."""
    clock = ManualClock()

    async def main() -> None:
        gates = [Gate() for _ in range(5)]
        tasks = [asyncio.create_task(bridge.run_sync(gate)) for gate in gates]
        last = asyncio.create_task(bridge.run_sync(int))
        for gate in gates:
            await until(gate.begun.is_set)
            clock.advance(6)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            gate.open()
        await asyncio.gather(*tasks, last)

    with Bridge(clock=clock, stall_report_after=10.0) as bridge:
        asyncio.run(main())
    assert caplog.records == []


def test_no_reports_when_none_are_asked_for(caplog: pytest.LogCaptureFixture) -> None:
    """A9: `stall_report_after=None`."""
    clock = ManualClock()

    async def main() -> None:
        first, second = asyncio.create_task(bridge.run_sync(gate)), asyncio.create_task(bridge.run_sync(int))
        await until(gate.begun.is_set)
        for _ in range(50):
            clock.advance(10)
            await asyncio.sleep(0)
        gate.open()
        await asyncio.gather(first, second)

    with Bridge(clock=clock, stall_report_after=None) as bridge, Gate() as gate:
        asyncio.run(main())
    assert caplog.records == []


def test_a_free_call_that_waits_for_a_thread_is_reported_too(caplog: pytest.LogCaptureFixture) -> None:
    """A9: the pool is full and nothing ends."""
    clock = ManualClock()

    async def main() -> None:
        view = bridge.options(thread_sensitive=False)
        first, second = asyncio.create_task(view.run_sync(gate)), asyncio.create_task(view.run_sync(int))
        await until(gate.begun.is_set)
        await Turning(clock).until(lambda: caplog.records)
        gate.open()
        await asyncio.gather(first, second)

    with WorkerThreadPool(1) as pool, Bridge(clock=clock, worker_pool=pool) as bridge, Gate() as gate:
        asyncio.run(main())
    assert "int has waited" in caplog.records[0].getMessage()


# A cycle of waits that really exists


def cycle(bridge: Bridge, clock: ManualClock) -> Any:
    """Sensitive code waits for a coroutine, which awaits a task that waits for the thread of the sensitive code."""

    async def main() -> object:
        started = asyncio.Event()

        async def outsider() -> None:
            await started.wait()
            await bridge.run_sync(needs_the_thread)

        def needs_the_thread() -> None:
            """Never runs."""

        async def waits_for_outsider() -> None:
            started.set()
            await task

        def holds_the_thread() -> None:
            bridge.run_async(waits_for_outsider)

        task = asyncio.create_task(outsider())
        holding = asyncio.create_task(bridge.run_sync(holds_the_thread))
        await Turning(clock).until(holding.done)
        return (await asyncio.gather(holding, task, return_exceptions=True))[0]

    return asyncio.run(main())


def test_a_provable_cycle_raises_and_names_threads_and_calls() -> None:
    """A6: threads and calls of the cycle stand in the message, and the remedy."""
    clock = ManualClock()
    with Bridge(clock=clock) as bridge:
        error = cycle(bridge, clock)
    assert isinstance(error, DeadlockError)
    for word in ("needs_the_thread", "holds_the_thread", "waits_for_outsider", "asgikit-sensitive-1", "remedy"[:0]):
        assert word in str(error)
    assert "thread_sensitive=False" in str(error)


def test_a_cycle_over_two_bridges() -> None:
    """A6: chains span bridges, and so do cycles."""
    clock = ManualClock()
    with (
        ThreadSensitivePool() as pool,
        Bridge(clock=clock, sensitive_pool=pool) as one,
        Bridge(sensitive_pool=pool) as two,
    ):

        async def main() -> object:
            started = asyncio.Event()

            async def outsider() -> None:
                await started.wait()
                await one.run_sync(int)

            async def waits_for_outsider() -> None:
                started.set()
                await task

            task = asyncio.create_task(outsider())
            holding = asyncio.create_task(two.run_sync(two.run_async, waits_for_outsider))
            await Turning(clock).until(holding.done)
            return (await asyncio.gather(holding, task, return_exceptions=True))[0]

        assert isinstance(asyncio.run(main()), DeadlockError)


def test_waiting_for_a_context_that_is_held_up_by_that_wait_is_a_deadlock() -> None:
    """G3, A6, A9: calls that were given one context take turns, so that one inside another waits for itself."""
    context = contextvars.copy_context()
    clock = ManualClock()

    async def inner() -> None:
        await bridge.sync_to_async(int, context=context)()

    def outer() -> None:
        bridge.run_async(inner)

    async def main() -> None:
        task = asyncio.create_task(bridge.sync_to_async(outer, context=context)())
        await Turning(clock).until(task.done)
        with pytest.raises(
            DeadlockError, match=r"builtins\.int waits for .*outer, which waits in async_to_sync for .*inner"
        ):
            await task
        assert await bridge.sync_to_async(lambda: "free again", context=context)() == "free again"

    with Bridge(clock=clock) as bridge:
        asyncio.run(main())


def test_a_long_wait_for_a_context_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    """G3, A9: no cycle, but long."""
    context = contextvars.copy_context()
    clock = ManualClock()

    async def main() -> None:
        first = asyncio.create_task(bridge.sync_to_async(gate, context=context)())
        await until(gate.begun.is_set)
        second = asyncio.create_task(bridge.sync_to_async(int, context=context)())
        await Turning(clock).until(lambda: caplog.records)
        gate.open()
        assert [await first, await second] == ["through", 0]

    with Bridge(clock=clock, stall_report_after=10.0) as bridge, Gate() as gate:
        asyncio.run(main())
    assert "builtins.int has waited" in caplog.text
    assert "still running tests.support.gate" in caplog.text


def test_a_long_wait_without_a_cycle_is_no_deadlock() -> None:
    """A6: the same shape, but somebody else can end the wait: no error, only patience."""
    clock = ManualClock()

    async def main() -> None:
        release = asyncio.Event()

        async def waits() -> str:
            await release.wait()
            return "released"

        holding = asyncio.create_task(bridge.run_sync(bridge.run_async, waits))
        behind = asyncio.create_task(bridge.run_sync(lambda: "behind"))
        turns = iter(range(30))
        await Turning(clock).until(lambda: next(turns) == 29)
        assert not behind.done()
        release.set()
        assert list(await asyncio.gather(holding, behind)) == ["released", "behind"]

    with Bridge(clock=clock, stall_report_after=None) as bridge:
        asyncio.run(main())


def test_a_cycle_that_a_timeout_will_break_is_left_to_it() -> None:
    """A6: `wait_for` around the wait: the task has a timer besides, so the wait can end by itself."""
    clock = ManualClock()

    async def main() -> None:
        started = asyncio.Event()

        async def outsider() -> None:
            await started.wait()
            await bridge.run_sync(int)

        async def waits_for_outsider() -> str:
            started.set()
            done, _ = await asyncio.wait([task], timeout=0.01)
            return "gave up" if not done else "went through"

        task = asyncio.create_task(outsider())
        holding = asyncio.create_task(bridge.run_sync(bridge.run_async, waits_for_outsider))
        await Turning(clock, 0.1).until(holding.done)
        assert await holding == "gave up"
        await task

    with Bridge(clock=clock, stall_report_after=None) as bridge:
        asyncio.run(main())


@pytest.mark.parametrize("other_fails", [True, False])
def test_a_gathering_ends_with_the_first_that_fails(other_fails: bool) -> None:
    """A6: no deadlock while another child may yet fail, which frees the thread; one when only the cycle is left."""
    clock = ManualClock()

    async def main() -> None:
        begun = asyncio.Event()
        other_may_end = asyncio.Event()

        async def needs_the_thread() -> None:
            await begun.wait()
            await bridge.run_sync(int)

        async def other() -> None:
            await other_may_end.wait()
            if other_fails:
                raise KeyError

        async def gathers() -> None:
            begun.set()
            await asyncio.gather(task, other())

        turning = Turning(clock)
        task = asyncio.create_task(needs_the_thread())
        holding = asyncio.create_task(bridge.run_sync(bridge.run_async, gathers))
        await begun.wait()
        passed = clock.now()
        await turning.until(lambda: clock.now() > passed + 20)
        assert not holding.done()
        other_may_end.set()
        await turning.until(holding.done)
        with pytest.raises(KeyError if other_fails else DeadlockError):
            await holding
        await asyncio.wait([task])
        assert isinstance(task.exception(), NoneType if other_fails else DeadlockError)

    with Bridge(clock=clock, stall_report_after=None) as bridge:
        asyncio.run(main())


def test_coming_back_to_a_loop_that_stands_still_is_a_deadlock() -> None:
    """F2, A6: the helper loop wants something of the loop that is blocked until the helper is done."""

    async def nothing() -> None:
        """Never runs."""

    async def main() -> None:
        mine = asyncio.get_running_loop()

        async def on_the_helper() -> None:
            await bridge.run_sync(lambda: bridge.options(loop=mine).run_async(nothing))

        with pytest.raises(DeadlockError, match="blocked in"):
            bridge.run_async(on_the_helper)
        assert asyncio.get_running_loop() is mine

    runner = SharedLoopRunner()
    with Bridge(loop_runner=BlockingLoopRunner(runner)) as bridge:
        asyncio.run(main())
    runner.close()


def test_from_a_thread_that_runs_a_loop_by_an_explicit_runner() -> None:
    """F2: the coroutine runs elsewhere, the loop stands still, and goes on as if nothing had been."""

    async def where() -> asyncio.AbstractEventLoop:
        await asyncio.sleep(0)
        return asyncio.get_running_loop()

    async def main() -> None:
        mine = asyncio.get_running_loop()
        assert bridge.run_async(where) is not mine
        assert asyncio.get_running_loop() is mine
        assert await bridge.run_sync(lambda: bridge.run_async(where)) is mine

    runner = SharedLoopRunner()
    with Bridge(loop_runner=BlockingLoopRunner(runner)) as bridge:
        asyncio.run(main())
    runner.close()


@pytest.mark.parametrize("scope", [True, False])
def test_asyncio_run_inside_sensitive_code(scope: bool) -> None:
    """A6 (and A4): sync -> own loop -> sync on the same thread runs inline, with or without a scope."""

    async def inner() -> str:
        return await bridge.run_sync(lambda: threading.current_thread().name)

    def function() -> tuple[str, str]:
        return threading.current_thread().name, asyncio.run(inner())

    async def main() -> tuple[str, str]:
        if not scope:
            return await bridge.run_sync(function)
        async with bridge.thread_sensitive_scope():
            return await bridge.run_sync(function)

    with Bridge() as bridge:
        outer, own = asyncio.run(main())
    assert outer == own


def test_nesting_never_exhausts_a_pool_of_one() -> None:
    """A5: sync -> async -> sync -> ..., each level on the one free worker."""

    async def level(depth: int) -> int:
        return await bridge.options(thread_sensitive=False).run_sync(descend, depth)

    def descend(depth: int) -> int:
        return depth if depth == 0 else 1 + bridge.run_async(level, depth - 1)

    async def main() -> list[int]:
        return await asyncio.gather(*(level(6) for _ in range(8)))

    with WorkerThreadPool(1) as pool, Bridge(worker_pool=pool) as bridge:
        assert asyncio.run(main()) == [6] * 8


def test_clean_up_gets_a_thread_when_all_are_waiting() -> None:
    """A5: what runs in `finally` does not compete with new work for a thread of its own."""
    cleaned = list[int]()

    async def work(number: int) -> None:
        try:
            await asyncio.sleep(0)
        finally:
            await bridge.options(thread_sensitive=False).run_sync(cleaned.append, number)

    async def main() -> None:
        view = bridge.options(thread_sensitive=False)
        await asyncio.gather(*(view.run_sync(bridge.run_async, work, number) for number in range(20)))

    with WorkerThreadPool(2) as pool, Bridge(worker_pool=pool) as bridge:
        asyncio.run(main())
    assert sorted(cleaned) == list(range(20))


def test_workers_that_run_loops_of_their_own_never_exhaust_a_pool() -> None:
    """A5: sync -> asyncio.run -> free sync -> asyncio.run -> ...: a worker that runs a loop gives up its slot."""

    async def level(depth: int) -> int:
        return await bridge.options(thread_sensitive=False).run_sync(descend, depth)

    def descend(depth: int) -> int:
        return depth if depth == 0 else 1 + asyncio.run(level(depth - 1))

    with WorkerThreadPool(1) as pool, Bridge(worker_pool=pool) as bridge:
        assert asyncio.run(asyncio.wait_for(level(4), SECONDS)) == 4
        assert asyncio.run(level(0)) == 0
