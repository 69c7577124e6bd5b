import sys
import threading
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from concurrent.futures import Executor, Future
from contextvars import Context, ContextVar, Token
from types import TracebackType
from typing import Any, Concatenate, Generic, Never, ParamSpec, Protocol, Self, TypeAlias, TypeVar, overload

from asgiref.current_thread_executor import CurrentThreadExecutor
from asgiref.local import Local

if sys.version_info >= (3, 12):
    from inspect import iscoroutinefunction as iscoroutinefunction
    from inspect import markcoroutinefunction as markcoroutinefunction
else:
    from typing import TypeGuard

_P = ParamSpec("_P")
_Q = ParamSpec("_Q")
_R = TypeVar("_R")
_S = TypeVar("_S")
_T = TypeVar("_T")
_F = TypeVar("_F", bound=Callable[..., object])

# Fits every Coroutine[Y, S, R] without an explicit Any, so that asyncio.gather keeps its result types.
_Coro: TypeAlias = Coroutine[Never, object, _R]
_ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]

class _SupportsSubmit(Protocol):
    def submit(self, fn: Callable[[], _T], /) -> Future[_T]: ...

class _SupportsSubmitArgs(Protocol):
    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]: ...

_ExecutorLike: TypeAlias = _SupportsSubmit | _SupportsSubmitArgs

if sys.version_info < (3, 12):
    @overload
    def iscoroutinefunction(func: Callable[..., Coroutine[Any, Any, _T]]) -> bool: ...
    @overload
    def iscoroutinefunction(func: Callable[_P, Awaitable[_T]]) -> TypeGuard[Callable[_P, Coroutine[Any, Any, _T]]]: ...
    @overload
    def iscoroutinefunction(func: Callable[_P, object]) -> TypeGuard[Callable[_P, Coroutine[Any, Any, Any]]]: ...
    @overload
    def iscoroutinefunction(func: object) -> TypeGuard[Callable[..., Coroutine[Any, Any, Any]]]: ...
    def markcoroutinefunction(func: _F) -> _F: ...

class AsyncSingleThreadContext:
    token: Token[AsyncSingleThreadContext] | None
    def __init__(self) -> None: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self, exc: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None: ...

class ThreadSensitiveContext:
    token: Token[ThreadSensitiveContext] | None
    def __init__(self, *, executor: _ExecutorLike | None = None) -> None: ...
    async def __aenter__(self) -> Self: ...
    async def __aexit__(
        self, exc: type[BaseException] | None, value: BaseException | None, tb: TracebackType | None
    ) -> None: ...

class AsyncToSync(Generic[_P, _R]):
    executors: Local
    loop_thread_executors: dict[AbstractEventLoop, CurrentThreadExecutor]
    async_single_thread_context: ContextVar[AsyncSingleThreadContext]
    context_to_thread_executor: MutableMapping[AsyncSingleThreadContext, Executor]
    awaitable: Callable[_P, Awaitable[_R]]
    force_new_loop: bool
    def __init__(self, awaitable: Callable[_P, Awaitable[_R]], force_new_loop: bool = False) -> None: ...
    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R: ...
    @overload
    def __get__(self, parent: None, objtype: type) -> Self: ...
    @overload
    def __get__(self: AsyncToSync[Concatenate[_S, _Q], _R], parent: _S, objtype: Any) -> Callable[_Q, _R]: ...
    @overload
    def __get__(self, parent: object, objtype: Any) -> Callable[..., _R]: ...
    async def main_wrap(
        self,
        call_result: Future[_R],
        exc_info: _ExcInfo,
        task_context: list[Any] | None,
        context: list[Context],
        awaitable: Awaitable[_R],
    ) -> None: ...

class SyncToAsync(Generic[_P, _R]):
    threadlocal: threading.local
    single_thread_executor: Executor
    thread_sensitive_context: ContextVar[ThreadSensitiveContext]
    deadlock_context: ContextVar[bool]
    context_to_thread_executor: MutableMapping[ThreadSensitiveContext, Executor]
    func: Callable[_P, _R]
    context: Context | None
    def __init__(
        self,
        func: Callable[_P, _R],
        thread_sensitive: bool = True,
        executor: _ExecutorLike | None = None,
        context: Context | None = None,
    ) -> None: ...
    async def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R: ...
    @overload
    def __get__(self, parent: None, objtype: type) -> Self: ...
    @overload
    def __get__(self: SyncToAsync[Concatenate[_S, _Q], _R], parent: _S, objtype: Any) -> Callable[_Q, _Coro[_R]]: ...
    @overload
    def __get__(self, parent: object, objtype: Any) -> Callable[..., _Coro[_R]]: ...
    def thread_handler(
        self,
        loop: AbstractEventLoop,
        exc_info: Any,
        task_context: Any,
        func: Callable[..., Any],
        *args: Any,
        **kwargs: Any,
    ) -> Any: ...

@overload
def async_to_sync(awaitable: Callable[_P, Awaitable[_R]], *, force_new_loop: bool = False) -> Callable[_P, _R]: ...
@overload
def async_to_sync(
    awaitable: None = None, *, force_new_loop: bool = False
) -> Callable[[Callable[_P, Awaitable[_R]]], Callable[_P, _R]]: ...

# `executor` needs an explicit `thread_sensitive`: the default, True, refuses it at run time.
@overload
def sync_to_async(
    func: Callable[_P, _R], *, thread_sensitive: bool = True, executor: None = None, context: Context | None = None
) -> Callable[_P, _Coro[_R]]: ...
@overload
def sync_to_async(
    func: Callable[_P, _R], *, thread_sensitive: bool, executor: _ExecutorLike | None, context: Context | None = None
) -> Callable[_P, _Coro[_R]]: ...
@overload
def sync_to_async(
    func: None = None, *, thread_sensitive: bool = True, executor: None = None, context: Context | None = None
) -> Callable[[Callable[_P, _R]], Callable[_P, _Coro[_R]]]: ...
@overload
def sync_to_async(
    func: None = None, *, thread_sensitive: bool, executor: _ExecutorLike | None, context: Context | None = None
) -> Callable[[Callable[_P, _R]], Callable[_P, _Coro[_R]]]: ...
