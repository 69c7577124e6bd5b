"""Saying in words where a call made from here would run, and why. Follows the routing; starts and changes nothing."""

import threading
from asyncio import AbstractEventLoop, _get_running_loop

from asgikit.bridge import _chain
from asgikit.bridge._links import ExecutorScopeLink, HostLink, LeaseScopeLink, Link
from asgikit.bridge._options import Options
from asgikit.bridge._parts import Parts
from asgikit.bridge._routing import loop_scope, sensitive_home

__all__ = ("explain",)


def explain(parts: Parts, options: Options) -> str:
    """Return one line for each direction and one for the context, as seen from the running code."""
    link = _chain.current.get()
    caller = _chain.here.thread.call
    if link is None and caller is not None:
        link = caller.link
    return "\n".join(
        (
            f"sync_to_async: {_thread(link, options)}",
            f"async_to_sync: {_loop(parts, link, options)}",
            f"context: {_context(options)}",
        )
    )


def _thread(link: Link | None, options: Options) -> str:
    if options.executor is not None:
        return f"on a thread of {options.executor!r}, which was given as executor="
    if options.thread_sensitive is False:
        return "on a worker thread of the bridge, because thread_sensitive=False"
    target = sensitive_home(link)
    if isinstance(target, HostLink):
        where = f"on thread {_name(target.home.thread_id)}"
        return f"{where}, the nearest synchronous caller that is waiting in async_to_sync"
    if isinstance(target, LeaseScopeLink):
        return f"on {_worker(target.home.thread_id)} leased by the enclosing thread_sensitive_scope"
    if isinstance(target, ExecutorScopeLink):
        return _given(target)
    return "on the bridge's one default worker: no scope and no waiting synchronous caller encloses this"


def _given(scope: ExecutorScopeLink) -> str:
    if not scope.live:
        return "nowhere: the enclosing thread_sensitive_scope has ended, and its executor with it (ScopeError)"
    return f"on the thread of {scope.home.executor!r}, given to the enclosing thread_sensitive_scope"


def _worker(thread_id: int | None) -> str:
    return "a worker still to be" if thread_id is None else f"thread {_name(thread_id)},"


def _loop(parts: Parts, link: Link | None, options: Options) -> str:
    running = _get_running_loop()
    if running is not None and not getattr(parts.resources.loop_runner, "blocks_running_loop", False):
        return "refused (RunningLoopError): this thread runs an event loop; await the coroutine instead"
    if options.loop is not None:
        return f"on {options.loop!r}, which was given as loop="
    caller = _chain.here.thread.call
    loop: AbstractEventLoop | None = None if caller is None or options.force_new_loop else caller.loop
    if loop is not None and caller is not None:
        return f"on {loop!r}, the loop of the async code that called {caller.name}"
    if loop_scope(link) is not None:
        return "on the loop of the enclosing loop_scope"
    return f"on a loop of {type(parts.resources.loop_runner).__name__}: no async code above this"


def _context(options: Options) -> str:
    if options.context is not None:
        return "the one that was given as context=; changes are written there"
    if options.context_policy == "isolate":
        return "a copy of the caller's; changes stay there (isolate)"
    if options.context_policy == "shared":
        return "the task's own for sync_to_async (shared); else a copy, and changes are written back"
    return "a copy of the caller's; what the callee changes is written back (propagate)"


def _name(thread_id: int) -> str:
    return next((repr(thread.name) for thread in threading.enumerate() if thread.ident == thread_id), str(thread_id))
