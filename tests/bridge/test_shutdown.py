"""The end of loops, bridges and scopes: every thread that waits is released, within a bounded time, with an outcome."""

import asyncio
import functools
import gc
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from asgikit import Bridge
from asgikit.bridge import _async_call
from asgikit.errors import ClosedError, LoopUnavailableError, RunningLoopError
from asgikit.executor import ThreadSensitivePool, WorkerThreadPool
from asgikit.loop import (
    BlockingLoopRunner,
    CallingThreadLoopRunner,
    PerCallLoopRunner,
    PooledLoopRunner,
    SharedLoopRunner,
)
from asgikit.protocols import LoopEntry, LoopRunner
from tests.support.gate import SECONDS, Gate, until, wait_for


async def forever() -> None:
    await asyncio.Event().wait()


class Waiter:
    """A function that waits in async_to_sync for `coroutine`, and what came of it."""

    def __init__(self, bridge: Bridge, coroutine: Callable[[], Coroutine[Any, Any, Any]]) -> None:
        self.bridge = bridge
        self.coroutine = coroutine
        self.begun = threading.Event()
        self.ended = threading.Event()
        self.outcome: object = None

    def __call__(self) -> None:
        self.begun.set()
        try:
            self.outcome = self.bridge.run_async(self.coroutine)
        except BaseException as error:
            self.outcome = error
        self.ended.set()


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hosts look every millisecond whether their loop is still there."""
    monkeypatch.setattr(_async_call, "LOOK_EVERY", 0.001)


@pytest.mark.parametrize("thread_sensitive", [True, False])
def test_asyncio_run_ends_while_a_thread_waits(thread_sensitive: bool) -> None:
    """A1: `asyncio.run` cancels all tasks; the worker hears of it and is released."""

    async def main() -> None:
        view = bridge.options(thread_sensitive=thread_sensitive)
        asyncio.create_task(view.run_sync(waiter))
        await until(waiter.begun.is_set)

    with Bridge() as bridge:
        waiter = Waiter(bridge, forever)
        asyncio.run(main())
        assert waiter.ended.wait(SECONDS)
    assert isinstance(waiter.outcome, asyncio.CancelledError | LoopUnavailableError)


def _plain_task(
    loop: asyncio.AbstractEventLoop, coroutine: Coroutine[Any, Any, Any], **kwargs: Any
) -> "asyncio.Task[Any]":
    return asyncio.Task(coroutine, loop=loop, **kwargs)


@pytest.mark.usefixtures("_impatient")
def test_a_task_that_is_cancelled_before_its_first_step_releases_its_thread() -> None:
    """A1: its body never runs, so nobody but the waiting thread itself can find out."""

    def cancelling_factory(loop: asyncio.AbstractEventLoop, coroutine: Any, **kwargs: Any) -> "asyncio.Task[Any]":
        task = _plain_task(loop, coroutine, **kwargs)
        if "_main" in coroutine.__qualname__:
            task.cancel()
        return task

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(cancelling_factory)
        await bridge.run_sync(waiter)

    with Bridge() as bridge:
        waiter = Waiter(bridge, forever)
        asyncio.run(main())
    assert isinstance(waiter.outcome, asyncio.CancelledError)
    assert "before its first step" in str(waiter.outcome)


@pytest.mark.parametrize("error", [RuntimeError("no more tasks"), TypeError("not even one"), KeyError("none")])
def test_a_task_factory_that_raises_is_reported_to_the_thread_that_waits(error: Exception) -> None:
    """A1, A8: what fails between the post and the first step is raised by async_to_sync."""

    def failing_factory(loop: asyncio.AbstractEventLoop, coroutine: Any, **kwargs: Any) -> "asyncio.Task[Any]":
        if "_main" in coroutine.__qualname__:
            raise error
        return _plain_task(loop, coroutine, **kwargs)

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(failing_factory)
        await bridge.run_sync(waiter)

    with Bridge() as bridge:
        waiter = Waiter(bridge, forever)
        asyncio.run(main())
    assert waiter.outcome is error


@pytest.mark.usefixtures("_impatient")
def test_a_loop_that_stopped_and_stays_so_releases_its_threads() -> None:
    """A1, A2: a stopped loop takes callbacks and never runs them; the thread does not wait for it."""

    async def main() -> None:
        asyncio.create_task(bridge.run_sync(waiter))
        await until(waiter.begun.is_set)

    loop = asyncio.new_event_loop()
    with Bridge() as bridge:
        waiter = Waiter(bridge, forever)
        loop.run_until_complete(main())
        tasks = asyncio.all_tasks(loop)  # else nobody keeps the one that waits for ever
        assert waiter.ended.wait(SECONDS)
        assert isinstance(waiter.outcome, LoopUnavailableError)
        assert "has stopped" in str(waiter.outcome)
        _drain(loop)
        assert all(task.done() for task in tasks)


@pytest.mark.usefixtures("_impatient")
@pytest.mark.parametrize("begun", [True, False])
def test_a_coroutine_that_was_given_up_does_not_go_on_when_its_loop_does(begun: bool) -> None:
    """A1, B2: its caller has had an error; what it was to do must not be done behind its back."""
    events = list[str]()

    async def inner() -> None:
        events.append("begun")
        try:
            has_begun.set()
            await release.wait()
        except asyncio.CancelledError:
            events.append("cancelled")
            raise
        events.append("went on")

    async def main() -> None:
        tasks.append(asyncio.create_task(bridge.run_sync(call)))
        await until(has_begun.is_set if begun else gate.begun.is_set)

    async def go_on() -> None:
        release.set()
        await asyncio.wait(tasks)

    def call() -> None:
        if not begun:
            gate()
        waiter()

    release, has_begun, tasks = asyncio.Event(), threading.Event(), list[asyncio.Task[None]]()
    loop = asyncio.new_event_loop()
    with Bridge() as bridge, Gate() as gate:
        waiter = Waiter(bridge, inner)
        loop.run_until_complete(main())
        gate.open()
        assert waiter.ended.wait(SECONDS)
        loop.run_until_complete(go_on())
        loop.close()
    assert isinstance(waiter.outcome, LoopUnavailableError)
    assert events == ["begun", "cancelled"] * begun


def test_a_loop_that_stops_for_a_moment_releases_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """A1: between two `run_until_complete` nothing is wrong."""
    monkeypatch.setattr(_async_call, "LOOK_EVERY", 0.001)
    monkeypatch.setattr(_async_call, "STOPPED_LOOKS", 10_000)
    release = asyncio.Event()

    async def inner() -> str:
        await release.wait()
        return "after the pause"

    async def begin() -> None:
        tasks.append(asyncio.create_task(bridge.run_sync(waiter)))
        await until(waiter.begun.is_set)

    async def go_on() -> None:
        release.set()
        await tasks[0]

    tasks = list[asyncio.Task[None]]()
    loop = asyncio.new_event_loop()
    with Bridge() as bridge:
        waiter = Waiter(bridge, inner)
        loop.run_until_complete(begin())
        assert not waiter.ended.wait(0.01)
        loop.run_until_complete(go_on())
        loop.close()
    assert waiter.outcome == "after the pause"


@pytest.mark.usefixtures("_impatient")
def test_a_loop_that_is_closed_releases_its_threads(asyncio_errors: list[Any]) -> None:
    """A1: closed without any cancelling."""

    async def main() -> None:
        asyncio.create_task(bridge.run_sync(waiter))
        await until(waiter.begun.is_set)

    loop = asyncio.new_event_loop()
    with Bridge() as bridge:
        waiter = Waiter(bridge, forever)
        loop.run_until_complete(main())
        loop.close()
        assert waiter.ended.wait(SECONDS)
    assert isinstance(waiter.outcome, LoopUnavailableError)
    gc.collect()
    assert all("destroyed" in record.getMessage() for record in asyncio_errors)


@pytest.mark.usefixtures("_impatient")
def test_a_given_loop_that_ends_releases_its_threads() -> None:
    """A1: the same for `loop=`."""
    other, running = asyncio.new_event_loop(), threading.Event()
    other.call_soon(running.set)
    thread = threading.Thread(target=other.run_forever)
    thread.start()
    assert running.wait(SECONDS)
    with Bridge() as bridge:

        async def stop_it() -> None:
            other.call_soon(other.stop)
            await asyncio.Event().wait()

        with pytest.raises(LoopUnavailableError, match="has stopped"):
            bridge.options(loop=other).run_async(stop_it)
    thread.join(SECONDS)
    _drain(other)


def _drain(loop: asyncio.AbstractEventLoop) -> None:
    """Cancel what is left on `loop`, as `asyncio.run` does, and close it."""
    left = asyncio.all_tasks(loop)  # asked from outside: inside, 3.14 does not see tasks made on another thread

    async def cancel() -> None:
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    loop.run_until_complete(cancel())
    loop.close()


def test_the_link_to_a_loop_ends_with_the_call() -> None:
    """A2: afterwards async_to_sync on the same worker is cold again, whatever became of the loop."""
    with WorkerThreadPool(1) as pool, Bridge(worker_pool=pool) as bridge:

        async def warm() -> asyncio.AbstractEventLoop:
            return asyncio.get_running_loop()

        async def main() -> bool:
            view = bridge.options(thread_sensitive=False)
            return await view.run_sync(lambda: bridge.run_async(warm)) is asyncio.get_running_loop()

        assert asyncio.run(main())
        cold = pool.submit(bridge.run_async, warm).result(SECONDS)
        assert cold.is_closed()  # a loop of its own, which ended with the call
        assert asyncio.run(main())


@pytest.mark.parametrize("thread_sensitive", [True, False])
def test_idle_workers_keep_no_loop(thread_sensitive: bool) -> None:
    """A2, I4: between calls no worker holds a loop."""

    async def nothing() -> None:
        """Run on the loop of the caller."""

    async def main() -> "weakref.ref[asyncio.AbstractEventLoop]":
        await bridge.options(thread_sensitive=thread_sensitive).run_sync(lambda: bridge.run_async(nothing))
        return weakref.ref(asyncio.get_running_loop())

    with Bridge() as bridge:
        loop = asyncio.run(main())
        wait_for(lambda: gc.collect() >= 0 and loop() is None)  # a loop and its self-pipe reader are a cycle


@pytest.mark.parametrize(
    "runner", [PerCallLoopRunner, PooledLoopRunner, SharedLoopRunner, CallingThreadLoopRunner], ids=lambda r: r.__name__
)
def test_idle_loop_threads_keep_nothing_of_a_call(runner: Any) -> None:
    """I4: neither argument nor result nor the coroutine's own objects."""

    class Big:
        pass

    async def echo(big: Big) -> Big:
        return big

    made = runner()
    with Bridge(loop_runner=made) as bridge:
        big = Big()
        seen = weakref.ref(big)
        assert bridge.run_async(echo, big) is big
        del big
        assert bridge.run_async(asyncio.sleep, 0) is None  # loops keep their last callback for one more round
        wait_for(lambda: gc.collect() >= 0 and seen() is None)
    made.close()


