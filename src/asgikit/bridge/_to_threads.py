"""Synchronous calls from async code, from the awaiting task to the queue of their thread. Runs on the loop's thread."""

import asyncio
import threading
from asyncio import AbstractEventLoop, _get_running_loop
from collections.abc import Callable
from contextlib import suppress
from contextvars import Context, copy_context
from typing import Any, final

from asgikit.bridge import _chain
from asgikit.bridge._context import own_context
from asgikit.bridge._links import LeaseScopeLink, Link
from asgikit.bridge._mailbox import Held, Mailbox, Mailboxes
from asgikit.bridge._options import Options
from asgikit.bridge._others import no_loop
from asgikit.bridge._resources import Resources
from asgikit.bridge._routing import enclosing_host, sensitive_home
from asgikit.bridge._sync_call import SyncCall
from asgikit.bridge._turns import Turns
from asgikit.bridge._watch import Watch, watch
from asgikit.errors import ClosedError, ScopeError
from asgikit.executor import ForkGuard
from asgikit.protocols import Lease, WorkerHome

__all__ = ("ToThreads",)


@final
class ToThreads:
    """Begins the synchronous calls of one bridge, and finds the thread for each."""

    def __init__(self, resources: Resources) -> None:
        self._resources = resources
        self._fork = ForkGuard()
        self._begin_process()

    def _begin_process(self) -> None:
        """Start with nothing under way: at birth, and in a forked child."""
        self.lock: threading.Lock = threading.Lock()
        self.turns: Turns = Turns()
        self._mailboxes = Mailboxes(self._resources.clock, self._resources.stall_report_after)
        self._default: Lease | None = None
        self._process: object = _chain.process.token  # last: other threads of a forked child look at it

    def begin(
        self,
        fn: Callable[..., Any],
        options: Options,
        home: WorkerHome | None,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> SyncCall:
        """Make a call and post it. `home` is None for a thread-sensitive one."""
        loop = _get_running_loop()
        if loop is None or self._resources.closed or self._process is not _chain.process.token:
            self._check_open(loop)
        assert loop is not None  # noqa: S101 - else it was said
        mailbox = self._mailboxes.of(loop)
        call = SyncCall(fn, args, kwargs, self, _chain.current.get(), loop, mailbox, home)
        caller = _chain.here.thread.call
        if caller is not None:
            _runs_loop(caller, loop)
            call.caller = caller
        if self._resources.observers:
            call.watch = self._watch(call)
        if options.context is None and options.context_policy == "propagate":
            call.propagate(copy_context())
            self.post(call)
        else:
            self._send(call, options)
        if not call.settled:
            mailbox.waiting.add(call, loop)
        return call

    def _check_open(self, loop: AbstractEventLoop | None) -> None:
        """Say why no crossing can begin, or begin anew in a forked child."""
        if loop is None and not self._resources.closed:
            raise no_loop()
        self._resources.check_open()
        if self._process is not _chain.process.token:
            self._fork.renew(self._begin_process)

    def hold(self, held: Held) -> Mailbox | None:
        """Have `held` released if the running loop is closed before; return the mailbox that keeps it till then."""
        loop = _get_running_loop()
        if loop is None:
            return None
        if self._process is not _chain.process.token:
            self._fork.renew(self._begin_process)
        mailbox = self._mailboxes.of(loop)
        mailbox.held.add(held)
        return mailbox

    def let_go(self) -> None:
        """Release what is held by loops that are closed. Any thread."""
        if self._process is _chain.process.token:
            self._mailboxes.let_go()

    def begin_step(
        self, fn: Callable[[], Any], link: Link | None, context: Context, home: WorkerHome | None, lease: Lease | None
    ) -> SyncCall:
        """Make one of several calls that share a thread and a context, and post it. `home` may be their own `lease`."""
        loop = asyncio.get_running_loop()
        self._check_open(loop)
        mailbox = self._mailboxes.of(loop)
        call = SyncCall(fn, (), {}, self, link, loop, mailbox, home)
        caller = _chain.here.thread.call
        if caller is not None:
            _runs_loop(caller, loop)
            call.caller = caller
        if self._resources.observers:
            call.watch = self._watch(call)
        call.isolate(context)
        self.post_late(call)
        if lease is not None and lease.waiting:
            self._expire_later(lease, call)
        if not call.settled:
            mailbox.waiting.add(call, loop)
        return call

    def _watch(self, call: SyncCall) -> Watch | None:
        host = enclosing_host(call.link)
        parent = None if host is None else host.crossing
        return watch(self._resources.observers, self._resources.clock, call.name, "sync_to_async", parent)

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
            home = self._default_home() if target is None else target.home
            call.home = home
            if home.thread_id == threading.get_ident() and _get_running_loop() is call.loop:
                _run_inline(call)
                return
            if call.caller is not None and _run_inside(call, call.caller, home.thread_id):
                return
            try:
                home.post(call)
            except (ClosedError, ScopeError):
                if target is None or target.live:
                    raise
                continue  # it ended at this moment: the chain leads elsewhere now
            if isinstance(target, LeaseScopeLink) and target.home.waiting:
                self._expire_later(target.home, call)
            return

    def post_late(self, call: SyncCall, /) -> None:
        """The same for a call that is awaited already: what fails is its outcome."""
        try:
            self.post(call)
        except Exception as error:
            call.fail(error)

    def _default_home(self) -> Lease:
        default = self._default
        if default is None:
            default = self._default = self._resources.sensitive_pool.default()
        return default

    def _expire_later(self, lease: Lease, call: SyncCall) -> None:
        timeout, loop = self._resources.sensitive_pool.lease_timeout, call.loop
        if timeout is None or loop is None:
            return
        if _get_running_loop() is loop:
            self._resources.clock.call_later(loop, timeout, lease.expire)
        else:  # sent on by the thread of a home that has ended
            with suppress(RuntimeError):  # closed
                loop.call_soon_threadsafe(self._resources.clock.call_later, loop, timeout, lease.expire)


def _runs_loop(caller: SyncCall, loop: AbstractEventLoop) -> None:
    """Note that synchronous code runs a loop on this thread, with asyncio.run or the like."""
    caller.inside = threading.get_ident(), loop
    if caller.home is not None:
        caller.home.host(caller)  # until it ends: a worker that runs a loop holds up none of a bounded pool


def _run_inline(call: SyncCall) -> None:
    """Run a call whose home is the very thread that runs the loop (invariant A4)."""
    loop, call.loop = call.loop, None
    call.run_between(loop)
    call.settle(prompt=False)


def _run_inside(call: SyncCall, above: SyncCall, thread_id: int | None) -> bool:
    """Run a call on its home thread although that runs an event loop, from inside which the call was made.

    It runs between two callbacks of that loop (invariant A4).
    """
    inside = above.inside
    while inside is None or inside[0] != thread_id:
        if above.caller is None:
            return False
        above = above.caller
        inside = above.inside
    loop = inside[1]
    if not loop.is_running():  # it stands still, and may for ever
        return False
    try:
        loop.call_soon_threadsafe(_run_between, call, loop)
    except RuntimeError:  # it has just ended: the thread will be free
        return False
    return True


def _run_between(call: SyncCall, loop: AbstractEventLoop) -> None:
    call.run_between(loop)
    call.deliver()
