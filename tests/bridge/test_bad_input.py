"""Wrong use is a named error with the remedy in its message, at the earliest moment, and leaves nothing behind.

The guard of `tests/conftest.py` fails a test that leaves a thread, a loop or a "never awaited".
"""

import asyncio
import functools
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import pytest

from asgikit import Bridge
from asgikit.errors import (
    AsgikitError,
    ClosedError,
    ExecutorContractError,
    LoopUnavailableError,
    PartContractError,
    RunningLoopError,
    ScopeError,
    WrapError,
)
from asgikit.executor import InlineExecutor
from asgikit.loop import SharedLoopRunner
from asgikit.protocols import ExecutorLike
from tests.support.held import SECONDS


def sync() -> int:
    return 1


async def coroutine() -> int:
    return 1


def generator() -> Iterator[int]:
    yield 1


def generator_of_class(cls: type[object]) -> Iterator[int]:
    yield 1


def a_class_method() -> "classmethod[object, [], Iterator[int]]":
    return classmethod(generator_of_class)


async def async_generator() -> AsyncIterator[int]:
    yield 1


class AsyncCalling:
    async def __call__(self) -> int:
        return 1


class GeneratorCalling:
    def __call__(self) -> Iterator[int]:
        yield 1

    def method(self) -> Iterator[int]:
        yield 1


# Wrapping

IS_ASYNC = "is async already: await it directly, or use async_to_sync"
GENERATOR = "is a generator function: its body would run on the event loop.*use iterate_async"
ASYNC_GENERATOR = "is an async generator function: iterate it with `async for`, or with iterate_sync"
COROUTINE = "was given a coroutine object; await it, or give the synchronous function to call"
NOT_CALLABLE = "was given .*, which is not callable; give the synchronous function to call"

# What, given as what, and what the error says.
SYNC_TO_ASYNC: dict[str, tuple[Callable[[], Any], str]] = {
    "None's neighbour": (lambda: 3, NOT_CALLABLE),
    "a string": (lambda: "sync", NOT_CALLABLE),
    "a property": (lambda: property(lambda _: 1), NOT_CALLABLE),
    "a coroutine object": (coroutine, COROUTINE),
    "a coroutine function": (lambda: coroutine, IS_ASYNC),
    "a callable object that is async": (AsyncCalling, IS_ASYNC),
    "a bound method that is async": (lambda: AsyncCalling().__call__, IS_ASYNC),
    "a partial of a coroutine function": (lambda: functools.partial(functools.partial(coroutine)), IS_ASYNC),
    "a static method that is async": (lambda: staticmethod(coroutine), IS_ASYNC),
    "a generator function": (lambda: generator, GENERATOR),
    "a method that is a generator": (lambda: GeneratorCalling().method, GENERATOR),
    "a callable object that is a generator": (GeneratorCalling, GENERATOR),
    "a partial of a generator function": (lambda: functools.partial(generator), GENERATOR),
    "a class method that is a generator": (a_class_method, GENERATOR),
    "an async generator function": (lambda: async_generator, ASYNC_GENERATOR),
}
ASYNC_TO_SYNC: dict[str, tuple[Callable[[], Any], str]] = {
    "a number": (lambda: 3, "which is not callable; give the async function to call"),
    "a coroutine object": (
        coroutine,
        r"write (async_to_sync\(coroutine\)\(\.\.\.\)|run_async\(coroutine, \.\.\.\)) instead of",
    ),
    "a generator function": (lambda: generator, "is a generator function and not async; call it directly"),
    "an async generator function": (lambda: async_generator, "has no result to wait for; use iterate_sync"),
    "a callable object that is a generator": (GeneratorCalling, "is a generator function and not async"),
}


@pytest.mark.parametrize("case", SYNC_TO_ASYNC)
def test_sync_to_async_refuses_at_the_wrapping(case: str) -> None:
    """J5, K1: with the remedy in the message, in every form of the wrapper."""
    make, message = SYNC_TO_ASYNC[case]
    bridge = Bridge()
    for wrap in (bridge.sync_to_async, bridge.sync_to_async(), bridge.sync_to_async(thread_sensitive=False)):
        with pytest.raises(WrapError, match=message) as caught:
            wrap(make())
        assert isinstance(caught.value, TypeError)
    if " method that is " not in case:
        with pytest.raises(WrapError, match=message):
            asyncio.run(bridge.run_sync(make()))


