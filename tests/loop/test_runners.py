"""What every loop runner does, and in what they differ; seen through a bridge."""

import asyncio
import logging
import threading
import time
from asyncio import AbstractEventLoop
from collections.abc import AsyncGenerator, Callable
from contextlib import closing
from typing import Any

import pytest

from asgikit import Bridge
from asgikit.errors import ClosedError, LoopUnavailableError
from asgikit.executor import WorkerThreadPool
from asgikit.loop import CallingThreadLoopRunner, MonotonicClock, PerCallLoopRunner, PooledLoopRunner, SharedLoopRunner
from asgikit.loop._loop_thread import LoopThread
from asgikit.protocols import Clock, LoopRunner
from tests.support.held import SECONDS, Held

Factory = Callable[[], AbstractEventLoop]
RUNNERS: dict[str, Callable[[Factory], LoopRunner]] = {
    "per call": lambda factory: PerCallLoopRunner(loop_factory=factory),
    "per call and thread": lambda factory: PerCallLoopRunner(loop_factory=factory, reuse_threads=False),
    "pooled": lambda factory: PooledLoopRunner(loop_factory=factory),
    "shared": lambda factory: SharedLoopRunner(loop_factory=factory),
}
every = pytest.mark.parametrize("kind", RUNNERS)
fresh = pytest.mark.parametrize("kind", ["per call", "per call and thread"])
kept = pytest.mark.parametrize("kind", ["pooled", "shared"])
tidy = pytest.mark.parametrize("kind", ["per call", "per call and thread", "pooled"])


class Made:
    """A loop factory that keeps count."""

    def __init__(self) -> None:
        self.loops: list[AbstractEventLoop] = []
        self.kept: list[object] = []

    def __call__(self) -> AbstractEventLoop:
        self.loops.append(asyncio.new_event_loop())
        return self.loops[-1]


@pytest.fixture
def made() -> Made:
    """Count loops."""
    return Made()


async def where() -> tuple[AbstractEventLoop, threading.Thread]:
    """Say where this runs."""
    return asyncio.get_running_loop(), threading.current_thread()


def ran(bridge: Bridge) -> tuple[AbstractEventLoop, threading.Thread]:
    """Make one cold call."""
    return bridge.run_async(where)


# All of them


@every
def test_making_one_starts_nothing(kind: str, made: Made) -> None:
    """D3: no thread, no loop."""
    before = threading.active_count()
    with closing(RUNNERS[kind](made)):
        assert made.loops == []
        assert threading.active_count() == before


@every
def test_every_loop_comes_from_the_factory_and_is_closed_in_the_end(kind: str, made: Made) -> None:
    """F4: uvloop.new_event_loop fits. E7: the threads of loops have names with numbers."""
    with closing(RUNNERS[kind](made)) as runner, Bridge(loop_runner=runner) as bridge:
        for _ in range(3):
            loop, thread = ran(bridge)
            assert loop is made.loops[-1]
            assert thread.name.startswith("asgikit-")
            assert thread.name.rpartition("-")[2].isdigit()
            assert thread is not threading.current_thread()
        with bridge.loop_scope():
            loop, thread = ran(bridge)
            assert loop is made.loops[-1]
            assert thread.name == "asgikit-loop-scope-1"
    assert all(loop.is_closed() for loop in made.loops)


@every
def test_results_arguments_and_errors_pass(kind: str, made: Made) -> None:
    async def quotient(a: int, b: int) -> float:
        await asyncio.sleep(0)
        return a / b

    with closing(RUNNERS[kind](made)) as runner, Bridge(loop_runner=runner) as bridge:
        assert bridge.run_async(quotient, 6, b=2) == 3
        with pytest.raises(ZeroDivisionError):
            bridge.run_async(quotient, 6, b=0)


@every
def test_a_factory_that_fails_is_the_error_of_the_call(kind: str) -> None:
    """A8: and not a thread that waits for ever."""

    def factory() -> AbstractEventLoop:
        raise LookupError

    with closing(RUNNERS[kind](factory)) as runner, Bridge(loop_runner=runner) as bridge:
        for _ in range(2):
            with pytest.raises(LookupError):
                ran(bridge)


