"""The one default instance in asgikit: the bridge that asgiref's module-level functions stand for.

It is made with the first use and starts nothing by itself. It closes silently at interpreter exit, and a forked
child starts empty.
"""

from collections.abc import Callable
from concurrent.futures import Future
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Final, NamedTuple, ParamSpec, TypeVar, final

from asgikit.bridge import AsyncCaller, Bridge, SyncCaller
from asgikit.executor import ThreadSensitivePool
from asgikit.protocols import ExecutorLike

__all__ = ("DefaultWorker", "async_caller", "default", "default_bridge", "scope_on")

_P = ParamSpec("_P")
_R = TypeVar("_R")


@final
class Default(NamedTuple):
    """The bridge, its pool of thread-sensitive workers, and how most calls cross it: the wrappers check them."""

    bridge: Bridge
    pool: ThreadSensitivePool
    sensitive: SyncCaller
    free: SyncCaller
    to_loop: AsyncCaller


made: Final[dict[None, Default]] = {}
"""At most one entry. No lock, so that a fork at any moment leaves none behind that is held."""


def default() -> Default:
    """Return the one instance, and make it if there is none. Any thread: of two made at once, one is dropped unused."""
    return made.get(None) or made.setdefault(None, _make())


def default_bridge() -> Bridge:
    """Return the bridge that `sync_to_async` and `async_to_sync` of this package use, in every thread."""
    return default().bridge


def _make() -> Default:
    # Calls queue behind an abandoned one, as in asgiref: Channels has one thread for the whole database.
    pool = ThreadSensitivePool(name="asgiref", on_abandon="wait")
    bridge = Bridge(sensitive_pool=pool)
    return Default(
        bridge, pool, bridge.sync_caller(), bridge.sync_caller(thread_sensitive=False), bridge.async_caller()
    )


def async_caller(*, force_new_loop: bool) -> AsyncCaller:
    """Return what calls async functions through the one bridge."""
    return default().bridge.async_caller(force_new_loop=True) if force_new_loop else default().to_loop


def scope_on(executor: ExecutorLike | None) -> AbstractAsyncContextManager[None]:
    """Return a scope of the one bridge whose calls run on `executor`; without one, a block that changes nothing."""
    return nullcontext() if executor is None else default_bridge().thread_sensitive_scope(executor=executor)


@final
class DefaultWorker:
    """The worker that runs thread-sensitive calls for which there is nothing nearer, as an executor."""

    def submit(self, fn: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs) -> "Future[_R]":
        """Have the call run on that worker. May be called on any thread."""
        return default().pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Do nothing: the worker belongs to the default bridge."""
