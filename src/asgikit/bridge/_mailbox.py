"""Outcomes on their way to an event loop: however many arrive together, they cost one wake-up."""

import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, final
from weakref import ref

from asgikit.bridge._waiting import StallPolicy, WaitingCalls
from asgikit.protocols import Clock

if TYPE_CHECKING:
    from asgikit.bridge._sync_call import SyncCall

__all__ = ("Mailbox", "Mailboxes", "Outcome")


class Outcome(Protocol):
    """Something that has ended on another thread."""

    def settle(self, *, prompt: bool) -> None:
        """Tell whoever waits on the loop, and let it go on at once if `prompt`. Runs on the loop's thread."""

    def lost(self) -> None:
        """The loop is closed: nobody can be told. Any thread."""


@final
class Mailbox:
    """The outcomes for one loop, and the calls that it waits for. It does not hold the loop."""

    __slots__ = ("_lock", "_outcomes", "_scheduled", "waiting")

    def __init__(self, policy: StallPolicy) -> None:
        self.waiting: WaitingCalls = WaitingCalls(policy)
        self._lock = threading.Lock()
        self._outcomes: list[Outcome] = []
        self._scheduled = False

    def put(self, outcome: Outcome, loop: AbstractEventLoop) -> None:
        """Have `outcome.settle()` called on `loop`. Any thread."""
        with self._lock:
            self._outcomes.append(outcome)
            if self._scheduled:
                return
            self._scheduled = True
        try:
            loop.call_soon_threadsafe(self._settle_all)
        except RuntimeError:  # closed
            for lost in self._take():
                lost.lost()

    def _settle_all(self) -> None:
        """Settle the first outcome, for which this was scheduled, promptly; those that came later keep their turn.

        What their functions have posted to the loop before they returned has to run before their callers go on.
        """
        first, *others = self._take()
        try:
            first.settle(prompt=True)
        finally:  # its task may go on and raise out of the loop
            for outcome in others:
                outcome.settle(prompt=False)

    def _take(self) -> list[Outcome]:
        with self._lock:
            outcomes, self._outcomes = self._outcomes, []
            self._scheduled = False
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
        with self._lock:
            known = self._by_loop.get(id(loop))
            if known is None or known[0]() is not loop:
                self._forget_closed()
                known = self._by_loop[id(loop)] = ref(loop), Mailbox(self._policy)
            self._last = known
        return known[1]

    def _forget_closed(self) -> None:
        """Let go of loops that have ended: what was waited for there would keep them. Called with the lock held."""
        for key, (known, _) in list(self._by_loop.items()):
            loop = known()
            if loop is None or loop.is_closed():
                del self._by_loop[key]

    def _all_waiting(self) -> "list[SyncCall]":
        """Return the calls that any loop waits for."""
        with self._lock:
            mailboxes = [mailbox for _, mailbox in self._by_loop.values()]
        return [call for mailbox in mailboxes for call in mailbox.waiting.calls.copy()]
