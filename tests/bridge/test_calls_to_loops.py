"""Which event loop a call of `async_to_sync` uses, when it is chosen, and what ends the wait for it."""

import asyncio
import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from asgikit import Bridge
from asgikit.loop import BlockingLoopRunner, CallingThreadLoopRunner, PerCallLoopRunner, SharedLoopRunner
from asgikit.testing import ManualClock
from tests.support.held import SECONDS, Held


@pytest.fixture(name="bridge")
def make_bridge() -> Iterator[Bridge]:
    """Give a bridge, and close it."""
    with Bridge() as bridge:
        yield bridge


async def loop_now() -> AbstractEventLoop:
    """Return the running loop."""
    return asyncio.get_running_loop()


def in_thread(function: Callable[[], Any]) -> Any:
    """Call on a new thread and return what it returns."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(function).result(SECONDS)


class RunningLoop:
    """A loop that runs on a thread of its own, as a server's does."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self._run)

    def _run(self) -> None:
        self.loop.run_forever()
        self.loop.close()

    def __enter__(self) -> AbstractEventLoop:
        running = threading.Event()
        self.loop.call_soon(running.set)
        self.thread.start()
        assert running.wait(SECONDS)
        return self.loop

    def __exit__(self, *_: object) -> None:
        if not self.loop.is_closed():
            self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(SECONDS)


# Which


def test_wrapping_chooses_nothing(bridge: Bridge) -> None:
    """F3: the same wrapper, made on a thread with a loop, follows every caller."""

    async def make() -> tuple[Callable[[], AbstractEventLoop], AbstractEventLoop]:
        return bridge.async_to_sync(loop_now), asyncio.get_running_loop()

    wrapper, gone = asyncio.run(make())

    async def warm() -> tuple[AbstractEventLoop, AbstractEventLoop]:
        return await bridge.run_sync(wrapper), asyncio.get_running_loop()

    for _ in range(2):
        found, running = asyncio.run(warm())
        assert found is running is not gone
    assert wrapper() is not gone
    assert in_thread(wrapper) is not gone
    with bridge.loop_scope():
        assert wrapper() is wrapper()


def test_a_function_that_was_wrapped_on_one_loop_is_awaited_on_another(bridge: Bridge) -> None:
    """F3: the other way round."""

    async def make() -> Callable[[], Any]:
        return bridge.sync_to_async(threading.get_ident)

    wrapper = asyncio.run(make())
    assert asyncio.run(wrapper()) == asyncio.run(wrapper())


def test_the_history_of_a_thread_does_not_matter(bridge: Bridge) -> None:
    """F7, A2: the same line gives the same answer, whatever the thread did before."""

    async def warm() -> AbstractEventLoop:
        return await view.run_sync(lambda: bridge.run_async(loop_now))

    with ThreadPoolExecutor(1) as pool:
        view = bridge.options(thread_sensitive=False, executor=pool)
        before = pool.submit(bridge.run_async, loop_now).result(SECONDS)
        ended = asyncio.run(warm())
        after = pool.submit(bridge.run_async, loop_now).result(SECONDS)
    assert len({id(before), id(ended), id(after)}) == 3
    assert before.is_closed()
    assert after.is_closed()


def test_a_loop_scope_is_one_loop_for_every_cold_call(bridge: Bridge) -> None:
    """F1: until it ends; nested ones join; other threads that carry the context too."""
    with bridge.loop_scope():
        loop = bridge.run_async(loop_now)
        with bridge.loop_scope():
            assert bridge.run_async(loop_now) is loop
        assert bridge.run_async(loop_now) is loop

        async def deeper() -> tuple[AbstractEventLoop, AbstractEventLoop]:
            in_sync = await bridge.run_sync(lambda: bridge.run_async(loop_now))
            in_thread = await asyncio.to_thread(bridge.run_async, loop_now)
            return in_sync, in_thread

        assert bridge.run_async(deeper) == (loop, loop)
        assert bridge.async_to_sync(loop_now, force_new_loop=True)() is not loop
        assert asyncio.run(warm_on_its_own(bridge)) is True
    assert loop.is_closed()
    assert bridge.run_async(loop_now) is not loop


