"""The one default instance in asgikit: the bridge that asgiref's module-level functions stand for.

It is made with the first use and starts nothing by itself. It closes silently at interpreter exit, and a forked
child starts empty.
"""

import atexit
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from contextvars import Context
from functools import partial
from typing import Any, Final, NamedTuple, ParamSpec, TypeVar, final

from asgikit.bridge import Bridge
from asgikit.bridge._async_call import cross_to_async
from asgikit.bridge._options import Options
from asgikit.bridge._sync_call import SyncCall, caller
from asgikit.executor import ThreadSensitivePool
from asgikit.protocols import WorkerHome

__all__ = ("DefaultWorker", "call_async", "call_sync", "default_bridge")

_P = ParamSpec("_P")
_R = TypeVar("_R")

_EXIT_GRACE: Final = 2.0
_PLAIN: Final = Options(context_policy="propagate")
_NEW_LOOP: Final = Options(context_policy="propagate", force_new_loop=True)


@final
class Default(NamedTuple):
    """The bridge, its pool of thread-sensitive workers, and how a call begins on it."""

    bridge: Bridge
    pool: ThreadSensitivePool
    call: Callable[..., Coroutine[Any, Any, Any]]


made: Final[dict[None, Default]] = {}
"""At most one entry. No lock, so that a fork at any moment leaves none behind that is held."""


def default() -> Default:
    """Return the one instance, and make it if there is none. Any thread: of two made at once, one is dropped unused."""
    found = made.get(None)
    if found is None:
        mine = _make()
        found = made.setdefault(None, mine)
        if found is mine:
            atexit.register(mine.pool.drain, _EXIT_GRACE)  # the bridge does so for the pools that it made itself
    return found


def default_bridge() -> Bridge:
    """Return the bridge that `sync_to_async` and `async_to_sync` of this package use, in every thread."""
    return default().bridge


def _make() -> Default:
    # Calls queue behind an abandoned one, as in asgiref: Channels has one thread for the whole database.
    pool = ThreadSensitivePool(name="asgiref", on_abandon="wait")
    bridge = Bridge(sensitive_pool=pool)
    parts = bridge._parts

    def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> SyncCall:
        job, home, context, free = args
        options = _PLAIN if context is None else Options(context_policy="propagate", context=context)
        return parts.to_threads.begin(job, options, (home or parts.resources.free_home) if free else None, (), kwargs)

    return Default(bridge, pool, caller(begin))


def call_sync(
    job: Callable[[], Any], home: WorkerHome | None, context: Context | None, *, free: bool
) -> Coroutine[Any, Any, Any]:
    """Run `job` and return its result: `Bridge.run_sync`, but for the checks, which the wrapper has made.

    `free` lets it run on any worker, of `home` if that is given.
    """
    return default().call(job, home, context, free)


def call_async(job: Callable[[], Awaitable[Any]], *, force_new_loop: bool) -> Any:
    """Run `job` on a loop while this thread hosts: `Bridge.run_async`, but for the checks."""
    parts = default_bridge()._parts
    options = _NEW_LOOP if force_new_loop else _PLAIN
    return cross_to_async(partial(parts.to_loops.begin, job, options), parts.to_loops.end, (), {})


@final
class DefaultWorker:
    """The worker that runs thread-sensitive calls for which there is nothing nearer, as an executor."""

    def submit(self, fn: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs) -> "Future[_R]":
        """Have the call run on that worker. May be called on any thread."""
        return default().pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Do nothing: the worker belongs to the default bridge."""
