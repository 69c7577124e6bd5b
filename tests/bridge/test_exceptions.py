"""What one side raises is what the other side sees: the same object, with little added and nothing kept."""

import asyncio
import concurrent.futures
import gc
import sys
import threading
import traceback
import weakref
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from asgikit import Bridge
from asgikit.errors import RunningLoopError
from tests.support.interpreter import free_threaded

Cross = Callable[[Bridge, Callable[[], object]], object]


def to_async(bridge: Bridge, function: Callable[[], object], *, thread_sensitive: bool = True) -> object:
    """Cross from async code to `function`."""
    return asyncio.run(bridge.sync_to_async(function, thread_sensitive=thread_sensitive)())


def to_sync(bridge: Bridge, function: Callable[[], object]) -> object:
    """Cross from synchronous code to a coroutine that calls `function`."""

    async def coroutine() -> object:
        return function()

    return bridge.async_to_sync(coroutine)()


def both(bridge: Bridge, function: Callable[[], object]) -> object:
    """Cross to a coroutine and from there back to this thread, which hosts."""
    return bridge.async_to_sync(bridge.sync_to_async(function))()


async def later(function: Callable[[], object]) -> object:
    """Call it, in a coroutine."""
    return function()


WAYS: dict[str, Cross] = {
    "sync_to_async": to_async,
    "sync_to_async, free": lambda bridge, function: to_async(bridge, function, thread_sensitive=False),
    "async_to_sync": to_sync,
    "both": both,
    "sync_caller": lambda bridge, function: asyncio.run(bridge.sync_caller()(function)),
    "async_caller": lambda bridge, function: bridge.async_caller()(later, function),
}
every_way = pytest.mark.parametrize("way", WAYS)


class Raised(Exception):
    """What is raised here."""


@every_way
@pytest.mark.parametrize(
    "error", [Raised(), concurrent.futures.CancelledError(), TimeoutError(), StopAsyncIteration(), GeneratorExit()]
)
def test_the_very_object_arrives(way: str, error: BaseException) -> None:
    """B6: of whatever type; a CancelledError of concurrent.futures is an exception like others."""

    def fail() -> None:
        raise error

    with Bridge() as bridge:
        with pytest.raises(type(error)) as caught:
            WAYS[way](bridge, fail)
        assert caught.value is error


def test_a_cancelled_error_of_a_library_does_not_cancel_the_task() -> None:
    """B6: `except Exception` catches it, and the task goes on."""

    def fail() -> None:
        raise concurrent.futures.CancelledError

    async def main() -> str:
        try:
            await bridge.run_sync(fail)
        except Exception as error:
            await asyncio.sleep(0)
            task = asyncio.current_task()
            assert task is not None
            assert not task.cancelling()
            return type(error).__module__
        return "nothing"

    with Bridge() as bridge:
        assert asyncio.run(main()) == "concurrent.futures._base"


@pytest.mark.parametrize("way", ["sync_to_async", "sync_to_async, free", "both"])
def test_stop_iteration_arrives_as_runtime_error(way: str) -> None:
    """I6: with the cause set, on every Python; it does not hang the one who waits."""
    with Bridge() as bridge:
        with pytest.raises(RuntimeError) as caught:
            WAYS[way](bridge, lambda: next(iter(())))
        assert isinstance(caught.value.__cause__, StopIteration)


@every_way
def test_a_traceback_grows_by_two_frames_at_most(way: str) -> None:
    """I5: and shows where it was raised."""

    def fail() -> None:
        raise Raised

    with Bridge() as bridge:
        with pytest.raises(Raised) as caught:
            WAYS[way](bridge, fail)
        frames = traceback.extract_tb(caught.value.__traceback__)
        assert frames[-1].name == "fail"
        ours = [frame for frame in frames if "asgikit" in frame.filename and "tests" not in frame.filename]
        assert len(ours) <= (4 if way == "both" else 2)


def fail() -> None:
    """Raise an error of its own."""
    raise Raised


def caught(function: Callable[[], object]) -> "weakref.ref[Raised]":
    """Call, catch, and drop the error."""
    try:
        function()
    except Raised as error:
        return weakref.ref(error)
    raise AssertionError


async def acaught(function: Callable[[], Awaitable[object]]) -> "weakref.ref[Raised]":
    """The same in a task, whose own traceback asyncio would keep in a cycle."""
    try:
        await function()
    except Raised as error:
        return weakref.ref(error)
    raise AssertionError


async def afail() -> None:
    """Raise an error of its own."""
    raise Raised


