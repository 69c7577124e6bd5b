"""One synchronous call made from async code, from the queue to its outcome: the work of `sync_to_async`.

Three threads meet in it. The loop's thread makes it, awaits it and may be cancelled meanwhile; a worker
thread runs it; the outcome comes back through the loop's mailbox. The gate decides between the two that may
both want it before it has begun: who takes it first, runs or cancels.
"""

import functools
import logging
import sys
import threading
from asyncio import AbstractEventLoop, CancelledError, Future
from collections.abc import Callable
from concurrent.futures import CancelledError as Dropped
from contextvars import Context
from typing import TYPE_CHECKING, Any, Protocol

from asgikit.bridge import _chain
from asgikit.bridge._context import changed, run_in, write_back
from asgikit.bridge._hidden import hide, show
from asgikit.bridge._mailbox import Mailbox
from asgikit.bridge._others import ANYIO, lend_to_anyio, take_from_anyio
from asgikit.bridge._step import resume
from asgikit.bridge._turns import Turns
from asgikit.bridge._waits import awaiting_stack
from asgikit.bridge._watch import Watch
from asgikit.bridge._withstanding import WithstandingWaiter
from asgikit.errors import ClosedError, LoopUnavailableError, ScopeError
from asgikit.executor import name_of, without_this_frame
from asgikit.protocols import WorkerHome

if TYPE_CHECKING:
    from asgikit.bridge._async_call import AsyncCall
    from asgikit.bridge._links import Link

__all__ = ("SyncCall",)

_logger = logging.getLogger("asgikit")


class Router(Protocol):
    """The bridge, as its calls see it."""

    lock: threading.Lock
    turns: Turns

    def post(self, call: "SyncCall", /) -> None:
        """Find the home of a call, and post it there."""

    def post_late(self, call: "SyncCall", /) -> None:
        """The same for a call that is awaited already: what fails is its outcome."""


