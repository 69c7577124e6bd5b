"""`sync_to_async` on the default bridge: the wrapper, and the block in which its calls have a thread of their own."""

import asyncio
import contextlib
import functools
import sys
import threading
import weakref
from asyncio import AbstractEventLoop
from collections.abc import Callable, Coroutine, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextvars import Context, ContextVar, Token
from operator import call
from types import CodeType, MethodType, TracebackType
from typing import Any, Concatenate, Final, Generic, Never, ParamSpec, Self, TypeAlias, TypeVar, overload

from asgikit import bridge, protocols
from asgikit.compat.asgiref import _default, _handled
from asgikit.compat.asgiref._calls import Job, copy_self, is_sync, markcoroutinefunction
from asgikit.compat.asgiref._to_sync import AsyncToSync

__all__ = ("SyncToAsync", "ThreadSensitiveContext", "sync_to_async")

_P = ParamSpec("_P")
_Q = ParamSpec("_Q")
_R = TypeVar("_R")
_S = TypeVar("_S")
_Coro: TypeAlias = Coroutine[Never, object, _R]

_DEFAULT_WORKER: Final = _default.DefaultWorker()


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
        if self._executor is not None and (self._open or self._exited):
            raise RuntimeError("already entered: a scope with an executor cannot be entered again; make another one")
        outer = SyncToAsync.thread_sensitive_context.get(None)
        joins = self._executor is None and outer is not None and not outer._exited
        scope = _default.default_bridge().thread_sensitive_scope(executor=self._executor)
        await scope.__aenter__()
        self.token = None if joins else SyncToAsync.thread_sensitive_context.set(self)
        if not joins:
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
        if not is_sync(func):
            raise TypeError("sync_to_async can only be applied to sync functions.")
        if thread_sensitive and executor is not None:
            raise TypeError("executor must not be set when thread_sensitive is True")
        functools.update_wrapper(self, func)
        self.func = func
        self.context = context
        self._thread_sensitive = thread_sensitive
        self._executor = executor
        markcoroutinefunction(self)
        copy_self(self, func)

    async def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Call the function on its thread, and return its result."""
        __traceback_hide__ = True  # noqa: F841 - pytest and Django leave out frames that have it
        exc_info, handler = sys.exc_info(), self.thread_handler
        stand_in = _stand_in() if self._thread_sensitive else None
        if stand_in is None and exc_info[1] is None and getattr(handler, "__func__", None) is _THREAD_HANDLER:
            return await self._caller()(self.func, *args, **kwargs)  # nothing is to be put around it
        child = functools.partial(self.func, *args, **kwargs)
        job = Job(handler, child, asyncio.get_running_loop(), exc_info, [], call)
        async with _default.scope_on(stand_in):
            result: _R = await self._caller()(job)
        return result

    # For `inspect.iscoroutinefunction` of 3.11, which knows no mark: with these it takes a wrapper for what it is.
    __code__: CodeType = __call__.__code__
    __defaults__: None = None
    __kwdefaults__: None = None

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
        # A task with an empty context has lost its chain, but still belongs to the caller that waits for its loop.
        hosts, default = AsyncToSync.loop_thread_executors, SyncToAsync.single_thread_executor
        found = hosts.get(asyncio.get_running_loop(), default)
        return None if found is _DEFAULT_WORKER or bridge.current_host() is not None else found
    if not scope._exited or scope._executor is not None or bridge.current_host() is not None:
        return None
    executors = SyncToAsync.context_to_thread_executor
    return executors.get(scope) or executors.setdefault(scope, ThreadPoolExecutor(max_workers=1))


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