def test_an_error_is_freed_when_it_is_dropped() -> None:
    """I2: by counting references, without the collector; also through several crossings."""
    gc.disable()
    try:
        with Bridge() as bridge:

            def deep() -> None:
                bridge.run_async(bridge.sync_to_async(fail))

            async def main() -> None:
                for function in (fail, deep):
                    for sensitive in (True, False):
                        dropped = await acaught(bridge.sync_to_async(function, thread_sensitive=sensitive))
                        await bridge.sync_to_async(int, thread_sensitive=sensitive)()  # the worker has gone on
                        assert dropped() is None

            asyncio.run(main())
            for function in (afail, bridge.sync_to_async(fail), bridge.sync_to_async(deep)):
                dropped = caught(bridge.async_to_sync(function))
                if free_threaded():  # then what another thread has made is freed when that thread comes by
                    caught(bridge.async_to_sync(function))
                assert dropped() is None
    finally:
        gc.enable()


@every_way
def test_a_kept_error_keeps_no_thread_and_no_pool(way: str) -> None:
    """I1: nothing of asgikit is among the local variables of its frames."""

    def fail() -> None:
        raise Raised

    with Bridge() as bridge, pytest.raises(Raised) as caught:
        WAYS[way](bridge, fail)
    traceback_ = caught.value.__traceback__
    while traceback_ is not None:
        frame = traceback_.tb_frame
        if "tests" not in frame.f_code.co_filename:
            kept = {type(value).__module__.partition(".")[0] for value in frame.f_locals.values()}
            assert not kept & {"asgikit", "threading"}, frame
        traceback_ = traceback_.tb_next


@every_way
def test_inside_an_except_block_all_is_as_outside(way: str) -> None:
    """B7, I3: the function runs as ever, and the exception being handled is left as it was."""
    handled = Raised("handled")
    with Bridge() as bridge:
        try:
            raise handled
        except Raised:
            before = list(traceback.walk_tb(handled.__traceback__))
            assert WAYS[way](bridge, lambda: 7) == 7
            with pytest.raises(ValueError, match="not in tuple") as caught:
                WAYS[way](bridge, lambda: (1,).index(2))
            assert sys.exc_info()[1] is handled
            assert list(traceback.walk_tb(handled.__traceback__)) == before
            assert handled.__context__ is handled.__cause__ is None
            assert caught.value.__cause__ is None


@pytest.mark.parametrize("error", [asyncio.CancelledError(), KeyboardInterrupt(), GeneratorExit()])
def test_an_exception_in_flight_does_not_stop_the_call(error: BaseException) -> None:
    """B7: a clean-up that crosses runs normally, whatever is being handled."""

    async def main() -> int:
        try:
            raise error
        except BaseException:
            return await bridge.run_sync(int, "7")

    with Bridge() as bridge:
        assert asyncio.run(main()) == 7
        try:
            raise error
        except BaseException:
            assert bridge.run_async(bridge.sync_to_async(len), "seven") == 5


def test_the_callee_does_not_see_what_the_caller_handles() -> None:
    """I3: `sys.exc_info()` on the other side is that side's own."""
    with Bridge() as bridge:
        try:
            raise Raised
        except Raised:
            assert WAYS["sync_to_async"](bridge, sys.exc_info) == (None, None, None)
            assert WAYS["async_to_sync"](bridge, sys.exc_info) == (None, None, None)


def test_an_error_of_the_executor_is_the_outcome_of_the_call() -> None:
    """A8: what fails between the call and its first step reaches the one who waits."""

    def initialize() -> None:
        raise Raised

    async def main() -> None:
        with pytest.raises(concurrent.futures.BrokenExecutor):
            await bridge.sync_to_async(int, thread_sensitive=False, executor=broken)()
        with pytest.raises(concurrent.futures.BrokenExecutor):
            async with bridge.thread_sensitive_scope(executor=broken):
                await bridge.run_sync(int)

    with Bridge() as bridge, ThreadPoolExecutor(1, initializer=initialize) as broken:
        asyncio.run(main())


def test_a_refused_crossing_leaves_the_thread_as_it_was() -> None:
    """A6: after an error at the call itself the thread is as fresh as before."""

    async def one() -> int:
        return 1

    async def main() -> None:
        with pytest.raises(RunningLoopError):
            bridge.run_async(one)
        assert await bridge.run_sync(lambda: bridge.run_async(one)) == 1

    with Bridge() as bridge:
        asyncio.run(main())
        assert bridge.run_async(one) == 1
    assert threading.active_count() == 1
