"""Both wrappers of the drop-in as objects: names, methods, marks, attributes, and what agents patch."""

import asyncio
import contextvars
import functools
import gc
import inspect
import math
import sys
import threading
import weakref
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any

import pytest

from asgikit.compat.asgiref import default_bridge
from asgikit.compat.asgiref.sync import (
    AsyncSingleThreadContext,
    AsyncToSync,
    SyncToAsync,
    ThreadSensitiveContext,
    async_to_sync,
    iscoroutinefunction,
    markcoroutinefunction,
    sync_to_async,
)
from tests.support.interpreter import free_threaded


def add(a: int, b: int = 2) -> int:
    """Add."""
    return a + b


async def fetch(a: int, b: int = 2) -> int:
    """Fetch."""
    return a + b


def thread() -> threading.Thread:
    return threading.current_thread()


class Shop:
    @sync_to_async
    def count(self, more: int) -> tuple["Shop", int]:
        """Count."""
        return self, more

    @async_to_sync
    async def ask(self, more: int) -> tuple["Shop", int]:
        """Ask."""
        return self, more


def test_names_docs_and_signatures() -> None:
    """J1: both directions look like what they wrap."""
    for wrapper, function in ((sync_to_async(add), add), (async_to_sync(fetch), fetch)):
        assert (wrapper.__name__, wrapper.__doc__) == (function.__name__, function.__doc__)
        assert inspect.signature(wrapper) == inspect.signature(function)


def test_methods() -> None:
    """J2, J3: a wrapped method binds, is found on the class, and its signature has no self."""
    shop = Shop()
    assert asyncio.run(shop.count(1)) == (shop, 1)
    assert shop.ask(1) == (shop, 1)
    assert asyncio.run(Shop.count(shop, 1)) == (shop, 1)
    assert Shop.ask(shop, 1) == (shop, 1)
    assert list(inspect.signature(shop.count).parameters) == ["more"]
    assert list(inspect.signature(shop.ask).parameters) == ["more"]
    assert (shop.count.__doc__, shop.ask.__name__) == ("Count.", "ask")
    assert getattr(sync_to_async(shop.__str__), "__self__") is shop  # noqa: B009 - not of a Callable


def test_marks() -> None:
    """J4: exactly the async side is a coroutine function, also where the one wraps the other."""
    assert iscoroutinefunction(sync_to_async(add))
    assert iscoroutinefunction(Shop().count)
    assert inspect.iscoroutinefunction(Shop().count)  # what others ask, on 3.11 too
    assert inspect.iscoroutinefunction(Shop.count)
    assert not iscoroutinefunction(async_to_sync(fetch))
    assert not iscoroutinefunction(async_to_sync(sync_to_async(add)))
    assert iscoroutinefunction(markcoroutinefunction(lambda: fetch(1)))
    assert iscoroutinefunction(markcoroutinefunction(type("Marked", (), {})))


def test_any_keyword_passes() -> None:
    """J6: names that the machinery has parameters for."""
    words = dict.fromkeys(
        ("loop", "context", "func", "job", "home", "exc_info", "task_context", "awaitable", "free"), 1
    )

    def collect(**more: int) -> dict[str, int]:
        return more

    async def collect_async(**more: int) -> dict[str, int]:
        return more

    assert asyncio.run(sync_to_async(collect)(**words)) == words
    assert async_to_sync(collect_async)(**words) == words


def test_decorators_with_arguments() -> None:
    @sync_to_async(thread_sensitive=False)
    def free(a: int) -> int:
        return a

    @async_to_sync(force_new_loop=True)
    async def fresh(a: int) -> int:
        return a

    assert asyncio.run(free(1)) == fresh(1) == 1


def test_the_synchronous_part_of_an_unmarked_callable_runs_where_it_was_called() -> None:
    """J5: accepted, with asgiref's warning; what it does before it returns the awaitable belongs to the caller."""
    seen: list[threading.Thread] = []

    def prepare(a: int) -> Awaitable[int]:
        seen.append(thread())
        return fetch(a)

    with pytest.warns(UserWarning, match="async_to_sync was passed a non-async-marked callable"):
        wrapped = async_to_sync(prepare)
    assert wrapped(1) == 3
    assert seen == [threading.current_thread()]


