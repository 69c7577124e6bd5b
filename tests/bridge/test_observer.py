"""What observers are told, where, and what it costs to tell nobody."""

import asyncio
import threading
from dataclasses import dataclass, field

import pytest

from asgikit import Bridge
from asgikit.bridge import _watch
from asgikit.executor import PoolCounters, ThreadSensitivePool, WorkerThreadPool
from asgikit.protocols import Crossing
from asgikit.testing import ManualClock
from tests.support.gate import Gate, until


@dataclass
class Diary:
    """Writes down every method with the thread that it ran on."""

    entries: list[tuple[str, str, str]] = field(default_factory=list[tuple[str, str, str]])
    crossings: list[Crossing] = field(default_factory=list[Crossing])
    errors: list[BaseException | None] = field(default_factory=list[BaseException | None])
    reports: list[str] = field(default_factory=list[str])

    def _write(self, what: str, crossing: Crossing) -> None:
        self.entries.append((what, crossing.name.rpartition(".")[2], threading.current_thread().name))

    def queued(self, crossing: Crossing, /) -> None:
        self._write("queued", crossing)
        self.crossings.append(crossing)

    def started(self, crossing: Crossing, /) -> None:
        self._write("started", crossing)

    def finished(self, crossing: Crossing, /) -> None:
        self._write("finished", crossing)
        self.errors.append(crossing.error)

    def abandoned(self, crossing: Crossing, /) -> None:
        self._write("abandoned", crossing)

    def stalled(self, crossing: Crossing, report: str, /) -> None:
        self._write("stalled", crossing)
        self.reports.append(report)


async def inner() -> str:
    return threading.current_thread().name


def test_each_method_runs_on_the_thread_that_it_says() -> None:
    """J8, Q1: queued on the caller's thread, started and finished where the call itself runs, both ways."""
    diary = Diary()

    def function() -> str:
        return bridge.run_async(inner)

    main = threading.current_thread().name
    with Bridge(observer=diary) as bridge:
        assert asyncio.run(bridge.run_sync(function)) == main
    worker = "asgikit-sensitive-1"
    assert diary.entries == [
        ("queued", "function", main),
        ("started", "function", worker),
        ("queued", "inner", worker),
        ("started", "inner", main),
        ("finished", "inner", main),
        ("finished", "function", worker),
    ]
    outer, nested = diary.crossings
    assert (outer.direction, outer.parent, outer.caller, outer.thread) == ("sync_to_async", None, main, worker)
    assert (nested.direction, nested.parent, nested.caller, nested.thread) == ("async_to_sync", outer, worker, main)


def test_queue_time_and_run_time_are_those_of_the_clock() -> None:
    """Q1: seconds of the bridge's clock, None until known."""
    diary, clock = Diary(), ManualClock()

    async def main() -> None:
        first = asyncio.create_task(bridge.run_sync(gate))
        await until(gate.begun.is_set)
        second = asyncio.create_task(bridge.run_sync(clock.advance, 0.5))
        await asyncio.sleep(0)
        waiting = diary.crossings[1]
        assert (waiting.queue_time, waiting.run_time) == (None, None)
        clock.advance(0.25)
        gate.open()
        await asyncio.gather(first, second)

    with Bridge(observer=diary, clock=clock) as bridge, Gate() as gate:
        asyncio.run(main())
    assert [(crossing.queue_time, crossing.run_time) for crossing in diary.crossings] == [(0.0, 0.25), (0.25, 0.5)]


def test_errors_are_shown_while_finished_runs_and_not_kept() -> None:
    """J8, I2: an observer that keeps crossings keeps no exceptions."""
    diary = Diary()
    error = ValueError("seen")

    def fail() -> None:
        raise error

    with Bridge(observer=diary) as bridge, pytest.raises(ValueError, match="seen") as raised:
        asyncio.run(bridge.run_sync(fail))
    assert raised.traceback[-1].name == "fail"
    assert diary.errors == [error]
    assert diary.crossings[0].error is None