@pytest.mark.parametrize("case", ASYNC_TO_SYNC)
def test_async_to_sync_refuses_at_the_wrapping(case: str) -> None:
    """J5, K1: with the remedy in the message, in every form of the wrapper."""
    make, message = ASYNC_TO_SYNC[case]
    bridge = Bridge()
    for wrap in (bridge.async_to_sync, bridge.async_to_sync(), bridge.async_to_sync(timeout=1.0), bridge.run_async):
        with pytest.raises(WrapError, match=message):
            wrap(make())


def test_a_function_that_returns_no_awaitable_is_found_at_the_call() -> None:
    """J5: it cannot be seen before."""
    wrong: Any = sync
    with Bridge() as bridge, pytest.raises(WrapError, match=r"called .*sync, which returned 1 and no awaitable; give"):
        bridge.async_to_sync(wrong)()


# Executors


class WithoutSubmit:
    """No executor."""


class Answering:
    """Has submit, but answers as it pleases."""

    def __init__(self, answer: object) -> None:
        self.answer = answer

    def submit(self, fn: Callable[[], object], /) -> object:
        return self.answer


def test_an_executor_without_submit_is_refused_where_it_is_given() -> None:
    """D2: says what an executor is."""
    bridge = Bridge()
    wrong: Any = WithoutSubmit()
    message = r"is no executor: it has no submit\(fn, \*args, \*\*kwargs\) method; give a concurrent\.futures executor"
    for give in (
        lambda: bridge.sync_to_async(sync, thread_sensitive=False, executor=wrong),
        lambda: bridge.sync_to_async(thread_sensitive=False, executor=wrong),
        lambda: bridge.options(thread_sensitive=False, executor=wrong),
        lambda: bridge.thread_sensitive_scope(executor=wrong),
        lambda: Bridge(worker_pool=wrong),
    ):
        with pytest.raises(ExecutorContractError, match=message):
            give()


def test_the_class_of_an_executor_is_none() -> None:
    """D2: it has a `submit`, but one that wants an instance."""
    wrong: Any = ThreadPoolExecutor
    with pytest.raises(
        ExecutorContractError, match="ThreadPoolExecutor'> is a class and no executor: give an instance"
    ):
        Bridge().options(thread_sensitive=False, executor=wrong)


@pytest.mark.parametrize(
    ("part", "wrong", "words"),
    [
        ("loop_runner", asyncio.new_event_loop, r"has no post\(\); give a runner .* is for its loop_factory="),
        ("loop_runner", SharedLoopRunner, "SharedLoopRunner'> is a class; give an instance"),
        ("sensitive_pool", InlineExecutor(), r"has no lease\(\); give a ThreadSensitivePool"),
        ("clock", time.monotonic, r"has no call_later\(\); give an asgikit.protocols.Clock"),
        ("observer", print, r"has no queued\(\); give an object with the five methods of asgikit.protocols.Observer"),
    ],
)
def test_what_is_no_such_part_is_refused_where_it_is_given(part: str, wrong: object, words: str) -> None:
    """With the remedy; not at the first call, on some other thread."""
    parts: dict[str, Any] = {part: wrong}
    with pytest.raises(PartContractError, match=words):
        Bridge(**parts)
    if part == "observer":
        with pytest.raises(PartContractError, match=words), Bridge().observe(parts[part]):
            raise AssertionError


@pytest.mark.parametrize("answer", [None, 3, asyncio.sleep])
@pytest.mark.parametrize("place", ["call", "options", "scope", "bridge"])
def test_an_executor_that_returns_no_future_is_found_at_the_call(answer: object, place: str) -> None:
    """D2: and names the executor."""
    wrong: Any = Answering(answer)

    async def main() -> object:
        with Bridge(worker_pool=wrong) if place == "bridge" else Bridge() as bridge:
            if place == "call":
                return await bridge.sync_to_async(sync, thread_sensitive=False, executor=wrong)()
            if place == "options":
                return await bridge.options(thread_sensitive=False, executor=wrong).run_sync(sync)
            if place == "bridge":
                return await bridge.options(thread_sensitive=False).run_sync(sync)
            async with bridge.thread_sensitive_scope(executor=wrong):
                return await bridge.run_sync(sync)

    with pytest.raises(ExecutorContractError, match=r"Answering\.submit returned .* instead of a concurrent\.futures"):
        asyncio.run(main())