def test_closing_a_bridge_refuses_new_crossings_and_lets_others_end() -> None:
    """A1: a crossing under way ends; the next is a ClosedError on either side."""

    async def nothing() -> None:
        """Never runs."""

    async def main() -> None:
        task = asyncio.create_task(bridge.run_sync(gate))
        await until(gate.begun.is_set)
        gate.open()
        await bridge.aclose()
        assert await task == "through"
        with pytest.raises(ClosedError):
            await bridge.run_sync(int)

    with Gate() as gate:
        bridge = Bridge()
        asyncio.run(main())
        with pytest.raises(ClosedError):
            bridge.run_async(nothing)


@pytest.mark.parametrize("blocked", [False, True])
def test_leaving_a_scope_starts_no_thread_and_does_not_block(blocked: bool) -> None:
    """A10, B4: whether its worker is idle or not."""

    async def main() -> None:
        tasks: list[asyncio.Task[object]] = []
        async with bridge.thread_sensitive_scope():
            await bridge.run_sync(int)
            if blocked:
                tasks.append(asyncio.create_task(bridge.run_sync(gate)))
                await until(gate.begun.is_set)
            threads = threading.active_count()
        assert threading.active_count() == threads
        assert not gate.ended.is_set()
        gate.open()
        await asyncio.gather(*tasks)

    with ThreadSensitivePool(2) as pool, Bridge(sensitive_pool=pool) as bridge, Gate() as gate:
        asyncio.run(main())
        assert pool.counters.started == 1