class SyncCall:
    """A call of a synchronous function on its way (`asgikit.protocols.Work`)."""

    __slots__ = (
        "_after",
        "_args",
        "_before",
        "_context",
        "_error",
        "_fn",
        "_gate",
        "_given",
        "_kwargs",
        "_mailbox",
        "_router",
        "_shared",
        "_value",
        "abandoned",
        "blocks",
        "caller",
        "cancelled",
        "free_home",
        "home",
        "inner",
        "inside",
        "link",
        "loop",
        "ran",
        "refused",
        "settled",
        "waiter",
        "watch",
    )

    def __init__(
        self,
        fn: Callable[..., Any],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        router: Router,
        link: "Link | None",
        loop: AbstractEventLoop,
        mailbox: Mailbox,
        free_home: WorkerHome | None,
    ) -> None:
        self._fn = fn
        self._args = args
        self._kwargs = kwargs
        self._router = router
        self.link: "Link | None" = link
        self.loop: AbstractEventLoop | None = loop  # None: it runs inline
        self._mailbox = mailbox
        self.free_home: WorkerHome | None = free_home  # None: the call is thread-sensitive, and the chain decides
        self.waiter: Future[None] = loop.create_future()
        self._gate = threading.Lock()
        self._context: Context | None = None
        self._before: Context | None = None  # None: nothing is written back
        self._after: Context | None = None
        self._given: Context | None = None  # where changes are written to, if not to the awaiting task's own
        self._shared = False
        self._value: Any = None
        self._error: BaseException | None = None
        self.home: WorkerHome | None = None
        self.inner: AsyncCall | None = None  # the coroutine that the function is waiting for
        self.caller: SyncCall | None = None  # the call in which the awaiting task's loop runs, as in asyncio.run
        self.inside: tuple[int, AbstractEventLoop] | None = None  # this call's thread, and the loop that runs in it
        self.watch: Watch | None = None  # None: nobody wants to know
        self.blocks: AbstractEventLoop | None = None  # the loop that stands still while the call runs inline
        self.ran: bool = False
        self.settled: bool = False
        self.cancelled: bool = False  # the task that awaits was cancelled
        self.abandoned: bool = False  # ... and waits no more
        self.refused: bool = False  # ... and the function has been told so

    @property
    def name(self) -> str:
        return name_of(self._fn)

    # On the thread of the loop, before it is posted

    def propagate(self, context: Context) -> None:
        """Run in a copy of `context`, and write back what the function changes."""
        self._before = context
        self._context = context.copy()

    def isolate(self, context: Context) -> None:
        """Run in `context`, a copy, and write nothing back."""
        self._context = context

    def share(self, context: Context) -> None:
        """Run in `context`, the task's own."""
        self._context = context
        self._shared = True
        self.waiter = WithstandingWaiter(self.waiter.get_loop(), self._withstands)

    def use(self, context: Context) -> None:
        """Run in a copy of `context`, which was given, once it is this call's turn, and write changes back to it."""
        self._given = context
        line = self._router.turns.begin(context, self)
        if line is None:
            self.take_turn()
        else:
            self._context, self.home = context, line  # until then

    def take_turn(self) -> None:
        """Post the call: no other is using the given context."""
        given = self._given
        if given is None:
            return  # it was cancelled and has left the line, while this was on its way
        if self.cancelled:
            self._leave_turn()
            return
        self.propagate(given.copy())
        self._router.post_late(self)

    def _leave_turn(self) -> None:
        if self._given is not None:
            self._router.turns.end(self._given, self)
            self._given = None

    # On the worker thread

    def run_between(self, loop: AbstractEventLoop | None) -> None:
        """Run on the thread of `loop`, between two of its callbacks; the function does not see the loop."""
        self.blocks = loop
        task = None if loop is None else hide(loop)
        try:
            self.run()
        finally:
            if loop is not None:
                show(loop, task)

    def run(self) -> None:
        if not self._gate.acquire(False):  # noqa: FBT003 - twice as quick as by keyword
            return  # cancelled before it began
        context = self._context
        assert context is not None  # noqa: S101 - chosen before it was posted
        thread = _chain.here.thread
        outer, thread.call = thread.call, self
        self.ran = True
        lent = raised = None
        try:
            if ANYIO in sys.modules:
                lent = lend_to_anyio(self.loop)
            if self.watch is None:
                self._value = context.run(self._fn, *self._args, **self._kwargs)
            else:
                context.run(self._watched, self.watch)
        except BaseException as error:  # every outcome belongs to the awaiting task
            raised = error
        if thread.call is not self:
            raise SystemExit  # a forked child came back through its parent's call: it ends, and tells nobody
        thread.call = outer  # before anything is called: else Ctrl-C could leave this thread in the call for good
        if lent is not None:
            take_from_anyio(lent)
        if raised is not None:
            self._error = without_this_frame(raised)
            del raised  # this frame is below the error's: it must not lead back to it (invariant I2)
        self._context = None
        self._args, self._kwargs = (), {}
        if self._before is not None and changed(self._before, context):
            self._after = context

    def _watched(self, watch: Watch) -> None:
        """Call the function, keep the outcome and tell observers. Runs in the context of the call."""
        watch.started()
        try:
            self._value = self._fn(*self._args, **self._kwargs)
        except BaseException as error:  # as in `run`
            self._error = without_this_frame(error)
        watch.finished(self._error)

    def stack(self) -> str:
        """Return the stack of the task that awaits this call."""
        return "" if self.loop is None else awaiting_stack(self.loop, self.waiter)

    def check_abandoned(self) -> None:
        """Refuse the first crossing after nobody waits for the function any more (invariant B2).

        Raises:
            CancelledError: once; later crossings work, so that `finally` can clean up.
        """
        if self.abandoned and not self.refused:
            self.refused = True
            message = f"nobody waits for {self.name} any more: the task that awaited it was cancelled"
            raise CancelledError(message)

    def check_cancelled(self) -> None:
        """Give up if the awaiting task was cancelled.

        Raises:
            CancelledError: it was.
        """
        if self.cancelled:
            self.refused = True
            message = f"the task that awaited {self.name} was cancelled"
            raise CancelledError(message)

    def waits_for(self, inner: "AsyncCall | None") -> None:
        """Note the coroutine that the function is blocked on, so that a cancellation can reach it."""
        with self._router.lock:
            self.inner = inner
        if inner is not None and not inner.insists:
            self.check_abandoned()

    def deliver(self) -> None:
        if self.abandoned:
            self._late()  # here and now: its loop may stand still by now, and for good
        elif (self.ran or self._error is not None) and self.loop is not None:
            self._mailbox.put(self, self.loop)

    def fail(self, error: BaseException, /) -> None:
        if isinstance(error, ClosedError | ScopeError) and not self._gate.locked():  # its home ended: try another
            try:
                self._router.post(self)
            except Exception as refusal:
                error = refusal
            else:
                return
        if self._gate.acquire(blocking=False):
            self._error = error
            self.deliver()

    # For executors that work elsewhere

    def bare(self) -> "functools.partial[Any]":
        """The user's function and arguments alone."""
        return functools.partial(self._fn, *self._args, **self._kwargs)

    def outcome(self) -> Any:
        """The result of `run`, or its exception raised."""
        if self._error is not None:
            raise self._error
        return self._value

    def adopt(self, value: Any, error: BaseException | None, /) -> None:
        """Take an outcome that was made elsewhere; if nobody waits for it, report an error."""
        if self._gate.acquire(blocking=False):
            self._value, self._error, self.ran = value, error, True
        elif self.cancelled and error is not None and not isinstance(error, Dropped):
            self._error = error
            self._late()

    # On the thread of the loop

    def settle(self, *, prompt: bool) -> None:
        """Let the awaiting task go on, at once if `prompt`."""
        self.settled = True
        self._mailbox.waiting.calls.discard(self)
        if self.abandoned:
            self._late()
        elif self.waiter.done():
            """It was cancelled, and its task will hear of both."""
        elif prompt:
            resume(self.waiter)
        else:
            self.waiter.set_result(None)

    def lost(self) -> None:
        """The loop is closed: nobody will ever ask."""
        self._mailbox.waiting.calls.discard(self)
        self._leave_turn()
        self._late()

    def forsaken(self) -> None:
        """Nobody will ever ask, as if the task that awaits were cancelled twice. Any thread.

        The loop was closed without cancelling that task, or the coroutine that awaits was closed or collected.
        """
        self.cancelled = True
        self.interrupted()

    def interrupted(self) -> bool:
        """The awaiting task was cancelled: say whether it shall stop waiting."""
        again, self.cancelled = self.cancelled, True
        if self.settled:
            self._late()
        elif self._shared and self.waiter.cancelled():
            """It never runs: `_withstands` has seen to that."""
        elif not self._gate.acquire(blocking=False) and self._keeps_waiting(again=again):
            self.waiter = self.waiter.get_loop().create_future()
            return False
        self._mailbox.waiting.calls.discard(self)
        self._leave_turn()
        return True

    def _withstands(self) -> bool:
        """The awaiting task, whose own context this shares, is being cancelled: say whether it has to wait on."""
        again, self.cancelled = self.cancelled, True
        return not self._gate.acquire(blocking=False) and self._keeps_waiting(again=again)

    def _keeps_waiting(self, *, again: bool) -> bool:
        """The function is running: cancel what it is waiting for and await it, or abandon it."""
        with self._router.lock:  # against a crossing that begins at this moment
            inner = None if again else self.inner
            self.abandoned = inner is None and not self._shared
        if inner is not None:
            inner.cancel(missed=self._not_cancelled)
        elif self.abandoned and self.home is not None:
            if self.watch is not None:
                self.watch.abandoned()
            self.home.abandon(self)
        return not self.abandoned

    @property
    def goes_on(self) -> bool:
        """Whether its function runs, or is about to, although nobody waits for it any more."""
        return self.abandoned and (self.ran or self._error is None)

    def leave(self) -> None:
        """Nobody waits any more, but the call is made all the same: it may cross, and its thread is not given up."""
        if self.abandoned or (self.cancelled and self.settled):
            return  # it was `interrupted`
        self.cancelled = self.abandoned = self.refused = True
        self.waiter.cancel()
        self._mailbox.waiting.calls.discard(self)
        if self.settled:
            self._late()

    def _not_cancelled(self) -> None:
        """The coroutine had ended already when it was to be cancelled: the function is in plain code. Any thread."""
        loop = self.loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._stop_waiting)

    def _stop_waiting(self) -> None:
        self.waiter.cancel()  # the one that there is by now

    def _late(self) -> None:
        """Report an error that nobody waits for; a result may be dropped in silence (invariant B3)."""
        error, self._error = self._error, None  # its frames lead here (invariant I2)
        if error is None:
            return
        if isinstance(error, CancelledError | LoopUnavailableError):  # its loop ended with its caller
            _logger.debug("the abandoned call of %s ended", self.name, exc_info=error)
        else:
            _logger.error("%s failed after its caller had stopped waiting", self.name, exc_info=error)

    def _finish(self) -> None:
        """Write changed context variables back, and let the next call have a given context. In the awaiting task."""
        if self._before is not None and self._after is not None:
            if self._given is None:
                write_back(self._before, self._after)
            else:
                run_in(self._given, write_back, self._before, self._after)
        self._leave_turn()
        if self._shared and self.cancelled:
            self._late()
            self._error = CancelledError()

    def take(self) -> tuple[Any, BaseException | None]:
        """Hand the outcome over. In the awaiting task."""
        if self._after is not None or self._given is not None or self._shared:
            self._finish()
        value, error = self._value, self._error
        self._value = self._error = None  # the error's frames lead here, and must not lead back (invariant I2)
        return value, error