@every
@pytest.mark.parametrize("error", [RuntimeError, LookupError])
def test_a_task_factory_that_fails_is_the_error_of_the_call(
    kind: str, error: type[Exception], made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    """A8: between the posting and the first step; nothing is "never awaited"."""
    fails = True

    def task_factory(loop: AbstractEventLoop, coroutine: Any, **kwargs: Any) -> "asyncio.Future[Any]":
        if fails:
            raise error("no tasks here")
        return asyncio.Task(coroutine, loop=loop, **kwargs)

    def factory() -> AbstractEventLoop:
        loop = made()
        loop.set_task_factory(task_factory)
        return loop

    with closing(RUNNERS[kind](factory)) as runner, Bridge(loop_runner=runner) as bridge:
        for _ in range(2):
            with pytest.raises(error, match="no tasks here"):
                ran(bridge)
        fails = False
        assert ran(bridge)[0] is made.loops[-1]
    assert all(loop.is_closed() for loop in made.loops)
    assert not caplog.records


@every
def test_task_factories_that_know_no_context_work(kind: str, made: Made) -> None:
    """F4: they were written before 3.11."""

    def task_factory(loop: AbstractEventLoop, coroutine: Any) -> "asyncio.Future[Any]":
        return asyncio.Task(coroutine, loop=loop)

    def factory() -> AbstractEventLoop:
        loop = made()
        loop.set_task_factory(task_factory)
        return loop

    with closing(RUNNERS[kind](factory)) as runner, Bridge(loop_runner=runner) as bridge:
        assert ran(bridge)[0] is made.loops[-1]


@every
def test_a_closed_runner_refuses(kind: str, made: Made) -> None:
    runner = RUNNERS[kind](made)
    with Bridge(loop_runner=runner) as bridge:
        ran(bridge)
        runner.close()
        runner.close()
        with pytest.raises(ClosedError, match="is closed"):
            ran(bridge)


@every
def test_closing_waits_for_calls_at_most_as_long_as_it_is_told(kind: str, made: Made) -> None:
    """Then it leaves them, and takes no more; here the call blocks its loop, so that nothing can cancel it."""
    runner = RUNNERS[kind](made)
    held = Held()

    async def block() -> str:
        return held()

    with Bridge(loop_runner=runner) as bridge:
        caller = threading.Thread(target=lambda: bridge.run_async(block))
        caller.start()
        held.wait()
        runner.close(0)
        with pytest.raises(ClosedError, match="is closed"):
            ran(bridge)
        held.let_go()
        caller.join(SECONDS)
        runner.close()
        assert all(loop.is_closed() for loop in made.loops)


# A fresh loop per call


@fresh
def test_a_fresh_loop_for_every_call(kind: str, made: Made) -> None:
    """F1's opposite: nothing survives the call."""
    with closing(RUNNERS[kind](made)) as runner, Bridge(loop_runner=runner) as bridge:
        loops = [ran(bridge)[0] for _ in range(3)]
        assert len(set(map(id, loops))) == 3
        assert all(loop.is_closed() for loop in loops)


def test_the_thread_is_reused_or_not() -> None:
    """E7: numbered on in either case."""
    with closing(PerCallLoopRunner()) as runner, Bridge(loop_runner=runner) as bridge:
        assert {ran(bridge)[1].name for _ in range(3)} == {"asgikit-loop-1"}
    with closing(PerCallLoopRunner(reuse_threads=False)) as runner, Bridge(loop_runner=runner) as bridge:
        assert [ran(bridge)[1].name for _ in range(3)] == ["asgikit-loop-1", "asgikit-loop-2", "asgikit-loop-3"]


def test_without_reuse_no_thread_local_value_stays() -> None:
    values = threading.local()

    async def seen() -> bool:
        before = hasattr(values, "mark")
        values.mark = True
        return before

    with closing(PerCallLoopRunner(reuse_threads=False)) as runner, Bridge(loop_runner=runner) as bridge:
        assert [bridge.run_async(seen) for _ in range(3)] == [False] * 3
    with Bridge() as bridge:
        assert [bridge.run_async(seen) for _ in range(2)] == [False, True]


@tidy
def test_leftover_tasks_are_cancelled_and_named(kind: str, made: Made, caplog: pytest.LogCaptureFixture) -> None:
    """F6: in one warning, and the call returns when they have cleaned up."""
    cleaned: list[str] = []

    async def background(name: str) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append(name)

    async def leave() -> int:
        for name in ("mail", "poll"):
            made.kept.append(asyncio.create_task(background(name), name=name))
        await asyncio.sleep(0)
        return 7

    with closing(RUNNERS[kind](made)) as runner, Bridge(loop_runner=runner) as bridge:
        assert bridge.run_async(leave) == 7
        assert sorted(cleaned) == ["mail", "poll"]
        (record,) = caplog.records
        assert (record.name, record.levelno) == ("asgikit", logging.WARNING)
        message = record.getMessage()
        assert "leave) left tasks running, which are cancelled: " in message
        assert "mail (" in message
        assert "background)" in message
        assert not ran(bridge)[0].is_running() or kind == "pooled"
    assert len(caplog.records) == 1


@tidy
def test_what_the_clean_up_of_a_leftover_starts_is_cancelled_too(
    kind: str, made: Made, caplog: pytest.LogCaptureFixture
) -> None:
    """F6: no task is destroyed while it is pending."""

    async def background(generation: int) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            if generation:
                made.kept.append(asyncio.create_task(background(generation - 1), name=f"generation {generation}"))

    async def leave() -> int:
        made.kept.append(asyncio.create_task(background(2), name="generation 3"))
        await asyncio.sleep(0)
        return 7

    with closing(RUNNERS[kind](made)) as runner, Bridge(loop_runner=runner) as bridge:
        assert bridge.run_async(leave) == 7
    named = [record.getMessage().rpartition(": ")[2].partition(" (")[0] for record in caplog.records]
    assert named == ["generation 3", "generation 2", "generation 1"]


@tidy
def test_a_leftover_that_fails_is_told(kind: str, made: Made, caplog: pytest.LogCaptureFixture) -> None:
    """F6, B3: its error reaches the logger, and the result its caller."""

    async def background() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            raise LookupError

    async def leave() -> int:
        made.kept.append(asyncio.create_task(background()))
        await asyncio.sleep(0)
        return 7

    with closing(RUNNERS[kind](made)) as runner, Bridge(loop_runner=runner) as bridge:
        assert bridge.run_async(leave) == 7
    levels = [record.levelno for record in caplog.records]
    assert levels == [logging.WARNING, logging.ERROR]


@fresh
def test_generators_and_the_default_executor_end_with_the_loop(kind: str, made: Made) -> None:
    """As asyncio.run does."""
    closed: list[str] = []

    async def generate() -> AsyncGenerator[int, None]:
        try:
            yield 1
            yield 2
        finally:
            closed.append("generator")

    async def leave() -> int:
        generator = generate()
        made.kept.append(generator)  # so that counting references does not close it
        await asyncio.to_thread(int)
        return await anext(generator)

    with closing(RUNNERS[kind](made)) as runner, Bridge(loop_runner=runner) as bridge:
        assert bridge.run_async(leave) == 1
        assert closed == ["generator"]
        assert not [thread for thread in threading.enumerate() if thread.name.startswith("asyncio")]


# Kept loops


@kept
def test_calls_one_after_the_other_see_one_loop(kind: str, made: Made) -> None:
    """F1: clients that are bound to their loop keep working. E5: later calls start no thread and make no loop."""
    with closing(RUNNERS[kind](made)) as runner, Bridge(loop_runner=runner) as bridge:
        assert len({ran(bridge) for _ in range(5)}) == 1
        assert len(made.loops) == 1


@kept
def test_a_kept_loop_that_somebody_stops_goes_on(kind: str, made: Made) -> None:
    with closing(RUNNERS[kind](made)) as runner, Bridge(loop_runner=runner) as bridge:
        loop, thread = ran(bridge)

        async def stop() -> None:
            asyncio.get_running_loop().call_soon(loop.stop)

        bridge.run_async(stop)
        assert ran(bridge) == (loop, thread)


def test_a_pooled_loop_serves_one_call_at_a_time(made: Made) -> None:
    """F1: two calls at once get two loops, which are both kept."""
    first, second = Held(), Held()

    async def block(held: Held) -> AbstractEventLoop:
        await asyncio.to_thread(held)
        return asyncio.get_running_loop()

    with closing(PooledLoopRunner(loop_factory=made)) as runner, Bridge(loop_runner=runner) as bridge:
        found: list[AbstractEventLoop] = []

        def call(held: Held) -> None:
            found.append(bridge.run_async(block, held))

        threads = [threading.Thread(target=call, args=[held]) for held in (first, second)]
        for thread, held in zip(threads, (first, second), strict=True):
            thread.start()
            held.wait()
        first.let_go()
        second.let_go()
        for thread in threads:
            thread.join(SECONDS)
        assert set(found) == set(made.loops)
        assert len(made.loops) == 2
        assert ran(bridge)[0] in made.loops


def test_a_pool_keeps_no_more_loops_than_it_is_told(made: Made) -> None:
    runner = PooledLoopRunner(loop_factory=made, max_idle=0)
    with closing(runner), Bridge(loop_runner=runner) as bridge:
        threads = [ran(bridge)[1] for _ in range(2)]
        for thread in threads:
            thread.join(0)
        assert len(made.loops) == 2


def test_on_a_shared_loop_all_calls_meet_and_their_tasks_go_on(made: Made, caplog: pytest.LogCaptureFixture) -> None:
    """F6: with a shared runner leftovers live on. F1: across calls, from several threads."""
    go: list[asyncio.Event] = []
    done = threading.Event()

    async def background() -> None:
        event = asyncio.Event()
        go.append(event)
        await event.wait()
        done.set()

    async def leave() -> None:
        made.kept.append(asyncio.create_task(background()))
        await asyncio.sleep(0)

    async def let_go() -> None:
        go[0].set()

    with closing(SharedLoopRunner(loop_factory=made)) as runner, Bridge(loop_runner=runner) as bridge:
        bridge.run_async(leave)
        other = threading.Thread(target=lambda: bridge.run_async(let_go))
        other.start()
        other.join(SECONDS)
        assert done.wait(SECONDS)
        assert not caplog.records


def test_closing_a_shared_loop_cancels_what_is_left_by_name(caplog: pytest.LogCaptureFixture) -> None:
    """F6: at the end there is nowhere to go on."""
    runner, kept = SharedLoopRunner(name="mine"), list[object]()

    async def leave() -> None:
        kept.append(asyncio.create_task(asyncio.Event().wait(), name="forgotten"))

    with Bridge(loop_runner=runner) as bridge:
        bridge.run_async(leave)
        runner.close()
    (record,) = caplog.records
    assert "thread 'asgikit-mine-1' left tasks running, which are cancelled: forgotten" in record.getMessage()


@pytest.mark.parametrize("runner", [PerCallLoopRunner(), CallingThreadLoopRunner()], ids=lambda one: type(one).__name__)
def test_a_coroutine_that_stops_its_own_loop_cleans_up_and_is_told(runner: LoopRunner) -> None:
    """A1: its caller hears of it at once, and what the coroutine awaits while it cleans up is awaited to its end."""

    async def stop() -> None:
        asyncio.get_running_loop().stop()
        try:
            await asyncio.Event().wait()
        finally:
            await asyncio.to_thread(int)
            events.append("cleaned up")

    events = list[str]()
    with closing(runner), Bridge(loop_runner=runner) as bridge:
        with pytest.raises(LoopUnavailableError, match="was stopped before it had ended"):
            bridge.run_async(stop)
        assert events == ["cleaned up"]


@kept
def test_a_runner_that_is_forgotten_says_so(kind: str, made: Made) -> None:
    runners = [RUNNERS[kind](made)]
    bridge = Bridge(loop_runner=runners[0])
    thread = ran(bridge)[1]
    bridge.close()
    del bridge
    with pytest.warns(ResourceWarning, match="runner was never closed"):
        runners.clear()
    thread.join(SECONDS)
    assert made.loops[0].is_closed()


def test_a_task_that_raises_out_of_the_loop_does_not_end_it(caplog: pytest.LogCaptureFixture) -> None:
    """C5: SystemExit in a task is the outcome of its call, and told; other callers keep their loop."""

    async def leave() -> None:
        raise SystemExit(3)

    with closing(SharedLoopRunner()) as runner, Bridge(loop_runner=runner) as bridge:
        loop = ran(bridge)[0]
        with pytest.raises(SystemExit):
            bridge.run_async(leave)
        assert ran(bridge)[0] is loop


# One loop on a thread


def test_a_loop_thread_that_is_stopped_before_it_began_ends_well(caplog: pytest.LogCaptureFixture) -> None:
    with WorkerThreadPool(1) as pool, Held() as held:
        pool.submit(held)
        held.wait()
        thread = LoopThread(asyncio.new_event_loop)
        thread.begin(pool)
        assert "event loop" in thread.name
        thread.stop()
        thread.stop()
        held.let_go()
    assert not thread.usable
    assert not caplog.records


def test_a_loop_thread_without_a_thread_closes_its_loop(made: Made) -> None:
    pool = WorkerThreadPool(1)
    pool.close()
    with pytest.raises(ClosedError):
        LoopThread(made).begin(pool)
    assert made.loops[0].is_closed()


def test_a_loop_thread_that_is_refused_closes_its_loop(made: Made) -> None:
    with WorkerThreadPool(1) as pool, Held() as held:
        pool.submit(held)
        held.wait()
        LoopThread(made).begin(pool)
        pool.shutdown(wait=False, cancel_futures=True)
        assert made.loops[0].is_closed()


# The clock


def test_the_clock_of_the_system() -> None:
    clock: Clock = MonotonicClock()
    before = time.monotonic()
    assert before <= clock.now() <= time.monotonic()

    async def main() -> str:
        called: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        clock.call_later(asyncio.get_running_loop(), 0, lambda: called.set_result("called"))
        clock.call_later(asyncio.get_running_loop(), 0, lambda: called.set_result("too much")).cancel()
        return await called

    assert asyncio.run(main()) == "called"


class Unclosable(asyncio.SelectorEventLoop):
    """A loop of others, whose close fails."""

    def close(self) -> None:
        super().close()
        raise OSError("it does not close")


@fresh
def test_a_loop_that_does_not_close_costs_no_thread(kind: str, caplog: pytest.LogCaptureFixture) -> None:
    """A1: the worker lives on, what the coroutine returned is returned, and the failure is logged."""
    with closing(RUNNERS[kind](Unclosable)) as runner, Bridge(loop_runner=runner) as bridge:
        first = ran(bridge)[1]
        second = ran(bridge)[1]
        assert (first is second) == (kind == "per call")
    assert ["did not close" in record.getMessage() for record in caplog.records] == [True, True]


def test_a_loop_that_refuses_to_close_on_the_calling_thread_is_told_to_the_caller() -> None:
    """A1: and the call is over for whoever waits for it."""

    class Entry:
        name = "a call"
        finished = False

        def expect(self, loop: asyncio.AbstractEventLoop, /) -> None:
            """It is told on starting."""

        def start(self, loop: asyncio.AbstractEventLoop, /, *, prompt: bool) -> "asyncio.Task[None]":
            return loop.create_task(asyncio.sleep(0))

        def finish(self) -> None:
            self.finished = True

        def fail(self, error: BaseException, /) -> None:
            raise error

    entry = Entry()
    with pytest.raises(OSError, match="does not close"):
        CallingThreadLoopRunner(loop_factory=Unclosable).post(entry)
    assert entry.finished