def test_abandoned_is_told_to_the_canceller_and_finished_later_to_the_worker() -> None:
    """J8, Q1: the crossing goes on though its caller does not wait."""
    diary = Diary()

    async def main() -> None:
        task = asyncio.create_task(bridge.run_sync(gate))
        await until(gate.begun.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert [entry[0] for entry in diary.entries] == ["queued", "started", "abandoned"]
        gate.open()
        await bridge.run_sync(int)

    with Bridge(observer=diary) as bridge, Gate() as gate:
        asyncio.run(main())
    assert ("finished", "Gate", "asgikit-sensitive-1") in diary.entries


def test_stalled_is_told_once_with_the_report() -> None:
    """J8, A9: the same report that is logged."""
    diary, clock = Diary(), ManualClock()

    async def main() -> None:
        first, second = asyncio.create_task(bridge.run_sync(gate)), asyncio.create_task(bridge.run_sync(int))
        await until(gate.begun.is_set)
        await until(lambda: (clock.pending() and clock.advance(5)) and diary.reports)
        clock.advance(50)
        await asyncio.sleep(0)
        gate.open()
        await asyncio.gather(first, second)

    with Bridge(observer=diary, clock=clock) as bridge, Gate() as gate:
        asyncio.run(main())
    (report,) = diary.reports
    assert "Gate" in report


def test_observe_is_for_a_block_and_crossings_under_way_are_told_to_their_end() -> None:
    """J8: several observers at once, added and removed while the bridge works."""
    first, second = Diary(), Diary()

    async def main() -> None:
        with bridge.observe(second):
            task = asyncio.create_task(bridge.run_sync(gate))
            await until(gate.begun.is_set)
        gate.open()
        await task
        await bridge.run_sync(int)

    with Bridge(observer=first) as bridge, Gate() as gate:
        asyncio.run(main())
    assert [entry[:2] for entry in second.entries] == [("queued", "Gate"), ("started", "Gate"), ("finished", "Gate")]
    assert len(first.entries) == 6


def test_an_observer_that_fails_is_logged_and_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """J8: observers are not trusted."""

    class Broken(Diary):
        def started(self, crossing: Crossing, /) -> None:
            message = "broken"
            raise ValueError(message)

    with Bridge(observer=Broken()) as bridge:
        assert asyncio.run(bridge.run_sync(int)) == 0
    (record,) = caplog.records
    assert "failed in started for builtins.int" in record.getMessage()


def test_nobody_is_told_at_no_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    """J8: without an observer nothing is made for one, and no clock is read."""

    def unread(clock: ManualClock) -> float:
        pytest.fail("the clock was read")

    def refuse(*args: object) -> None:
        pytest.fail("something was watched")

    monkeypatch.setattr(ManualClock, "now", unread)
    monkeypatch.setattr(_watch.Watch, "__init__", refuse)
    with Bridge(clock=ManualClock(), stall_report_after=None) as bridge:
        assert asyncio.run(bridge.run_sync(bridge.run_async, inner))


def test_counters_are_readable_at_any_time() -> None:
    """Q1: busy, idle, abandoned and queued, of both pools, from any thread."""

    async def main() -> None:
        view = bridge.options(thread_sensitive=False)
        first, second = asyncio.create_task(view.run_sync(gate)), asyncio.create_task(view.run_sync(int))
        await until(gate.begun.is_set)
        assert workers.counters == PoolCounters(started=1, busy=1, idle=0, abandoned=0, queued=1)
        async with bridge.thread_sensitive_scope():
            third = asyncio.create_task(bridge.run_sync(scoped))
            await until(scoped.begun.is_set)
            assert sensitive.counters == PoolCounters(started=1, busy=1, idle=0, abandoned=0, queued=0)
            third.cancel()
            await asyncio.gather(third, return_exceptions=True)
            assert sensitive.counters == PoolCounters(started=1, busy=0, idle=0, abandoned=1, queued=0)
        gate.open()
        scoped.open()
        await asyncio.gather(first, second)
        await until(lambda: sensitive.counters == PoolCounters(started=1, busy=0, idle=1, abandoned=0, queued=0))
        await until(lambda: workers.counters == PoolCounters(started=1, busy=0, idle=1, abandoned=0, queued=0))

    with (
        WorkerThreadPool(1) as workers,
        ThreadSensitivePool(1) as sensitive,
        Bridge(worker_pool=workers, sensitive_pool=sensitive) as bridge,
        Gate() as gate,
        Gate() as scoped,
    ):
        asyncio.run(main())


@pytest.mark.parametrize("told", ["started", "finished"])
@pytest.mark.parametrize("error", [asyncio.CancelledError, GeneratorExit, SystemExit])
def test_what_an_observer_raises_changes_no_outcome(told: str, error: type[BaseException]) -> None:
    """J8: also what `except Exception` does not catch."""

    class Raising(Diary):
        def _write(self, what: str, crossing: Crossing) -> None:
            if what == told:
                raise error

    async def five() -> int:
        return await bridge.run_sync(lambda: 5)

    with Bridge(observer=Raising()) as bridge:
        assert bridge.run_async(five) == 5


@pytest.mark.parametrize("told", ["started", "finished"])
def test_ctrl_c_in_an_observer_is_the_outcome(told: str) -> None:
    """C5: it surfaces once, where the coroutine is awaited, and not as a cancellation."""

    class Interrupted(Diary):
        def _write(self, what: str, crossing: Crossing) -> None:
            if what == told and crossing.direction == "async_to_sync":
                raise KeyboardInterrupt

    async def five() -> int:
        return 5

    with Bridge(observer=Interrupted()) as bridge, pytest.raises(KeyboardInterrupt):
        bridge.run_async(five)
