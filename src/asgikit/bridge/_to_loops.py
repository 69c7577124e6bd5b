"""Coroutine calls from synchronous code, from the calling thread to their loop. Runs on the calling thread."""

import asyncio
import sys
from asyncio import AbstractEventLoop, _get_running_loop
from collections.abc import Awaitable, Callable
from typing import Any, final

from asgikit.bridge import _chain
from asgikit.bridge._async_call import AsyncCall
from asgikit.bridge._hidden import hide, show
from asgikit.bridge._links import HostLink, Link
from asgikit.bridge._options import Options
from asgikit.bridge._others import refuse_to_block
from asgikit.bridge._resources import Resources
from asgikit.bridge._routing import enclosing_host, loop_scope
from asgikit.bridge._sync_call import SyncCall
from asgikit.bridge._watch import Watch, watch
from asgikit.errors import DeadlockError, InterpreterExitError, LoopUnavailableError, RunningLoopError
from asgikit.executor import CurrentThreadExecutor, name_of
from asgikit.loop import CallingThreadLoopRunner
from asgikit.protocols import Inbox

__all__ = ("ToLoops",)


@final
class ToLoops:
    """Begins and ends the coroutine calls of one bridge, and finds the loop for each."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources

    def begin(
        self,
        fn: Callable[..., Awaitable[Any]],
        options: Options,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        *,
        goes_on: bool = False,
    ) -> AsyncCall:
        """Make a call and post it to its loop. The calling thread `goes_on` meanwhile, or else waits for its end.

        Raises:
            RunningLoopError: this thread runs an event loop.
            CancelledError: the caller of the running function was cancelled; raised once.
        """
        running = _get_running_loop()
        if running is not None:
            self._check_running(running, fn)
        if self._resources.closed or sys.is_finalizing():
            self._resources.check_open()
        thread = _chain.here.thread
        caller = thread.call
        link = _chain.current.get()
        if caller is not None:
            if not options.after_abandonment:
                caller.check_abandoned()
            link = link or caller.link
        host = CurrentThreadExecutor(inbox=self._inbox(caller))
        call = self._make(fn, args, kwargs, HostLink(link, host), options)
        if running is not None:
            call.hidden_loop, call.hidden_task = running, hide(running)
        call.link.blocks = running if caller is None else running or caller.blocks
        if self._resources.observers:
            call.watch = self._watch_async(call, caller, link)
        thread.host, call.outer_host = host, thread.host
        try:
            if caller is not None:
                caller.waits_for(call)
            self._post_async(call, caller, link, options, goes_on=goes_on)
        except BaseException as error:
            self._give_up(call, error)
            raise
        return call

    def _make(
        self,
        fn: Callable[..., Awaitable[Any]],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        link: HostLink,
        options: Options,
    ) -> AsyncCall:
        resources = self._resources
        writes_back = options.context_policy != "isolate"
        call = AsyncCall(
            fn, args, kwargs, link, resources.clock, options.timeout, resources.shutdown_grace, writes_back=writes_back
        )
        call.insists = options.after_abandonment is True
        return call

    def _give_up(self, call: AsyncCall, error: BaseException) -> None:
        """End a call that could not be posted, or during whose post Ctrl-C came: then it may run already."""
        if isinstance(error, Exception):
            call.cancel()
        else:
            call.interrupt()
        self.end(call)

    def _check_running(self, running: AbstractEventLoop, fn: object) -> None:
        """Refuse to block the loop that this thread runs, unless the runner says so (invariant F2)."""
        if not getattr(self._resources.loop_runner, "blocks_running_loop", False):
            task = asyncio.current_task(running)
            where = "in a callback of the loop" if task is None else f"in the task {task.get_name()!r}"
            message = (
                f"async_to_sync was called on a thread that runs an event loop, {where}: await {name_of(fn)} there"
                " instead, or call the synchronous function that leads here through sync_to_async"
            )
            raise RunningLoopError(message)

    def _watch_async(self, call: AsyncCall, caller: SyncCall | None, link: Link | None) -> Watch | None:
        above = enclosing_host(link)
        parent = None if above is None else above.crossing
        if caller is not None and caller.watch is not None:
            parent = caller.watch.crossing
        found = watch(self._resources.observers, self._resources.clock, call.name, "async_to_sync", parent)
        if found is not None:
            call.link.crossing = found.crossing
        return found

    def _inbox(self, caller: SyncCall | None) -> Inbox | None:
        host = _chain.here.thread.host
        if host is not None:
            return host.inbox  # nested on one thread: the innermost host serves them all
        if caller is None or caller.home is None:
            return None
        return caller.home.host(caller)

    def _post_async(
        self, call: AsyncCall, caller: SyncCall | None, link: Link | None, options: Options, *, goes_on: bool
    ) -> None:
        loop = options.loop
        if loop is not None:
            self._check_blocked(loop, call)
            if loop.is_closed() or not loop.is_running():
                state = "closed" if loop.is_closed() else "not running"
                message = f"the loop given for {call.name} is {state}; give one that runs on another thread, or none"
                raise LoopUnavailableError(message)
        elif caller is not None and not options.force_new_loop:
            loop = caller.loop
        if loop is not None:
            call.post_to(loop)
            return
        if caller is None:
            refuse_to_block(call.name)
        scope = None if options.force_new_loop else loop_scope(link)
        runner = self._resources.loop_runner if scope is None else scope.runner
        try:
            runner.post(call)
        except InterpreterExitError:
            factory = getattr(runner, "loop_factory", None)
            if factory is None or goes_on:
                raise
            CallingThreadLoopRunner(loop_factory=factory).post(call)  # no other thread is left to run it

    def pause(self, call: AsyncCall) -> None:
        """The caller goes on for a while, and will host again later. May be called again."""
        if call.hidden_loop is not None and _get_running_loop() is None:
            show(call.hidden_loop, call.hidden_task)
        thread = _chain.here.thread
        outer = thread.host = call.outer_host
        caller = thread.call
        if caller is not None:
            caller.waits_for(None)
            if outer is None and caller.home is not None:
                caller.home.resume(caller)  # a worker that goes on counts towards the bound of its pool

    def resume(self, call: AsyncCall) -> None:
        """The caller hosts again."""
        if call.hidden_loop is not None:
            call.hidden_task = hide(call.hidden_loop)
        thread = _chain.here.thread
        outer = thread.host
        thread.host, call.outer_host = call.host, outer
        caller = thread.call
        if caller is not None:
            if outer is None and caller.home is not None:
                caller.home.host(caller)
            caller.waits_for(call)

    def _check_blocked(self, loop: AbstractEventLoop, call: AsyncCall) -> None:
        """Refuse to wait for a loop that stands still until this call has ended."""
        link: Link | None = call.link
        while link is not None:
            if isinstance(link, HostLink) and link.live and link.blocks is loop:
                message = (
                    f"deadlock: {call.name} would run on a loop whose thread {link.home.thread_id} is blocked in"
                    " async_to_sync and waits for this very call"
                )
                raise DeadlockError(message)
            link = link.parent

    def end(self, call: AsyncCall) -> None:
        """The caller goes on: nothing of the call stays with this thread. May be called again."""
        hidden, call.hidden_loop = call.hidden_loop, None
        if hidden is not None:
            show(hidden, call.hidden_task)
        thread = _chain.here.thread
        caller = thread.call
        outer = thread.host = call.outer_host
        call.link.close()
        call.host.close()
        if caller is not None:
            caller.waits_for(None)
            if outer is None and caller.home is not None:
                caller.home.resume(caller)
