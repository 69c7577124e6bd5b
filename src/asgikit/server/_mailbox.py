"""Messages on their way to one scope's application: bounded, in order, each with its outcome. Pure: no loop."""

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Generic, Literal, TypeAlias, TypeVar

from asgikit.errors import MailboxFullError

__all__ = ("Letter", "Mailbox", "Outcome", "QueuePolicy")

_InT = TypeVar("_InT")

QueuePolicy: TypeAlias = Literal["wait", "drop_oldest", "reject"]
"""What happens to a message for a full mailbox: it waits, or the oldest one there goes, or it is refused."""


class Outcome(Enum):
    """What became of a message that was delivered to a server."""

    HANDLED = "handled"
    """The application took it, and then came back for the next one or returned."""
    FAILED = "failed"
    """The application ended in an error over it, or never took it, as often as it may be tried."""
    DROPPED = "dropped"
    """The queue policy let it go to make place for a newer one."""
    DISCARDED = "discarded"
    """Its scope was discarded, or the server stopped, before it was handled."""


@dataclass(slots=True, eq=False)
class Letter(Generic[_InT]):
    """One message, with whom to tell when it has a place (`admitted`) and what became of it (`done`, once)."""

    message: _InT
    done: Callable[[Outcome], object] | None = None
    admitted: Callable[[], object] | None = None
    deliveries: int = 0
    outcome: Outcome | None = None

    def admit(self) -> None:
        """Tell the one who waits for a place that the letter has one; later calls do nothing."""
        admitted, self.admitted = self.admitted, None
        if admitted is not None:
            admitted()

    def settle(self, outcome: Outcome) -> None:
        """Tell what became of the letter."""
        self.outcome = outcome
        self.admit()
        if self.done is not None:
            self.done(outcome)


class Mailbox(Generic[_InT]):
    """A queue of at most `size` letters; behind it, under the policy `wait`, the line of those without a place."""

    __slots__ = ("_line", "_policy", "_queue", "_size")

    def __init__(self, *, size: int, policy: QueuePolicy) -> None:
        """Start empty."""
        self._queue: deque[Letter[_InT]] = deque()
        self._line: deque[Letter[_InT]] = deque()
        self._size = size
        self._policy: QueuePolicy = policy

    def __len__(self) -> int:
        """Return how many letters are in the queue and in line for it."""
        return len(self._queue) + len(self._line)

    def __iter__(self) -> Iterator[Letter[_InT]]:
        """Go through the letters that have a place."""
        return iter(self._queue)

    @property
    def full(self) -> bool:
        """Whether the next letter would find no place."""
        return len(self._queue) >= self._size

    @property
    def takes_next(self) -> bool:
        """Whether the next letter would have a place at once, be it that of the oldest."""
        return len(self._queue) < self._size or self._policy == "drop_oldest"

    def put(self, letter: Letter[_InT]) -> Letter[_InT] | None:
        """Add a letter at the end, and return the one that was dropped for it, if one was.

        Raises:
            MailboxFullError: it is full, and the policy is `reject`.
        """
        if not self.full:
            self._queue.append(letter)
        elif self._policy == "wait":
            self._line.append(letter)
        elif self._policy == "reject":
            raise MailboxFullError(
                f"{self._size} messages wait for this scope's application already:"
                " deliver less, raise queue_size, or choose another queue_policy"
            )
        else:
            self._queue.append(letter)
            return self._queue.popleft()
        return None

    def take(self) -> tuple[Letter[_InT], Letter[_InT] | None]:
        """Remove the first letter; return it, and the one from the line that has its place now, if there is one."""
        return self._queue.popleft(), self._move_up()

    def put_back(self, letters: list[Letter[_InT]]) -> None:
        """Put letters that had been taken before all others, in the order given; the bound does not count here."""
        self._queue.extendleft(reversed(letters))

    def withdraw(self, letter: Letter[_InT]) -> bool:
        """Remove the letter, wherever it is, and let the line move up; False when it is gone."""
        for place in (self._line, self._queue):
            if letter in place:
                place.remove(letter)
                self._move_up()
                return True
        return False

    def empty(self) -> list[Letter[_InT]]:
        """Remove and return all letters, in order."""
        letters = [*self._queue, *self._line]
        self._queue.clear()
        self._line.clear()
        return letters

    def _move_up(self) -> Letter[_InT] | None:
        """Give the first in line the place that has become free, if there are both; return it."""
        if not self._line or self.full:
            return None
        moved = self._line.popleft()
        self._queue.append(moved)
        return moved
