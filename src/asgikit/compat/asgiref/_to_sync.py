"""`async_to_sync` on the default bridge: the wrapper, and the block in which its calls share a loop."""

import asyncio
import functools
import sys
import warnings
import weakref
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from concurrent.futures import Executor, Future
from contextvars import Context, ContextVar, Token, copy_context
from types import MethodType, TracebackType
from typing import Any, Concatenate, Final, Generic, ParamSpec, Self, TypeAlias, TypeVar, overload

from asgikit import bridge
from asgikit import executor as native
from asgikit.compat.asgiref import _default, _handled
from asgikit.compat.asgiref._calls import Job, copy_self, is_async

__all__ = ("AsyncSingleThreadContext", "AsyncToSync", "async_to_sync")

_P = ParamSpec("_P")
_Q = ParamSpec("_Q")
_R = TypeVar("_R")
_S = TypeVar("_S")
_ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


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
        self._is_async = is_async(awaitable)
        if not self._is_async:
            warnings.warn("async_to_sync was passed a non-async-marked callable", stacklevel=2)
        functools.update_wrapper(self, awaitable)
        # Copied with the rest, and untrue of this side (invariant J4).
        vars(self).pop("_is_coroutine", None)
        vars(self).pop("_is_coroutine_marker", None)
        self.awaitable = awaitable
        self.force_new_loop = force_new_loop
        copy_self(self, awaitable)

    def __call__(self, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Run the coroutine function, and wait for its result on this thread."""
        __traceback_hide__ = True  # noqa: F841 - pytest and Django leave out frames that have it
        cross = _default.async_caller(force_new_loop=self.force_new_loop)
        cold = self.force_new_loop or bridge.calling_loop() is None
        exc_info = sys.exc_info()
        if self._is_async and not cold and exc_info[1] is None and type(self).main_wrap is _MAIN_WRAP:
            return cross(self.awaitable, *args, **kwargs)  # nothing of asgiref's own is to be seen from inside
        child = functools.partial(self.awaitable, *args, **kwargs)
        if not self._is_async and asyncio._get_running_loop() is None:
            # Its synchronous part belongs to this thread, which may touch what the loop's thread must not.
            child = functools.partial(_itself, child())
        result: _R = cross(Job(self._run, child, exc_info, cold))
        return result

    async def _run(self, exc_info: Any, cold: bool, child: "functools.partial[Awaitable[_R]]") -> _R:
        """Make the awaitable and await it. On the thread of the loop."""
        call_result: Future[_R] = Future()
        loop, host = asyncio.get_running_loop(), bridge.current_host()
        if cold and host is not None:
            self.loop_thread_executors[loop] = host
        try:
            await self.main_wrap(call_result, exc_info, None, [copy_context()], child())
            return call_result.result()
        finally:
            if cold:
                self.loop_thread_executors.pop(loop, None)
            del call_result  # holds the exception, whose traceback holds this frame (invariant I2)

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
        """Await `awaitable` and put its outcome into `call_result`. On the thread of the loop."""
        try:
            outcome = await _handled.await_handling(exc_info[1], awaitable)
        except BaseException as error:
            call_result.set_exception(error)
        else:
            call_result.set_result(outcome)
        finally:
            del call_result


_MAIN_WRAP: Final[object] = vars(AsyncToSync)["main_wrap"]


def _itself(value: _S) -> _S:
    return value


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
