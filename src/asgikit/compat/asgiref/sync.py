"""`asgiref.sync`: both wrappers as classes, and the two scopes, on the default bridge.

Which thread and which loop a call gets, context variables, cancellation: all that is the bridge's. Here stand
asgiref's names, and the attributes that frameworks and monitoring agents reach into.
"""

import asyncio
import contextlib
import functools
import inspect
import sys
import threading
import warnings
import weakref
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from contextvars import Context, ContextVar, Token, copy_context
from operator import call
from types import MethodType, TracebackType
from typing import Any, Concatenate, Final, Generic, Never, ParamSpec, Self, TypeAlias, TypeGuard, TypeVar, overload

from asgikit import bridge, protocols
from asgikit import executor as native
from asgikit.compat.asgiref import _default, _handled

__all__ = (
    "AsyncSingleThreadContext",
    "AsyncToSync",
    "SyncToAsync",
    "ThreadSensitiveContext",
    "async_to_sync",
    "iscoroutinefunction",
    "markcoroutinefunction",
    "sync_to_async",
)

_P = ParamSpec("_P")
_Q = ParamSpec("_Q")
_R = TypeVar("_R")
_S = TypeVar("_S")
_F = TypeVar("_F", bound=Callable[..., object])
_Coro: TypeAlias = Coroutine[Never, object, _R]
_ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

_asks: Final = inspect.iscoroutinefunction if sys.version_info >= (3, 12) else asyncio.iscoroutinefunction


def iscoroutinefunction(func: Any) -> TypeGuard[Callable[..., Coroutine[Any, Any, Any]]]:
    """Whether `func` is `async def`, or was marked by `markcoroutinefunction`."""
    return _asks(func)


def markcoroutinefunction(func: _F) -> _F:
    """Have `iscoroutinefunction` answer True for `func`, which returns an awaitable without being `async def`."""
    if sys.version_info >= (3, 12):
        return inspect.markcoroutinefunction(func)
    else:  # noqa: RET505 - so that checkers leave out what is for another version
        vars(func)["_is_coroutine"] = getattr(asyncio.coroutines, "_is_coroutine")  # noqa: B009 - unknown to typeshed
        return func


def _is_async(function: Any) -> bool:
    return iscoroutinefunction(function) or iscoroutinefunction(getattr(function, "__call__", function))  # noqa: B004 - its own


def _copy_self(wrapper: Any, function: Any) -> None:
    """Let the wrapper of a method show whose it is."""
    if hasattr(function, "__self__"):
        wrapper.__self__ = function.__self__


def _is_sync(function: Any) -> bool:
    return callable(function) and not _is_async(function)


class _Job:
    """What the bridge runs for a wrapper: named like the user's function, and pickled as the user's call alone."""

    __slots__ = ("_arguments", "_child", "_run")

    def __init__(self, run: Callable[..., Any], child: "functools.partial[Any]", *arguments: Any) -> None:
        self._run = run
        self._child = child
        self._arguments = arguments

    @property
    def __func__(self) -> Any:
        """The function that a report names, as it names that of a method."""
        function = self._child.func
        while isinstance(function, functools.partial):
            function = function.func
        return function

    def __call__(self) -> Any:
        return self._run(*self._arguments, self._child)

    def __repr__(self) -> str:
        return repr(self.__func__)

    def __reduce__(self) -> tuple[Any, ...]:
        return (functools.partial, (call, self._child))


def _itself(value: _S) -> _S:
    return value


class AsyncSingleThreadContext:
    """A block of synchronous code in which all `async_to_sync` calls that need a new loop share one.

    The loop has a thread of its own and ends with the block. A block inside another one joins it.
    """

    def __init__(self) -> None:
        self.token: Token[AsyncSingleThreadContext] | None = None
        self._open: list[tuple[bridge.LoopScope, Token[AsyncSingleThreadContext] | None]] = []

    def __enter__(self) -> Self:
        scope = _default.default_bridge().loop_scope()
        scope.__enter__()
        variable = AsyncToSync.async_single_thread_context
        self.token = variable.set(self) if variable.get(None) is None else None
        self._open.append((scope, self.token))
        return self

    def __exit__(self, exc: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None) -> None:
        scope, token = self._open.pop()
        if token is not None:
            AsyncToSync.async_single_thread_context.reset(token)
        scope.__exit__(exc, value, tb)


