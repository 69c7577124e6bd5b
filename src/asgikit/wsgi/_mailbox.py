"""How workers reach the event loop: one wake-up for all that several of them have to say at that moment."""

import asyncio
import threading
from collections.abc import Callable

from asgikit.errors import LoopUnavailableError

__all__ = ("Mailbox", "Mailboxes")


class Mailbox:
    """Calls for one loop. `users` is counted by `Mailboxes` under its lock."""

    __slots__ = ("_called", "_letters", "_lock", "loop", "users")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.loop = loop
        self.users = 0
        self._lock = threading.Lock()
        self._letters: list[Callable[[], object]] = []
        self._called = False

    def post(self, letter: Callable[[], object]) -> None:
        """Have the loop call `letter` soon. May be called on any thread.

        Raises LoopUnavailableError if the loop is closed.
        """
        with self._lock:
            self._letters.append(letter)
            if self._called:
                return
            self._called = True
        try:
            self.loop.call_soon_threadsafe(self._deliver)
        except RuntimeError as error:
            raise LoopUnavailableError("the event loop of this request is closed") from error

    def _deliver(self) -> None:
        with self._lock:
            letters, self._letters = self._letters, []
            self._called = False
        for letter in letters:
            letter()


class Mailboxes:
    """The mailboxes of one adapter, one for each loop that has a request under way; none is kept beyond."""

    __slots__ = ("_by_loop", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_loop: dict[asyncio.AbstractEventLoop, Mailbox] = {}

    def enter(self, loop: asyncio.AbstractEventLoop) -> Mailbox:
        """Return the mailbox of `loop` for one request. Called on the loop's thread; ends with `leave`."""
        with self._lock:
            mailbox = self._by_loop.get(loop)
            if mailbox is None:
                mailbox = self._by_loop[loop] = Mailbox(loop)
            mailbox.users += 1
            return mailbox

    def leave(self, mailbox: Mailbox) -> None:
        """End what `enter` began."""
        with self._lock:
            mailbox.users -= 1
            if not mailbox.users:
                del self._by_loop[mailbox.loop]