def test_a_process_pool() -> None:
    """D2: what is pickled is the user's call alone."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        assert asyncio.run(sync_to_async(math.factorial, thread_sensitive=False, executor=pool)(5)) == 120


# What the callee sees as the handled exception


def look() -> tuple[BaseException | None, BaseException | None]:
    seen = sys.exception()
    try:
        raise KeyError
    except KeyError as error:
        return seen, error.__context__


async def look_async() -> tuple[BaseException | None, BaseException | None]:
    await asyncio.sleep(0)
    return look()


def test_the_handled_exception_is_seen_and_not_touched() -> None:
    """I3, B7: `sys.exception()` on the other side, in both directions, and the exception is as it was."""

    async def main() -> None:
        error = ValueError("boom")
        try:
            raise error
        except ValueError:
            before = error.__traceback__
            assert await sync_to_async(look)() == (error, error)
            assert await sync_to_async(look, thread_sensitive=False)() == (error, error)
            assert error.__traceback__ is before
            assert error.__context__ is None
        assert await sync_to_async(look)() == (None, None)

    asyncio.run(main())
    try:
        raise LookupError
    except LookupError as error:
        assert async_to_sync(look_async)() == (error, error)  # noqa: PT017 - it is about being inside `except`
    assert async_to_sync(look_async)() == (None, None)


def test_what_is_raised_while_one_is_handled() -> None:
    """I3: the new exception has the handled one as its context, and the worker forgets it afterwards."""

    def fail() -> None:
        raise KeyError("new")

    async def main() -> None:
        try:
            raise ValueError("old")
        except ValueError as old:
            with pytest.raises(KeyError) as caught:
                await sync_to_async(fail)()
            assert caught.value.__context__ is old  # noqa: PT017 - the same
        assert await sync_to_async(sys.exception)() is None

    asyncio.run(main())


class Watched(Exception):
    """Can be referred to weakly."""


class MainWrap(AsyncToSync[..., Any]):
    async def main_wrap(self, *args: Any, **kwargs: Any) -> None:
        await super().main_wrap(*args, **kwargs)


def raise_it() -> None:
    raise Watched


async def raise_it_async() -> None:
    raise Watched


def fails(call: Callable[[], object]) -> "weakref.ref[BaseException]":
    try:
        raise LookupError
    except LookupError:
        try:
            call()
        except Watched as error:
            return weakref.ref(error)
    pytest.fail("it should have failed")


@pytest.mark.parametrize(
    "call",
    [
        async_to_sync(raise_it_async),
        pytest.param(
            MainWrap(raise_it_async),
            marks=pytest.mark.skipif(
                free_threaded() and sys.version_info < (3, 14),
                reason="3.13 without the GIL: frames keep that of the override, whose arguments hold the future",
            ),
        ),
        async_to_sync(sync_to_async(raise_it)),
        async_to_sync(sync_to_async(raise_it, thread_sensitive=False)),
    ],
    ids=["async_to_sync", "main_wrap", "sync_to_async", "free"],
)
def test_exceptions_are_freed_by_counting(call: Callable[[], object]) -> None:
    """I2: no cycle is left behind, also while another exception is being handled."""
    fails(call)  # makes what is made with the first use
    gc.disable()
    try:
        dropped = fails(call)
        if free_threaded():  # then what another thread has made is freed when that thread comes by
            fails(call)
        assert dropped() is None
    finally:
        gc.enable()


# What frameworks and agents reach into


def test_thread_handler_overridden_as_channels_does() -> None:
    """J8: around every call, on its thread, with `super()`."""
    seen: list[Any] = []

    class Closing(SyncToAsync[..., Any]):
        def thread_handler(self, loop: asyncio.AbstractEventLoop, *args: Any, **kwargs: Any) -> Any:
            seen.append((loop, thread()))
            try:
                return super().thread_handler(loop, *args, **kwargs)
            finally:
                seen.append("after")

    async def main() -> None:
        ran = await Closing(thread)()
        assert seen == [(asyncio.get_running_loop(), ran), "after"]

    asyncio.run(main())


def test_call_patched_as_agents_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """J8: an agent adds a keyword in `__call__` and takes it out of the partial in `thread_handler`."""
    call: Any = vars(SyncToAsync)["__call__"]
    handler: Any = vars(SyncToAsync)["thread_handler"]
    seen: list[object] = []

    async def patched_call(self: SyncToAsync[..., Any], *args: Any, **kwargs: Any) -> Any:
        return await call(self, *args, _agent="context", **kwargs)

    def patched_handler(
        self: SyncToAsync[..., Any], loop: Any, exc_info: Any, task_context: Any, func: Any, child: Any
    ) -> Any:
        assert isinstance(child, functools.partial)
        seen.append((child.keywords.pop("_agent"), child.func, child.args))
        return handler(self, loop, exc_info, task_context, func, child)

    monkeypatch.setattr(SyncToAsync, "__call__", patched_call)
    monkeypatch.setattr(SyncToAsync, "thread_handler", patched_handler)
    assert asyncio.run(sync_to_async(add)(1)) == 3
    assert seen == [("context", add, (1,))]


def test_main_wrap_overridden() -> None:
    """J8: the other private hook is called if somebody overrides it."""
    seen: list[str] = []

    class Watching(AsyncToSync[..., Any]):
        async def main_wrap(self, call_result: "Future[Any]", *args: Any, **kwargs: Any) -> None:
            seen.append("before")
            await super().main_wrap(call_result, *args, **kwargs)

    async def fail() -> None:
        raise KeyError

    assert Watching(fetch)(1) == 3
    with pytest.raises(KeyError):
        Watching(fail)()
    assert seen == ["before", "before"]


def test_the_single_thread_executor_is_where_calls_run() -> None:
    """E1: the default worker, as an executor."""
    ran = asyncio.run(sync_to_async(thread)())
    assert SyncToAsync.single_thread_executor.submit(thread).result(10) is ran
    assert default_bridge() is default_bridge()


def test_a_replaced_single_thread_executor_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with ThreadPoolExecutor(1, thread_name_prefix="mine") as pool:
        monkeypatch.setattr(SyncToAsync, "single_thread_executor", pool)
        assert asyncio.run(sync_to_async(thread)()).name.startswith("mine")
        assert async_to_sync(sync_to_async(thread))() is threading.current_thread()  # a synchronous caller comes first


def test_scopes_are_registered() -> None:
    """A2, E6: what encloses the code can be read off the class attributes, and nothing stays."""

    async def main() -> None:
        context = ThreadSensitiveContext()
        ran = threading.current_thread()
        for _ in range(2):  # one object, one block after the other
            async with context:
                ran = await sync_to_async(thread)()
                assert SyncToAsync.thread_sensitive_context.get() is context
                executor: Any = SyncToAsync.context_to_thread_executor[context]
                assert await asyncio.wrap_future(executor.submit(thread)) is ran
                async with context:  # inside itself: it joins
                    assert await sync_to_async(thread)() is ran
                assert await sync_to_async(thread)() is ran
            assert context not in SyncToAsync.context_to_thread_executor
        assert SyncToAsync.thread_sensitive_context.get(None) is None
        assert await sync_to_async(thread)() is not ran

    asyncio.run(main())


def test_a_scope_with_an_executor_is_entered_once() -> None:
    """E6: and it says so in the words that programs look for."""

    async def main() -> None:
        async with context:
            with pytest.raises(RuntimeError, match="already entered"):
                await context.__aenter__()
        with pytest.raises(RuntimeError, match="cannot be entered again"):
            await context.__aenter__()

    with ThreadPoolExecutor(1) as executor:
        context = ThreadSensitiveContext(executor=executor)
        asyncio.run(main())


def test_a_scope_left_in_another_context() -> None:
    """A7, E6: as test fixtures do; what is called there afterwards has a thread."""
    context = ThreadSensitiveContext()

    async def main() -> None:
        await asyncio.create_task(context.__aenter__())
        await context.__aexit__(None, None, None)
        assert context not in SyncToAsync.context_to_thread_executor
        assert await sync_to_async(add)(1) == 3

    asyncio.run(main())


def test_loops_and_hosts_are_registered() -> None:
    """A2: the main event loop of a worker is there while a call runs, and only then."""
    seen: list[object] = []

    async def inner() -> None:
        loop = asyncio.get_running_loop()
        seen.append(AsyncToSync.loop_thread_executors[loop] is AsyncToSync.executors.current is not None)
        await sync_to_async(lambda: seen.append(SyncToAsync.threadlocal.main_event_loop is loop))()

    async_to_sync(inner)()
    assert seen == [True, True]
    assert not AsyncToSync.loop_thread_executors
    assert not hasattr(SyncToAsync.threadlocal, "main_event_loop")
    assert AsyncToSync.executors.current is None


def test_the_threadlocal_of_the_class_is_one() -> None:
    """J8: what a program puts there is of that thread; the main event loop too, where asgiref itself puts none."""
    local: Any = SyncToAsync.threadlocal
    local.main_event_loop = local.other = "mine"
    try:
        assert not asyncio.run(sync_to_async(lambda: hasattr(local, "other"))())
        assert (local.main_event_loop, local.other) == ("mine", "mine")
    finally:
        del local.main_event_loop, local.other
    with pytest.raises(AttributeError, match="main_event_loop"):
        _ = local.main_event_loop


def test_deadlock_context_is_there_and_means_nothing() -> None:
    """A6: users set it to escape false alarms; there are none."""
    token = SyncToAsync.deadlock_context.set(True)
    try:
        assert asyncio.run(sync_to_async(add)(1)) == 3
    finally:
        SyncToAsync.deadlock_context.reset(token)


def test_async_single_thread_context_nests() -> None:
    """E6, F1: one loop for the outermost block, whichever object is entered again."""

    async def loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    context = AsyncSingleThreadContext()
    with context:
        first = async_to_sync(loop)()
        with context, AsyncSingleThreadContext():
            assert async_to_sync(loop)() is first
        assert async_to_sync(loop)() is first
    assert first.is_closed()


def test_calls_behind_an_abandoned_one_wait() -> None:
    """B5: the drop-in queues them, as asgiref does, where the native pool replaces the thread."""
    started, release = threading.Event(), threading.Event()

    def hold() -> None:
        started.set()
        release.wait(10)

    async def main() -> None:
        held = asyncio.create_task(sync_to_async(hold)())
        await asyncio.to_thread(started.wait, 10)
        held.cancel()
        with pytest.raises(asyncio.CancelledError):
            await held
        behind = asyncio.create_task(sync_to_async(add)(1))
        await asyncio.sleep(0)
        assert not behind.done()
        release.set()
        assert await asyncio.wait_for(behind, 10) == 3

    asyncio.run(main())


def test_asyncio_run_inside_sensitive_code() -> None:
    """A4: a sync view that calls `asyncio.run`, whose coroutine calls sync code, inside a ThreadSensitiveContext."""

    def view() -> tuple[threading.Thread, threading.Thread]:
        return thread(), asyncio.run(sync_to_async(thread)())

    async def main() -> None:
        async with ThreadSensitiveContext():
            outer, inner = await asyncio.wait_for(sync_to_async(view)(), 10)
            assert outer is inner

    asyncio.run(main())


def test_reports_name_the_function(caplog: pytest.LogCaptureFixture) -> None:
    """A9, B3: an error that comes too late is logged under the name of the user's function."""
    started, release = threading.Event(), threading.Event()

    def slow() -> None:
        started.set()
        release.wait(10)
        raise KeyError("too late")

    async def main() -> None:
        task = asyncio.create_task(sync_to_async(slow)())
        await asyncio.to_thread(started.wait, 10)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        release.set()
        await sync_to_async(add)(1)

    asyncio.run(main())
    assert "test_reports_name_the_function.<locals>.slow failed after its caller had stopped waiting" in caplog.text


def test_errors_name_the_function() -> None:
    """F2: the remedy names what to await."""

    async def main() -> None:
        call: Callable[[int], int] = async_to_sync(fetch)
        with pytest.raises(RuntimeError, match=r"await .*fetch"):
            call(1)

    asyncio.run(main())


def test_a_task_with_an_empty_context_belongs_to_the_caller_that_waits_for_its_loop() -> None:
    """O7: as the application of a communicator has in a synchronous test, on whose thread the database is."""

    async def application() -> list[threading.Thread]:
        return [await sync_to_async(thread)(), await sync_to_async(nested)()]

    async def test() -> list[threading.Thread]:
        return await asyncio.get_running_loop().create_task(application(), context=contextvars.Context())

    async def asked() -> threading.Thread:
        return await sync_to_async(thread)()

    def nested() -> threading.Thread:
        return async_to_sync(asked)()

    here = threading.current_thread()
    assert async_to_sync(test)() == [here, here]
    assert here not in asyncio.run(test())
