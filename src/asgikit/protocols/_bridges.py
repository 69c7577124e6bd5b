"""What a library asks for that lets its users hand over a bridge: one direction each."""

from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from typing import Never, ParamSpec, Protocol, TypeAlias, TypeVar, overload

from asgikit.protocols._executors import ExecutorLike

__all__ = ("SupportsAsyncToSync", "SupportsSyncToAsync")

_P = ParamSpec("_P")
_R = TypeVar("_R")
_Coro: TypeAlias = Coroutine[Never, object, _R]


class SupportsSyncToAsync(Protocol):
    """Wraps synchronous functions for async code, as `asgikit.Bridge` does.

    `sync_to_async` returns an async function with the same parameters; it runs on the home thread of the calling
    chain, on a worker thread, or on an executor, which needs `thread_sensitive=False`.
    """

    @overload
    def sync_to_async(
        self,
        func: Callable[_P, _R],
        *,
        thread_sensitive: bool = True,
        executor: None = None,
        context: Context | None = None,
    ) -> Callable[_P, _Coro[_R]]: ...

    @overload
    def sync_to_async(
        self,
        func: Callable[_P, _R],
        *,
        thread_sensitive: bool,
        executor: ExecutorLike | None,
        context: Context | None = None,
    ) -> Callable[_P, _Coro[_R]]: ...

    async def run_sync(self, func: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Call a synchronous function now."""
        ...


class SupportsAsyncToSync(Protocol):
    """Wraps async functions for synchronous code, as `asgikit.Bridge` does."""

    def async_to_sync(
        self,
        awaitable: Callable[_P, Awaitable[_R]],
        *,
        force_new_loop: bool = False,
        loop: AbstractEventLoop | None = None,
        timeout: float | None = None,
    ) -> Callable[_P, _R]:
        """Return a function with the parameters of `awaitable`; the calling thread hosts while it runs."""
        ...

    def run_async(self, func: Callable[_P, Awaitable[_R]], /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Call an async function now."""
        ...
