"""What `sync_caller` and `async_caller` return."""

from collections.abc import Awaitable, Callable, Coroutine
from typing import Never, ParamSpec, Protocol, TypeVar

__all__ = ("AsyncCaller", "SyncCaller")

_P = ParamSpec("_P")
_R = TypeVar("_R")


class SyncCaller(Protocol):
    """`Bridge.run_sync` with its choices made: it calls synchronous functions from async code."""

    def __call__(self, func: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs) -> Coroutine[Never, object, _R]:
        """Return what to await: `func(*args, **kwargs)` on its thread, begun with the first step of the await."""
        ...


class AsyncCaller(Protocol):
    """`Bridge.run_async` with its choices made: it calls async functions from synchronous code."""

    def __call__(self, func: Callable[_P, Awaitable[_R]], /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Await `func(*args, **kwargs)` on its loop while this thread hosts, and return the result.

        Raises:
            RunningLoopError: this thread runs an event loop.
        """
        ...