def test_an_executor_needs_thread_sensitive_false() -> None:
    """E9: and the message says what to do for thread-sensitive work."""
    bridge = Bridge()
    wrap: Any = bridge.sync_to_async
    message = r"add thread_sensitive=False, or give the executor to thread_sensitive_scope\(executor=\.\.\.\)"
    for give in (
        lambda: wrap(sync, executor=InlineExecutor()),
        lambda: wrap(sync, thread_sensitive=True, executor=InlineExecutor()),
        lambda: wrap(executor=InlineExecutor()),
        lambda: bridge.options(executor=InlineExecutor()),
        lambda: bridge.options(thread_sensitive=True, executor=InlineExecutor()),
        lambda: bridge.options(thread_sensitive=False, executor=InlineExecutor()).options(
            thread_sensitive=True, executor=InlineExecutor()
        ),
    ):
        with pytest.raises(TypeError, match=message):
            give()


def test_an_executor_that_was_shut_down_is_an_error_of_the_call() -> None:
    executor = ThreadPoolExecutor(1)
    executor.shutdown()

    async def main() -> None:
        with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
            await bridge.sync_to_async(sync, thread_sensitive=False, executor=executor)()
        async with bridge.thread_sensitive_scope(executor=executor):
            with pytest.raises(RuntimeError, match="cannot schedule new futures after shutdown"):
                await bridge.run_sync(sync)
        assert await bridge.run_sync(sync) == 1

    with Bridge() as bridge:
        asyncio.run(main())


def test_an_executor_that_drops_a_call_is_an_error_of_the_call() -> None:
    class Dropping:
        def submit(self, fn: Callable[[], Any], /) -> "Future[Any]":
            future: Future[Any] = Future()
            future.cancel()
            future.set_running_or_notify_cancel()
            return future

    async def main() -> None:
        from concurrent.futures import CancelledError

        dropping: ExecutorLike = Dropping()
        with pytest.raises(CancelledError):
            await bridge.sync_to_async(sync, thread_sensitive=False, executor=dropping)()
        async with bridge.thread_sensitive_scope(executor=dropping):
            with pytest.raises(CancelledError):
                await bridge.run_sync(sync)

    with Bridge() as bridge:
        asyncio.run(main())


# A closed bridge


def test_a_closed_bridge_refuses_every_crossing() -> None:
    """The message says what to do; nothing is started."""
    bridge = Bridge()
    to_async, to_sync = bridge.sync_to_async(sync), bridge.async_to_sync(coroutine)
    view = bridge.options(thread_sensitive=False)
    bridge.close()
    bridge.close()
    message = "this bridge is closed; make a new one, or keep it open as long as it is used"

    async def main() -> None:
        for call in (to_async, bridge.sync_to_async(sync), view.sync_to_async(sync)):
            with pytest.raises(ClosedError, match=message):
                await call()
        for run in (bridge, view):
            with pytest.raises(ClosedError, match=message):
                await run.run_sync(sync)
        async with bridge.thread_sensitive_scope():
            with pytest.raises(ClosedError, match=message):
                await bridge.run_sync(sync)

    asyncio.run(main())
    for call in (to_sync, lambda: bridge.run_async(coroutine), lambda: view.run_async(coroutine)):
        with pytest.raises(ClosedError, match=message):
            call()


def test_a_bridge_closes_the_parts_that_it_made_and_no_others() -> None:
    shared, pool = SharedLoopRunner(), ThreadPoolExecutor(1)

    async def main() -> int:
        async with Bridge(loop_runner=shared, worker_pool=pool) as bridge:
            return await bridge.sync_to_async(sync, thread_sensitive=False)()

    assert asyncio.run(main()) == 1
    assert pool.submit(int).result(SECONDS) == 0
    with Bridge(loop_runner=shared) as bridge:
        assert bridge.run_async(coroutine) == 1
    shared.close()
    pool.shutdown()


# Loops


def test_a_closed_or_stopped_loop_is_refused() -> None:
    """F7: with the state that it is in."""
    with Bridge() as bridge:
        stopped = asyncio.new_event_loop()
        with pytest.raises(LoopUnavailableError, match=r"the loop given for .*coroutine is not running; give one that"):
            bridge.async_to_sync(coroutine, loop=stopped)()
        stopped.close()
        for call in (
            bridge.async_to_sync(coroutine, loop=stopped),
            bridge.options(loop=stopped).async_to_sync(coroutine),
        ):
            with pytest.raises(LoopUnavailableError, match=r"is closed; give one that runs on another thread, or none"):
                call()
        assert bridge.run_async(coroutine) == 1


