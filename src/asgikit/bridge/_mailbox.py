"""Outcomes on their way to an event loop: however many arrive together, they cost one wake-up."""

import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, final
from weakref import ref

from asgikit.bridge._waiting import StallPolicy, WaitingCalls
from asgikit.protocols import Clock

if TYPE_CHECKING:
    from asgikit.bridge._sync_call import SyncCall

__all__ = ("Mailbox", "Mailboxes", "Outcome")


class Held(Protocol):
    """What a task keeps until it gives it back."""

    def release(self) -> None:
        """Give it back in the task's stead. Any thread; idempotent."""


class Outcome(Protocol):
    """Something that has ended on another thread."""

    def settle(self, *, prompt: bool) -> None:
        """Tell whoever waits on the loop, and let it go on at once if `prompt`. Runs on the loop's thread."""

    def lost(self) -> None:
        """The loop is closed: nobody can be told. Any thread."""


@final
class Mailbox:
    """The outcomes for one loop, the calls that it waits for and what its scopes hold. It does not hold the loop.

    The lock can be taken twice: the garbage collector may end a scope on a thread that holds it, and refuse calls.
    """

    __slots__ = ("_lock", "_outcomes", "_scheduled", "held", "waiting")

    def __init__(self, policy: StallPolicy) -> None:
        self.waiting: WaitingCalls = WaitingCalls(policy)
        self.held: set[Held] = set()
        self._lock = threading.RLock()
        self._outcomes: list[Outcome] = []
        self._scheduled = False

    def put(self, outcome: Outcome, loop: AbstractEventLoop) -> None:
        """Have `outcome.settle()` called on `loop`. Any thread."""
        try:
            with self._lock:
                self._outcomes.append(outcome)
                if self._scheduled:
                    return
                self._scheduled = True
            loop.call_soon_threadsafe(self._settle_all)
        except RuntimeError:  # closed
            for lost in self._take():
                lost.lost()
        except BaseException:  # Ctrl-C on a thread that hosts: the loop may not have been told, and nobody else would
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(self._settle_all)
            raise

    def end(self) -> None:
        """The loop is closed, and may have cancelled none of its tasks: nothing waits for them, or they for anything.

        Any thread; called once.
        """
        for outcome in self._take():  # it had stopped before it could hear of these
            outcome.lost()
        # Running calls last: the worker that replaces theirs would at once run one that is still in line.
        for call in sorted(self.waiting.calls.copy(), key=_begun):
            call.forsaken()
        for held in self.held.copy():
            held.release()
        self.held.clear()

    def _settle_all(self) -> None:
        """Settle the first outcome, for which this was scheduled, promptly; those that came later keep their turn.

        What their functions have posted to the loop before they returned has to run before their callers go on.
        """
        outcomes = self._take()
        if not outcomes:  # the loop was told twice
            return
        first, *others = outcomes
        try:
            first.settle(prompt=True)
        finally:  # its task may go on and raise out of the loop
            for outcome in others:
                outcome.settle(prompt=False)

    def _take(self) -> list[Outcome]:
        with self._lock:
            self._scheduled = False  # first, lest an outcome that the collector puts in between be taken for announced
            outcomes, self._outcomes = self._outcomes, []
            return outcomes


@final
class Mailboxes:
    """The mailboxes of one bridge, one for each loop that awaits through it, for as long as the loop lives."""

    __slots__ = ("_by_loop", "_last", "_lock", "_policy")

    def __init__(self, clock: Clock, report_after: float | None) -> None:
        self._policy = StallPolicy(clock, report_after, self._all_waiting)
        self._lock = threading.Lock()
        # By identity, each with its loop to make sure: a dictionary of weak keys changes by itself, under no lock.
        self._by_loop: dict[int, tuple[Callable[[], AbstractEventLoop | None], Mailbox]] = {}
        self._last: tuple[Callable[[], AbstractEventLoop | None], Mailbox] = (lambda: None, Mailbox(self._policy))

    def of(self, loop: AbstractEventLoop) -> Mailbox:
        """Return the mailbox of `loop`. Called on the thread that runs it."""
        last, mailbox = self._last
        if last() is loop:
            return mailbox
        ended: list[Mailbox] = []
        with self._lock:
            known = self._by_loop.get(id(loop))
            if known is None or known[0]() is not loop:
                ended = self._take_closed()
                known = self._by_loop[id(loop)] = ref(loop), Mailbox(self._policy)
            self._last = known
        for mailbox in ended:
            mailbox.end()
        return known[1]

    def let_go(self) -> None:
        """Let go of loops that have ended. Any thread."""
        with self._lock:
            ended = self._take_closed()
        for mailbox in ended:  # without the lock: it calls what belongs to others
            mailbox.end()

    def _take_closed(self) -> list[Mailbox]:
        """Take out the mailboxes of loops that have ended. Called with the lock held."""
        loops = {key: known() for key, (known, _) in self._by_loop.items()}
        return [self._by_loop.pop(key)[1] for key, loop in loops.items() if loop is None or loop.is_closed()]

    def _all_waiting(self) -> "list[SyncCall]":
        """Return the calls that any loop waits for. Asked for a call that is stuck, which a closed loop may explain."""
        self.let_go()
        with self._lock:
            mailboxes = [mailbox for _, mailbox in self._by_loop.values()]
        return [call for mailbox in mailboxes for call in mailbox.waiting.calls.copy()]


def _begun(call: "SyncCall") -> bool:
    return call._gate.locked()