def test_a_scope_that_is_left_while_its_call_runs_gives_its_worker_back_later() -> None:
    """B4: the worker of a scope with an abandoned call is not leased again before it has ended."""

    async def main() -> None:
        async with bridge.thread_sensitive_scope():
            task = asyncio.create_task(bridge.run_sync(gate))
            await until(gate.begun.is_set)
            task.cancel()
        async with bridge.thread_sensitive_scope():
            assert await bridge.run_sync(lambda: threading.current_thread().name) not in gate.threads
        gate.open()
        await until(lambda: pool.counters.idle == 2)

    with ThreadSensitivePool(2) as pool, Bridge(sensitive_pool=pool) as bridge, Gate() as gate:
        asyncio.run(main())


def test_a_host_that_hides_its_loop_shows_it_again_whatever_happens() -> None:
    """F2, B2: a refused crossing leaves the thread as it was."""
    seen = list[object]()

    async def nothing() -> None:
        """Never runs: the crossing is refused."""

    async def own_loop(blocking: Bridge) -> None:
        with pytest.raises(asyncio.CancelledError):
            blocking.run_async(nothing)
        seen.append(asyncio.get_running_loop())

    def function(blocking: Bridge) -> None:
        gate()
        asyncio.run(own_loop(blocking))
        ended.set()

    async def main(blocking: Bridge) -> None:
        task = asyncio.create_task(blocking.run_sync(function, blocking))
        await until(gate.begun.is_set)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        gate.open()
        await until(ended.is_set)

    ended = threading.Event()
    inner = PerCallLoopRunner()
    with Bridge(loop_runner=BlockingLoopRunner(inner)) as bridge, Gate() as gate:
        asyncio.run(main(bridge))
    inner.close()
    assert len(seen) == 1