async def warm_on_its_own(bridge: Bridge) -> bool:
    """Whether a warm call stays on the caller's loop."""
    return await bridge.run_sync(lambda: bridge.run_async(loop_now)) is asyncio.get_running_loop()


def test_a_loop_scope_keeps_clients_that_are_bound_to_their_loop(bridge: Bridge) -> None:
    """F1: an asyncio lock held in one call is released in another."""
    lock = asyncio.Lock()

    async def release() -> None:
        lock.release()

    async def contend() -> None:
        waiting = asyncio.create_task(lock.acquire())
        await asyncio.sleep(0)
        lock.release()
        await waiting

    with bridge.loop_scope():
        bridge.run_async(lock.acquire)
        bridge.run_async(contend)
        bridge.run_async(release)
    assert not lock.locked()


def test_leaving_a_loop_scope_cancels_what_is_left(bridge: Bridge, caplog: pytest.LogCaptureFixture) -> None:
    """F6: and names it."""

    async def leave() -> None:
        kept.append(asyncio.create_task(asyncio.Event().wait(), name="forgotten"))

    kept: list[object] = []
    with bridge.loop_scope():
        bridge.run_async(leave)
        assert not caplog.records
    (record,) = caplog.records
    assert "forgotten" in record.getMessage()


def test_a_warm_call_leaves_its_tasks_running(bridge: Bridge, caplog: pytest.LogCaptureFixture) -> None:
    """F6: they belong to the loop of the caller, who goes on."""

    async def background() -> int:
        await asyncio.sleep(0)
        return 7

    async def leave() -> "asyncio.Task[int]":
        return asyncio.create_task(background())

    async def main() -> int:
        task = await bridge.run_sync(bridge.async_to_sync(leave))
        return await task

    assert asyncio.run(main()) == 7
    assert not caplog.records


def test_loop_from_a_foreign_thread(bridge: Bridge) -> None:
    """The use that has no other way: results go back to a loop that runs on another thread."""
    with RunningLoop() as loop:
        assert bridge.async_to_sync(loop_now, loop=loop)() is loop
        assert in_thread(bridge.async_to_sync(loop_now, loop=loop)) is loop

        async def calls_back() -> int:
            return await bridge.run_sync(threading.get_ident)

        assert bridge.async_to_sync(calls_back, loop=loop)() == threading.get_ident()


# How long


def test_a_timeout_cancels_waits_for_the_clean_up_and_raises() -> None:
    """F5: TimeoutError after the coroutine's clean-up; the message names the call and the time."""
    clock, events = ManualClock(), list[str]()

    async def slow() -> None:
        try:
            await bridge.run_sync(clock.advance, 2.0)
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await asyncio.sleep(0)
            events.append("cleaned up")
            raise

    with Bridge(clock=clock) as bridge:
        for call in (bridge.async_to_sync(slow, timeout=1.5), bridge.options(timeout=1.5).async_to_sync(slow)):
            with pytest.raises(TimeoutError, match=r"slow did not end within 1\.5 seconds and was cancelled") as caught:
                call()
            assert caught.value.__cause__ is None
            assert events.pop() == "cleaned up"
        with pytest.raises(TimeoutError):
            bridge.options(timeout=0.5).run_async(slow)


def test_a_timeout_in_time_does_nothing() -> None:
    """F5: the result passes."""
    clock = ManualClock()

    async def quick() -> int:
        await bridge.run_sync(clock.advance, 1.0)
        return 7

    with Bridge(clock=clock, stall_report_after=None) as bridge:
        assert bridge.async_to_sync(quick, timeout=1.5)() == 7


