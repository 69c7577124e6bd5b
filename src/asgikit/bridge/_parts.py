"""The moving parts of one bridge, and how a crossing uses them. All views of a bridge share one `Parts`."""

import asyncio
import sys
import threading
import time
import warnings
from asyncio import AbstractEventLoop, _get_running_loop, _set_running_loop
from collections.abc import Awaitable, Callable
from contextvars import Context, copy_context
from typing import Any, final

from asgikit.bridge import _chain
from asgikit.bridge._async_call import AsyncCall
from asgikit.bridge._context import own_context
from asgikit.bridge._exit import Closable, at_exit
from asgikit.bridge._homes import as_home
from asgikit.bridge._links import ExecutorScopeLink, HostLink, LeaseScopeLink, Link
from asgikit.bridge._mailbox import Mailboxes
from asgikit.bridge._options import Options
from asgikit.bridge._others import no_loop
from asgikit.bridge._routing import enclosing_host, loop_scope, sensitive_home
from asgikit.bridge._sync_call import SyncCall
from asgikit.bridge._turns import Turns
from asgikit.bridge._watch import Watch, watch
from asgikit.errors import ClosedError, DeadlockError, LoopUnavailableError, RunningLoopError, ScopeError
from asgikit.executor import CurrentThreadExecutor, name_of
from asgikit.protocols import Clock, ExecutorLike, Inbox, Lease, LoopRunner, Observer, SensitivePool, WorkerHome

__all__ = ("Parts",)