def test_force_new_loop_and_a_loop_exclude_each_other() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    with pytest.raises(TypeError, match="exclude each other; give one of them"):
        Bridge().async_to_sync(coroutine, force_new_loop=True, loop=loop)


def test_on_a_thread_that_runs_a_loop_async_to_sync_says_to_await() -> None:
    """F2: names the task; in a callback, that it is one. Also for the loop's own thread given as `loop=`."""
    bridge = Bridge()

    async def main() -> None:
        loop = asyncio.get_running_loop()
        call: Callable[[], int]
        for call in (
            bridge.async_to_sync(coroutine),
            bridge.async_to_sync(coroutine, force_new_loop=True),
            bridge.async_to_sync(coroutine, loop=loop),
            lambda: bridge.run_async(coroutine),
        ):
            with pytest.raises(
                RunningLoopError, match=r"in the task 'the task': await .*coroutine there instead, or call"
            ):
                call()
        error: asyncio.Future[BaseException] = loop.create_future()

        def callback() -> None:
            try:
                bridge.run_async(coroutine)
            except RunningLoopError as raised:
                error.set_result(raised)

        loop.call_soon(callback)
        assert "in a callback of the loop" in str(await error)

    async def named() -> None:
        await asyncio.create_task(main(), name="the task")

    asyncio.run(named())


def test_awaiting_outside_asyncio_is_an_error_and_not_a_hang() -> None:
    bridge = Bridge()
    for awaited in (bridge.sync_to_async(sync)(), bridge.run_sync(sync)):
        with pytest.raises(LoopUnavailableError, match="outside a running asyncio event loop; run it under asyncio"):
            awaited.send(None)


# Scopes


def test_a_scope_object_is_for_one_block() -> None:
    """E6: entering it again is refused with a clear error, inside and afterwards."""

    async def main() -> None:
        scope = bridge.thread_sensitive_scope()
        async with scope:
            with pytest.raises(ScopeError, match="was entered before; make a new one for every `with`"):
                await scope.__aenter__()
            assert await bridge.run_sync(sync) == 1
        with pytest.raises(ScopeError, match="was entered before"):
            await scope.__aenter__()

    with Bridge() as bridge:
        asyncio.run(main())
        loops = bridge.loop_scope()
        with loops:
            with pytest.raises(ScopeError, match="was entered before"):
                loops.__enter__()
            assert bridge.run_async(coroutine) == 1


def test_a_task_that_outlives_a_scope_with_an_executor_is_told() -> None:
    """A7: it was told to use no other thread, so it is an error that says what to do."""

    async def main() -> None:
        go = asyncio.Event()

        async def late() -> int:
            await go.wait()
            return await bridge.run_sync(sync)

        async with bridge.thread_sensitive_scope(executor=executor):
            task = asyncio.create_task(late())
            assert await bridge.run_sync(sync) == 1
        go.set()
        with pytest.raises(ScopeError, match=r"has exited.*await the task inside the scope, or start it outside"):
            await task

    with Bridge() as bridge, ThreadPoolExecutor(1) as executor:
        asyncio.run(main())


# The door


@pytest.mark.parametrize("name", ["sync_to_async", "async_to_sync"])
def test_the_front_door_has_no_global_wrappers(name: str) -> None:
    """And says how to get a bridge; other names are missing as names are."""
    import asgikit

    with pytest.raises(
        ImportError, match=rf"asgikit has no global {name}: make a bridge, `bridge = asgikit\.Bridge\(\)`"
    ):
        exec(f"from asgikit import {name}")
    with pytest.raises(AttributeError, match="has no attribute 'async_to_asinc'"):
        _ = asgikit.async_to_asinc  # type: ignore[attr-defined] # that is the point


@pytest.mark.parametrize("policy", ["copy", "Propagate"])
def test_a_context_policy_that_is_none(policy: Any) -> None:
    gives: list[Callable[[], object]] = [
        lambda: Bridge(context_policy=policy),
        lambda: Bridge().options(context_policy=policy),
    ]
    for give in gives:
        with pytest.raises(ValueError, match="must be one of propagate, isolate, shared, not"):
            give()


def test_every_error_is_in_one_tree() -> None:
    for error in (ClosedError, ExecutorContractError, LoopUnavailableError, RunningLoopError, ScopeError, WrapError):
        assert issubclass(error, AsgikitError)
        assert issubclass(error, TypeError | RuntimeError)
    assert threading.active_count() == 1