def test_an_error_of_the_clean_up_is_the_cause(caplog: pytest.LogCaptureFixture) -> None:
    """F5: it is not lost."""
    clock, error = ManualClock(), LookupError()

    async def slow() -> None:
        try:
            await bridge.run_sync(clock.advance, 2.0)
            await asyncio.Event().wait()
        finally:
            raise error

    with Bridge(clock=clock) as bridge, pytest.raises(TimeoutError) as caught:
        bridge.async_to_sync(slow, timeout=1.0)()
    assert caught.value.__cause__ is error
    assert not caplog.records


def test_a_clean_up_longer_than_the_grace_period_is_left() -> None:
    """F5: the caller is not held up by a coroutine that will not end."""
    clock, ended = ManualClock(), threading.Event()

    async def stubborn() -> None:
        try:
            await bridge.run_sync(clock.advance, 2.0)
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            await bridge.run_sync(clock.advance, 5.0)  # on the thread that waits, so after it has set its deadline
            await asyncio.to_thread(held)
            ended.set()

    with closing(SharedLoopRunner()) as runner, Bridge(clock=clock, shutdown_grace=4.0, loop_runner=runner) as bridge:
        with Held() as held:
            with pytest.raises(TimeoutError):
                bridge.async_to_sync(stubborn, timeout=1.0)()
            assert not ended.is_set()
        assert ended.wait(SECONDS)


def test_a_timeout_is_seen_between_two_hosted_calls() -> None:
    """F5: however much the host has to do."""
    clock, cancelled = ManualClock(), threading.Event()

    def first() -> None:
        clock.advance(2.0)

    def second() -> bool:
        return cancelled.wait(SECONDS)

    async def many() -> None:
        try:
            await asyncio.gather(bridge.run_sync(first), bridge.run_sync(second))
        except asyncio.CancelledError:
            cancelled.set()
            raise

    with Bridge(clock=clock) as bridge:
        with pytest.raises(TimeoutError):
            bridge.async_to_sync(many, timeout=1.0)()
        assert cancelled.is_set()


def test_work_hosted_on_the_calling_thread_is_waited_for() -> None:
    """F5: a thread cannot leave the call that it is running itself."""
    clock, ran = ManualClock(), list[str]()

    def hosted() -> None:
        clock.advance(100.0)
        ran.append("to its end")

    async def call() -> None:
        await bridge.run_sync(hosted)
        await asyncio.Event().wait()

    with Bridge(clock=clock) as bridge, pytest.raises(TimeoutError):
        bridge.async_to_sync(call, timeout=1.0)()
    assert ran == ["to its end"]


# Runners that change what the calling thread does


def test_in_the_calling_thread_the_loop_runs_right_there() -> None:
    """C4: so that a coroutine may install signal handlers; the thread is no host meanwhile."""
    with Bridge(loop_runner=CallingThreadLoopRunner()) as bridge:

        async def here() -> tuple[int, int]:
            return threading.get_ident(), await bridge.run_sync(threading.get_ident)

        thread, home = bridge.run_async(here)
        assert thread == threading.get_ident() != home
        assert bridge.run_async(bridge.sync_to_async(lambda: bridge.run_async(loop_now))).is_closed()


def test_a_running_loop_can_be_blocked_on_purpose() -> None:
    """F2: a policy of its own, never the default."""
    with closing(PerCallLoopRunner()) as inner, Bridge(loop_runner=BlockingLoopRunner(inner)) as bridge:

        def runs_its_own() -> int:
            asyncio.run(loop_now())  # on the thread of the blocked loop, of which it must not see a trace
            return threading.get_ident()

        async def main() -> int:
            before = asyncio.get_running_loop(), asyncio.current_task()
            assert bridge.run_async(loop_now) is not before[0]
            home = bridge.run_async(bridge.sync_to_async(runs_its_own))
            assert (asyncio.get_running_loop(), asyncio.current_task()) == before
            return home

        assert asyncio.run(main()) == threading.get_ident()