def test_a_time_out_holds_for_a_loop_in_the_calling_thread() -> None:
    """C4 (and F5): the thread that would watch the clock is running the loop."""
    cleaned = list[str]()

    async def slow() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            cleaned.append("up")

    with Bridge(loop_runner=CallingThreadLoopRunner()) as bridge, pytest.raises(TimeoutError):
        bridge.options(timeout=0.01).run_async(slow)
    assert cleaned == ["up"]


def test_on_a_thread_with_a_running_loop_the_error_names_the_task() -> None:
    """F2: the default is a clear error."""

    async def nothing() -> None:
        """Never runs."""

    async def main() -> None:
        with pytest.raises(RunningLoopError, match="the task 'the culprit'"):
            bridge.run_async(nothing)

    async def named() -> None:
        await asyncio.create_task(main(), name="the culprit")

    with Bridge() as bridge:
        asyncio.run(named())


def test_wake_ups_left_behind_do_not_lose_the_calls_of_a_scope() -> None:
    """A3, R: a host that ended while it ran other work leaves its wake-up in the inbox of the scope that it served."""

    async def wake_up_late() -> None:
        """End while the thread that waits is busy with another call of the scope."""
        other.append(asyncio.create_task(bridge.run_sync(gate)))
        await until(gate.begun.is_set)
        asyncio.get_running_loop().call_later(0, gate.open)

    async def main() -> None:
        with ThreadPoolExecutor(1) as executor:
            async with bridge.thread_sensitive_scope(executor=executor):
                await bridge.run_sync(lambda: bridge.run_async(wake_up_late))
                await asyncio.wait_for(asyncio.gather(*(bridge.run_sync(int) for _ in range(5)), *other), SECONDS)

    other = list[asyncio.Task[object]]()
    with Bridge() as bridge, Gate() as gate:
        asyncio.run(main())


def test_a_closed_loop_is_not_kept_by_what_was_waited_for_on_it(asyncio_errors: list[Any]) -> None:
    """A1, I4: closed under a call that waits, it is forgotten with the next loop."""

    async def main() -> None:
        asyncio.create_task(bridge.run_sync(gate))
        await until(gate.begun.is_set)

    with Bridge() as bridge, Gate() as gate:
        loop = asyncio.new_event_loop()
        loop.run_until_complete(main())
        loop.close()
        seen = weakref.ref(loop)
        del loop
        gate.open()
        asyncio.run(bridge.run_sync(int))
        wait_for(lambda: gc.collect() >= 0 and seen() is None)
    assert all("destroyed" in record.getMessage() for record in asyncio_errors)


