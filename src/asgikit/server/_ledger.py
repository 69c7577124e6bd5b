"""What becomes of messages and instances, counted and told. No loop, no clock, no instance."""

from collections.abc import Hashable, Iterable
from typing import Generic, TypeVar, final

from asgikit.server._counters import Tally
from asgikit.server._decisions import is_failure, is_spent
from asgikit.server._failure import ApplicationFailure, FailureHook, logger, tell
from asgikit.server._mailbox import Letter, Mailbox, Outcome

__all__ = ("Ledger",)

_InT = TypeVar("_InT")


@final
class Ledger(Generic[_InT]):
    """The one place where the tally grows. Every method runs on the thread of the server's loop."""

    __slots__ = ("_max_deliveries", "_on_failure", "_tally")

    def __init__(self, *, tally: Tally, max_deliveries: int, on_failure: FailureHook) -> None:
        self._tally = tally
        self._max_deliveries = max_deliveries
        self._on_failure = on_failure

    def started(self) -> None:
        """Note that an instance starts."""
        self._tally.started += 1

    def evicted(self) -> None:
        """Note that an instance is told to end."""
        self._tally.evicted += 1

    def ended(self, scope_id: Hashable, scope: object, error: BaseException | None, *, evicted: bool) -> None:
        """Note how the instance of a scope ended, in `error` or well, and tell the hook of a failure."""
        if error is None:
            self._tally.finished += 1
        elif is_failure(error, evicted=evicted):
            self._tally.failed += 1
            tell(self._on_failure, ApplicationFailure(scope_id, scope, error))

    def took(self, letter: Letter[_InT]) -> None:
        """Note that an application took the letter."""
        letter.deliveries += 1
        self._tally.delivered += 1

    def settle(self, letter: Letter[_InT], outcome: Outcome) -> None:
        """Note what became of a letter, and tell the one who delivered it; an error of theirs is logged."""
        if outcome is Outcome.HANDLED:
            self._tally.handled += 1
        else:
            self._tally.lost += 1
        try:
            letter.settle(outcome)
        except Exception:
            logger.exception("A `done` callback failed; it was told %s", outcome)

    def settle_all(self, letters: Iterable[Letter[_InT]], outcome: Outcome) -> None:
        """Do so for each of them."""
        for letter in letters:
            self.settle(letter, outcome)

    def try_again(self, letters: Iterable[Letter[_InT]], mailbox: Mailbox[_InT]) -> None:
        """Put letters that were taken in vain back at the head of the mailbox, but give up those that are spent."""
        again: list[Letter[_InT]] = []
        for letter in letters:
            if is_spent(deliveries=letter.deliveries, max_deliveries=self._max_deliveries):
                self.settle(letter, Outcome.FAILED)
            else:
                again.append(letter)
        self._tally.retried += len(again)
        mailbox.put_back(again)

    def charge_untaken(self, mailbox: Mailbox[_InT]) -> None:
        """Count the first letter as tried: an application that takes nothing would be started for it for ever."""
        if mailbox:
            letter, moved = mailbox.take()
            letter.deliveries += 1
            self.try_again([letter], mailbox)
            if moved is not None:
                moved.admit()