@final
class Parts:
    """Pools, runner and clock of one bridge; begins crossings of both kinds."""

    def __init__(
        self,
        sensitive_pool: SensitivePool,
        worker_pool: ExecutorLike,
        loop_runner: LoopRunner,
        clock: Clock,
        observers: tuple[Observer, ...],
        stall_report_after: float | None,
        shutdown_grace: float,
        owned: tuple[Closable, ...],
    ) -> None:
        self.sensitive_pool: SensitivePool = sensitive_pool
        self.free_home: WorkerHome = as_home(worker_pool)
        self.loop_runner: LoopRunner = loop_runner
        self.clock: Clock = clock
        self.observers: tuple[Observer, ...] = observers
        self.shutdown_grace: float = shutdown_grace
        self._stall_report_after = stall_report_after
        self._owned = owned
        self.closed: bool = False
        self._begin_process()
        at_exit.add(self)

    def _begin_process(self) -> None:
        """Start with nothing under way: at birth, and in a forked child."""
        self.process: object = _chain.process.token
        self.lock: threading.Lock = threading.Lock()
        self.turns: Turns = Turns()
        self._mailboxes = Mailboxes(self.clock, self._stall_report_after)
        self._default: Lease | None = None

    # Sync from async: on the thread of the loop

    def begin_sync(
        self,
        fn: Callable[..., Any],
        options: Options,
        home: WorkerHome | None,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> SyncCall:
        """Make a call and post it. `home` is None for a thread-sensitive one."""
        loop = _get_running_loop()
        if loop is None or self.closed or self.process is not _chain.process.token:
            self._check_open(loop)
        assert loop is not None  # noqa: S101 - else it was said
        link = _chain.current.get()
        mailbox = self._mailboxes.of(loop)
        call = SyncCall(fn, args, kwargs, self, link, loop, mailbox, home)
        if self.observers:
            call.watch = self._watch_sync(call)
        if options.context is None and options.context_policy == "propagate":
            call.propagate(copy_context())
            self.post(call)
        else:
            self._send(call, options)
        if not call.settled:
            mailbox.waiting.add(call, loop)
        return call

    def _watch_sync(self, call: SyncCall) -> Watch | None:
        host = enclosing_host(call.link)
        parent = None if host is None else host.crossing
        return watch(self.observers, self.clock, call.name, "sync_to_async", parent)

    def _check_open(self, loop: AbstractEventLoop | None) -> None:
        """Say why no crossing can begin, or begin anew in a forked child."""
        if loop is None and not self.closed:
            raise no_loop()
        self._begin_anew()

    def _begin_anew(self) -> None:
        if self.closed:
            raise ClosedError("this bridge is closed; make a new one, or keep it open as long as it is used")
        if sys.is_finalizing():
            message = "the interpreter is shutting down and its threads are gone; cross before, in an atexit handler"
            raise LoopUnavailableError(message)
        if self.process is not _chain.process.token:
            self._begin_process()

    def begin_step(
        self, fn: Callable[[], Any], link: Link | None, context: Context, home: WorkerHome | None, lease: Lease | None
    ) -> SyncCall:
        """Make one of several calls that share a thread and a context, and post it. `home` may be their own `lease`."""
        loop = asyncio.get_running_loop()
        self._check_open(loop)
        mailbox = self._mailboxes.of(loop)
        call = SyncCall(fn, (), {}, self, link, loop, mailbox, home)
        if self.observers:
            call.watch = self._watch_sync(call)
        call.isolate(context)
        self.post_late(call)
        if lease is not None and lease.waiting:
            self._expire_later(lease, call)
        if not call.settled:
            mailbox.waiting.add(call, loop)
        return call

    def home_for(self, options: Options) -> WorkerHome | None:
        """Return where calls with these options go; None leaves it to the chain: they are thread-sensitive."""
        if options.executor is not None:
            return as_home(options.executor)
        return self.free_home if options.thread_sensitive is False else None

    def _send(self, call: SyncCall, options: Options) -> None:
        """Choose the context of a call and post it."""
        if options.context is not None:
            call.use(options.context)
            return
        if options.context_policy == "shared":
            call.share(own_context())
            loop = call.waiter.get_loop()
            loop.call_soon(self.post_late, call)  # after this step of the task, which is in that context
        else:
            call.isolate(copy_context())
            self.post(call)

    def post(self, call: SyncCall, /) -> None:
        """Find the home of a call, and post it there."""
        if call.free_home is not None:
            call.home = call.free_home
            call.home.post(call)
            return
        while True:
            target = sensitive_home(call.link)
            call.home = home = self._home_of(target)
            if home.thread_id == threading.get_ident() and _get_running_loop() is call.loop:
                _run_inline(call)
                return
            try:
                home.post(call)
            except (ClosedError, ScopeError):
                if target is None or target.live:
                    raise
                continue  # it ended at this moment: the chain leads elsewhere now
            if isinstance(target, LeaseScopeLink) and target.lease.waiting:
                self._expire_later(target.lease, call)
            return

    def post_late(self, call: SyncCall, /) -> None:
        """The same for a call that is awaited already: what fails is its outcome."""
        try:
            self.post(call)
        except Exception as error:
            call.fail(error)

    def _home_of(self, target: HostLink | ExecutorScopeLink | LeaseScopeLink | None) -> WorkerHome:
        if target is None:
            default = self._default
            if default is None:
                default = self._default = self.sensitive_pool.default()
            return default
        if isinstance(target, HostLink):
            return target.host
        if isinstance(target, LeaseScopeLink):
            return target.lease
        if target.home is None or not target.live:
            message = (
                "the thread-sensitive scope that this task was started in has exited, and its executor with it;"
                " await the task inside the scope, or start it outside"
            )
            raise ScopeError(message)
        return target.home

    def _expire_later(self, lease: Lease, call: SyncCall) -> None:
        timeout = self.sensitive_pool.lease_timeout
        if timeout is not None and call.loop is not None:
            self.clock.call_later(call.loop, timeout, lease.expire)

    # Async from sync: on the calling thread

    def begin_async(
        self, fn: Callable[..., Awaitable[Any]], options: Options, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> AsyncCall:
        """Make a call and post it to its loop.

        Raises:
            RunningLoopError: this thread runs an event loop.
            CancelledError: the caller of the running function was cancelled; raised once.
        """
        running = _get_running_loop()
        if running is not None:
            self._check_running(running, fn)
        if self.closed or self.process is not _chain.process.token or sys.is_finalizing():
            self._begin_anew()
        thread = _chain.here.thread
        caller = thread.call
        link = _chain.current.get()
        if caller is not None:
            caller.check_abandoned()
            link = link or caller.link
        host = CurrentThreadExecutor(inbox=self._inbox(caller))
        call = AsyncCall(
            fn,
            args,
            kwargs,
            HostLink(link, host),
            self.clock,
            options.timeout,
            self.shutdown_grace,
            writes_back=options.context_policy != "isolate",
        )
        if running is not None:
            call.hidden_loop = running
            _set_running_loop(None)
        call.link.blocks = running if caller is None else running or caller.blocks
        if self.observers:
            call.watch = self._watch_async(call, caller, link)
        thread.host, call.outer_host = host, thread.host
        try:
            if caller is not None:
                caller.waits_for(call)
            self._post_async(call, caller, link, options)
        except BaseException:
            call.cancel()
            self.end_async(call)
            raise
        return call

    def _check_running(self, running: AbstractEventLoop, fn: object) -> None:
        """Refuse to block the loop that this thread runs, unless the runner says so (invariant F2)."""
        if not getattr(self.loop_runner, "blocks_running_loop", False):
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
        found = watch(self.observers, self.clock, call.name, "async_to_sync", parent)
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

    def _post_async(self, call: AsyncCall, caller: SyncCall | None, link: Link | None, options: Options) -> None:
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
        scope = None if options.force_new_loop else loop_scope(link)
        runner = self.loop_runner if scope is None else scope.runner
        runner.post(call)

    def pause_async(self, call: AsyncCall) -> None:
        """The caller goes on for a while, and will host again later."""
        if call.hidden_loop is not None:
            _set_running_loop(call.hidden_loop)
        thread = _chain.here.thread
        thread.host = call.outer_host
        if thread.call is not None:
            thread.call.waits_for(None)

    def resume_async(self, call: AsyncCall) -> None:
        """The caller hosts again."""
        if call.hidden_loop is not None:
            _set_running_loop(None)
        thread = _chain.here.thread
        thread.host, call.outer_host = call.host, thread.host
        if thread.call is not None:
            thread.call.waits_for(call)

    def _check_blocked(self, loop: AbstractEventLoop, call: AsyncCall) -> None:
        """Refuse to wait for a loop that stands still until this call has ended."""
        link: Link | None = call.link
        while link is not None:
            if isinstance(link, HostLink) and link.live and link.blocks is loop:
                message = (
                    f"deadlock: {call.name} would run on a loop whose thread {link.host.thread_id} is blocked in"
                    " async_to_sync and waits for this very call"
                )
                raise DeadlockError(message)
            link = link.parent

    def end_async(self, call: AsyncCall) -> None:
        """The caller goes on: nothing of the call stays with this thread."""
        if call.hidden_loop is not None:
            _set_running_loop(call.hidden_loop)
        thread = _chain.here.thread
        caller = thread.call
        outer = thread.host = call.outer_host
        call.link.close()
        call.host.close()
        if caller is not None:
            caller.waits_for(None)
            if outer is None and caller.home is not None:
                caller.home.resume(caller)

    # The end

    def observe(self, observer: Observer) -> None:
        """Tell `observer` of all crossings that begin from now on."""
        with self.lock:
            self.observers = (*self.observers, observer)

    def stop_observing(self, observer: Observer) -> None:
        """Tell `observer` of no more crossings; those under way are told to their end."""
        with self.lock:
            left = list(self.observers)
            left.remove(observer)
            self.observers = tuple(left)

    def close(self, grace: float) -> None:
        """Refuse new crossings and close the parts that came with this bridge, all within `grace` seconds."""
        self.closed = True
        at_exit.discard(self)
        deadline = time.monotonic() + grace
        for part in self._owned:
            part.close(max(0.0, deadline - time.monotonic()))

    def wait_at_exit(self, grace: float) -> None:
        """Let calls under way end, for at most `grace` seconds, and name those that do not."""
        deadline = time.monotonic() + min(grace, self.shutdown_grace)
        for part in self._owned:
            part.drain(max(0.0, deadline - time.monotonic()))

    def __del__(self) -> None:
        if getattr(self, "closed", True) or sys.is_finalizing() or self.process is not _chain.process.token:
            return
        if any(part.started for part in self._owned):
            warnings.warn("a bridge was never closed; close it where it was made", ResourceWarning, stacklevel=2)
        self.close(0)


def _run_inline(call: SyncCall) -> None:
    """Run a call whose home is the very thread that runs the loop (invariant A4), which does not see the loop."""
    loop = call.loop
    call.blocks, call.loop = loop, None
    _set_running_loop(None)
    try:
        call.run()
    finally:
        _set_running_loop(loop)
    call.settle()