class Forgetful:
    """A runner of somebody, on the calling thread, that does not tell the end of a call that was interrupted."""

    def post(self, entry: LoopEntry, /) -> None:
        async def run() -> None:
            await entry.start(asyncio.get_running_loop(), prompt=False)

        asyncio.run(run())
        entry.finish()

    def scope(self) -> LoopRunner:
        return self

    def close(self, grace: float = 2.0, /) -> None:
        """There is nothing to close."""


@pytest.mark.parametrize("make", [PooledLoopRunner, SharedLoopRunner])
def test_closing_a_runner_cancels_the_call_and_releases_its_thread(
    make: Callable[[], PooledLoopRunner | SharedLoopRunner], caplog: pytest.LogCaptureFixture
) -> None:
    """A1: the end of the call and the end of its loop do not get in each other's way."""

    async def inner() -> None:
        begun.set()
        await asyncio.Event().wait()

    begun, runner = threading.Event(), make()
    with Bridge(loop_runner=runner) as bridge:
        waiter = Waiter(bridge, inner)
        thread = threading.Thread(target=waiter, daemon=True)
        thread.start()
        assert begun.wait(SECONDS)
        runner.close(SECONDS)
        thread.join(SECONDS)
        assert isinstance(waiter.outcome, asyncio.CancelledError)
    assert [record.getMessage() for record in caplog.records if "ended badly" in record.getMessage()] == []
    assert len(caplog.records) == 1, "the loop names what it cancels"


@pytest.mark.usefixtures("_impatient")
def test_a_loop_that_is_closed_when_the_coroutine_is_over_releases_its_thread() -> None:
    """A1: the outcome is there, though the runner never says that it has tidied up."""

    class Silent:
        """A runner whose loop ends with the coroutine, and that tells nobody."""

        def post(self, entry: LoopEntry, /) -> None:
            def run() -> None:
                loop = asyncio.new_event_loop()
                start = functools.partial(entry.start, loop, prompt=False)
                loop.call_soon(lambda: start().add_done_callback(lambda _: loop.stop()))
                loop.run_forever()
                loop.close()

            threads.append(threading.Thread(target=run))
            threads[0].start()

        def scope(self) -> LoopRunner:
            return self

        def close(self, grace: float = 2.0, /) -> None:
            """There is nothing to close."""

    threads = list[threading.Thread]()
    with Bridge(loop_runner=Silent()) as bridge:
        assert bridge.run_async(asyncio.sleep, 0.0, "the outcome") == "the outcome"
    threads[0].join(SECONDS)


@pytest.mark.parametrize("runner", [CallingThreadLoopRunner(), Forgetful()], ids=lambda runner: type(runner).__name__)
def test_ctrl_c_in_a_loop_of_the_calling_thread(runner: LoopRunner) -> None:
    """C1, C4: when it is raised that loop is closed, and nobody is left to tell the end of the call."""

    def press() -> None:
        raise KeyboardInterrupt

    async def main() -> None:
        try:
            asyncio.get_running_loop().call_soon(press)
            await asyncio.Event().wait()
        finally:
            events.append("cleaned up")

    events = list[str]()
    with Bridge(loop_runner=runner) as bridge:
        with pytest.raises(KeyboardInterrupt):
            bridge.run_async(main)
        assert events == ["cleaned up"]


@pytest.mark.parametrize("posted", [True, False])
def test_ctrl_c_while_the_call_is_being_posted(posted: bool) -> None:
    """C1: a coroutine that has begun by then cleans up first; one that never was posted is not waited for."""

    class Interrupted:
        """A runner during whose `post` Ctrl-C is pressed."""

        def post(self, entry: LoopEntry, /) -> None:
            if posted:
                loops.post(entry)
                assert begun.wait(SECONDS)
            raise KeyboardInterrupt

        def scope(self) -> LoopRunner:
            return loops.scope()

        def close(self, grace: float = 2.0, /) -> None:
            """There is nothing to close."""

    async def main() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            await asyncio.sleep(0)
            events.append("cleaned up")

    begun, events = threading.Event(), list[str]()
    loops = PerCallLoopRunner()
    with Bridge(loop_runner=Interrupted()) as bridge:
        with pytest.raises(KeyboardInterrupt):
            bridge.run_async(main)
        assert events == ["cleaned up"] * posted
    loops.close()
