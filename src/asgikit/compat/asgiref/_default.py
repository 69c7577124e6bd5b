"""The one default instance in asgikit: the bridge that asgiref's module-level functions stand for.

It is made with the first use and starts nothing by itself. It closes silently at interpreter exit, and a forked
child starts empty.
"""

import atexit
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import Future
from contextvars import Context
from functools import partial
from typing import Any, Final, ParamSpec, TypeVar, cast, final

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
class _Default:
    """The bridge, its pool of thread-sensitive workers, and how a call begins on it, once they are made."""

    lock = threading.Lock()
    bridge: Bridge | None = None
    pool: ThreadSensitivePool | None = None
    call: Callable[..., Coroutine[Any, Any, Any]] | None = None


def default_bridge() -> Bridge:
    """Return the bridge that `sync_to_async` and `async_to_sync` of this package use, in every thread."""
    if _Default.bridge is None:
        with _Default.lock:
            if _Default.bridge is None:
                _make()
    return cast("Bridge", _Default.bridge)


def _make() -> None:
    # Calls queue behind an abandoned one, as in asgiref: Channels has one thread for the whole database.
    _Default.pool = ThreadSensitivePool(name="asgiref", on_abandon="wait")
    bridge = Bridge(sensitive_pool=_Default.pool)
    parts = bridge._parts

    def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> SyncCall:
        job, home, context, free = args
        options = _PLAIN if context is None else Options(context_policy="propagate", context=context)
        return parts.to_threads.begin(job, options, (home or parts.resources.free_home) if free else None, (), kwargs)

    atexit.register(_Default.pool.drain, _EXIT_GRACE)  # the bridge does so for the pools that it made itself
    _Default.call = caller(begin)
    _Default.bridge = bridge


def call_sync(
    job: Callable[[], Any], home: WorkerHome | None, context: Context | None, *, free: bool
) -> Coroutine[Any, Any, Any]:
    """Run `job` and return its result: `Bridge.run_sync`, but for the checks, which the wrapper has made.

    `free` lets it run on any worker, of `home` if that is given.
    """
    call = _Default.call
    if call is None:
        default_bridge()
        call = cast("Callable[..., Coroutine[Any, Any, Any]]", _Default.call)
    return call(job, home, context, free)


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
        default_bridge()
        return cast("ThreadSensitivePool", _Default.pool).submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Do nothing: the worker belongs to the default bridge."""