class ThreadSensitiveContext:
    """A block of async code whose thread-sensitive calls run on one thread of their own, such as one for each request.

    A block inside another one joins it, unless `executor` is given: then its thread is used, and never ended
    here; such an object can be entered once.

    Raises:
        RuntimeError: on entering one with an executor again.
    """

    def __init__(self, *, executor: protocols.ExecutorLike | None = None) -> None:
        self._executor = executor
        self._exited = False
        self._open: list[tuple[bridge.ThreadSensitiveScope, Token[ThreadSensitiveContext] | None]] = []
        self.token: Token[ThreadSensitiveContext] | None = None

    async def __aenter__(self) -> Self:
        if self._executor is not None:
            self._check_unused()
        outer = SyncToAsync.thread_sensitive_context.get(None)
        joins = self._executor is None and outer is not None and not outer._exited
        scope = _default.default_bridge().thread_sensitive_scope(executor=self._executor)
        await scope.__aenter__()
        self.token = None
        if not joins:
            self.token = SyncToAsync.thread_sensitive_context.set(self)
            SyncToAsync.context_to_thread_executor[self] = scope.executor
        self._exited = False
        self._open.append((scope, self.token))
        return self

    async def __aexit__(
        self, exc: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None:
        scope, token = self._open.pop()
        if token is not None:
            self._exited = True
            SyncToAsync.context_to_thread_executor.pop(self, None)
            with contextlib.suppress(ValueError):  # left in another context than it was entered in, as fixtures do
                SyncToAsync.thread_sensitive_context.reset(token)
        await scope.__aexit__(exc, value, tb)

    def _check_unused(self) -> None:
        if self._open:
            raise RuntimeError("this ThreadSensitiveContext was already entered; make a new one for every block")
        if self._exited:
            raise RuntimeError("a ThreadSensitiveContext with an executor cannot be entered again; make a new one")


class _Executors:
    """What `AsyncToSync.executors` is: its one attribute says which waiting thread runs thread-sensitive calls here."""

    @property
    def current(self) -> native.CurrentThreadExecutor | None:
        """The executor of the nearest synchronous caller that waits in `async_to_sync`, or None."""
        return bridge.current_host()


class AsyncToSync(Generic[_P, _R]):
    """An async function made callable from synchronous code: the calling thread waits for its result.

    The coroutine runs on the loop of the async code above, if there is any, else on a loop of its own. The
    calling thread runs thread-sensitive calls meanwhile. Raises what the coroutine raises, and RuntimeError on
    a thread that runs an event loop.
    """

    executors: Final = _Executors()
    loop_thread_executors: Final[dict[AbstractEventLoop, native.CurrentThreadExecutor]] = {}
    async_single_thread_context: Final[ContextVar[AsyncSingleThreadContext]] = ContextVar("async_single_thread_context")
    context_to_thread_executor: Final[MutableMapping[AsyncSingleThreadContext, Executor]] = weakref.WeakKeyDictionary()

    def __init__(self, awaitable: Callable[_P, Awaitable[_R]], force_new_loop: bool = False) -> None:
        is_async = _is_async(awaitable)
        if not is_async:
            warnings.warn("async_to_sync was passed a non-async-marked callable", stacklevel=2)
        functools.update_wrapper(self, awaitable)
        # Copied with the rest, and untrue of this side (invariant J4).
        vars(self).pop("_is_coroutine", None)
        vars(self).pop("_is_coroutine_marker", None)
        self.awaitable = awaitable
        self.force_new_loop = force_new_loop
        self._is_async = is_async
        _copy_self(self, awaitable)

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Run the coroutine function, and wait for its result on this thread."""
        __traceback_hide__ = True  # noqa: F841 - pytest and Django leave out frames that have it
        default = _default.default()
        cross = default.to_new_loop if self.force_new_loop else default.to_loop
        cold = self.force_new_loop or bridge.calling_loop() is None
        exc_info = sys.exc_info()
        if self._is_async and not cold and exc_info[1] is None and type(self).main_wrap is _MAIN_WRAP:
            return cross(self.awaitable, *args, **kwargs)  # nothing of asgiref's own is to be seen from inside
        child = functools.partial(self.awaitable, *args, **kwargs)
        if not self._is_async and asyncio._get_running_loop() is None:
            # Its synchronous part belongs to this thread, which may touch what the loop's thread must not.
            child = functools.partial(_itself, child())
        result: _R = cross(_Job(self._run, child, exc_info, cold))
        return result

    async def _run(self, exc_info: Any, cold: bool, child: "functools.partial[Awaitable[_R]]") -> _R:
        """Make the awaitable and await it. On the thread of the loop."""
        awaitable = child()
        if type(self).main_wrap is not _MAIN_WRAP:
            call_result: Future[_R] = Future()
            await self.main_wrap(call_result, exc_info, None, [copy_context()], awaitable)
            try:
                return call_result.result()
            finally:
                del call_result  # holds the exception, whose traceback holds this frame (invariant I2)
        loop, host = asyncio.get_running_loop(), bridge.current_host()
        if cold and host is not None:
            self.loop_thread_executors[loop] = host
        try:
            result: _R = await _handled.await_handling(exc_info[1], awaitable)
        finally:
            if cold:
                self.loop_thread_executors.pop(loop, None)
        return result

    @overload
    def __get__(self, parent: None, objtype: type) -> Self: ...
    @overload
    def __get__(self: "AsyncToSync[Concatenate[_S, _Q], _R]", parent: _S, objtype: Any) -> Callable[_Q, _R]: ...
    @overload
    def __get__(self, parent: object, objtype: Any) -> Callable[..., _R]: ...

    def __get__(self, parent: Any, objtype: Any) -> Any:
        return self if parent is None else MethodType(self, parent)

    async def main_wrap(
        self,
        call_result: "Future[_R]",
        exc_info: _ExcInfo,
        task_context: "list[asyncio.Task[Any]] | None",
        context: list[Context],
        awaitable: Coroutine[Any, Any, _R] | Awaitable[_R],
    ) -> None:
        """Await `awaitable` and put its outcome into `call_result`. On the thread of the loop; called if overridden."""
        try:
            outcome = await _handled.await_handling(exc_info[1], awaitable)
        except BaseException as error:
            call_result.set_exception(error)
        else:
            call_result.set_result(outcome)
        finally:
            del call_result


_MAIN_WRAP: Final[object] = vars(AsyncToSync)["main_wrap"]
_DEFAULT_WORKER: Final = _default.DefaultWorker()


class _ThreadLocal(threading.local):
    """What `SyncToAsync.threadlocal` is: in a synchronous function that async code called, it has `main_event_loop`."""

    def __getattr__(self, name: str) -> AbstractEventLoop:
        loop = bridge.calling_loop() if name == "main_event_loop" else None
        if loop is None:
            raise AttributeError(name)
        return loop


class SyncToAsync(Generic[_P, _R]):
    """A synchronous function made callable from async code: it runs on a thread, and the caller awaits it.

    With `thread_sensitive` (the default) that is the thread on which all such calls of the chain run; without, any
    worker thread, or one of `executor`. `context` replaces the caller's context variables. Override
    `thread_handler` to put something around every call, on its thread.
    """

    threadlocal: Final = _ThreadLocal()
    single_thread_executor: protocols.ExecutorLike = _DEFAULT_WORKER
    thread_sensitive_context: Final[ContextVar[ThreadSensitiveContext]] = ContextVar("thread_sensitive_context")
    deadlock_context: Final[ContextVar[bool]] = ContextVar("deadlock_context")
    context_to_thread_executor: Final[MutableMapping[ThreadSensitiveContext, protocols.ExecutorLike | None]] = (
        weakref.WeakKeyDictionary()
    )

    def __init__(
        self,
        func: Callable[_P, _R],
        thread_sensitive: bool = True,
        executor: protocols.ExecutorLike | None = None,
        context: Context | None = None,
    ) -> None:
        if not _is_sync(func):
            raise TypeError("sync_to_async can only be applied to sync functions.")
        if thread_sensitive and executor is not None:
            raise TypeError("executor must not be set when thread_sensitive is True")
        functools.update_wrapper(self, func)
        self.func = func
        self.context = context
        self._thread_sensitive = thread_sensitive
        self._executor = executor
        markcoroutinefunction(self)
        _copy_self(self, func)

    async def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Call the function on its thread, and return its result."""
        __traceback_hide__ = True  # noqa: F841 - pytest and Django leave out frames that have it
        exc_info, handler = sys.exc_info(), self.thread_handler
        stand_in = _stand_in() if self._thread_sensitive else None
        result: _R
        if stand_in is None and exc_info[1] is None and getattr(handler, "__func__", None) is _THREAD_HANDLER:
            result = await self._caller()(self.func, *args, **kwargs)  # nothing is to be put around it
            return result
        child = functools.partial(self.func, *args, **kwargs)
        job = _Job(handler, child, asyncio.get_running_loop(), exc_info, [], call)
        if stand_in is None:
            result = await self._caller()(job)
        else:
            async with _default.default_bridge().thread_sensitive_scope(executor=stand_in):
                result = await self._caller()(job)
        return result

    def _caller(self) -> bridge.SyncCaller:
        default = _default.default()
        if self._executor is None and self.context is None:
            return default.sensitive if self._thread_sensitive else default.free
        return default.bridge.sync_caller(
            thread_sensitive=self._thread_sensitive, executor=self._executor, context=self.context
        )

    @overload
    def __get__(self, parent: None, objtype: type) -> Self: ...
    @overload
    def __get__(self: "SyncToAsync[Concatenate[_S, _Q], _R]", parent: _S, objtype: Any) -> Callable[_Q, _Coro[_R]]: ...
    @overload
    def __get__(self, parent: object, objtype: Any) -> Callable[..., _Coro[_R]]: ...

    def __get__(self, parent: Any, objtype: Any) -> Any:
        return self if parent is None else MethodType(self, parent)

    def thread_handler(
        self, loop: AbstractEventLoop, exc_info: Any, task_context: Any, func: Any, *args: Any, **kwargs: Any
    ) -> Any:
        """Return `func(*args, **kwargs)`. On the thread of the call; `args[0]` is the user's call, a partial."""
        if exc_info[1] is None:
            return func(*args, **kwargs)
        return _handled.call_handling(exc_info[1], func, *args, **kwargs)


_THREAD_HANDLER: Final[object] = vars(SyncToAsync)["thread_handler"]


def _stand_in() -> protocols.ExecutorLike | None:
    """Return the executor that a thread-sensitive call goes to where asgiref has one and the bridge does not."""
    scope = SyncToAsync.thread_sensitive_context.get(None)
    if scope is None:
        replaced = SyncToAsync.single_thread_executor is not _DEFAULT_WORKER
        return SyncToAsync.single_thread_executor if replaced and bridge.current_host() is None else None
    if not scope._exited or scope._executor is not None or bridge.current_host() is not None:
        return None
    executors = SyncToAsync.context_to_thread_executor
    return executors.get(scope) or executors.setdefault(scope, ThreadPoolExecutor(max_workers=1))


@overload
def async_to_sync(awaitable: Callable[_P, Awaitable[_R]], *, force_new_loop: bool = False) -> Callable[_P, _R]: ...
@overload
def async_to_sync(
    awaitable: None = None, *, force_new_loop: bool = False
) -> Callable[[Callable[_P, Awaitable[_R]]], Callable[_P, _R]]: ...


def async_to_sync(awaitable: Any = None, *, force_new_loop: bool = False) -> Any:
    """Wrap an async function for synchronous code: see `AsyncToSync`. Also a decorator, with or without arguments."""
    if awaitable is None:
        wrap: Any = async_to_sync
        return functools.partial(wrap, force_new_loop=force_new_loop)
    return AsyncToSync(awaitable, force_new_loop=force_new_loop)


@overload
def sync_to_async(
    func: Callable[_P, _R], *, thread_sensitive: bool = True, executor: None = None, context: Context | None = None
) -> Callable[_P, _Coro[_R]]: ...
@overload
def sync_to_async(
    func: Callable[_P, _R],
    *,
    thread_sensitive: bool,
    executor: protocols.ExecutorLike | None,
    context: Context | None = None,
) -> Callable[_P, _Coro[_R]]: ...
@overload
def sync_to_async(
    func: None = None, *, thread_sensitive: bool = True, executor: None = None, context: Context | None = None
) -> Callable[[Callable[_P, _R]], Callable[_P, _Coro[_R]]]: ...
@overload
def sync_to_async(
    func: None = None,
    *,
    thread_sensitive: bool,
    executor: protocols.ExecutorLike | None,
    context: Context | None = None,
) -> Callable[[Callable[_P, _R]], Callable[_P, _Coro[_R]]]: ...


def sync_to_async(
    func: Any = None,
    *,
    thread_sensitive: bool = True,
    executor: protocols.ExecutorLike | None = None,
    context: Context | None = None,
) -> Any:
    """Wrap a synchronous function for async code: see `SyncToAsync`. Also a decorator, with or without arguments."""
    if func is None:
        wrap: Any = sync_to_async
        return functools.partial(wrap, thread_sensitive=thread_sensitive, executor=executor, context=context)
    return SyncToAsync(func, thread_sensitive, executor, context)
