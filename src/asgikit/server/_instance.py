"""One run of an application for one scope: what it receives from, sends to, and how it ends."""

from asyncio import Event, Task
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

from asgikit.errors import ClosedError
from asgikit.protocols import ApplicationLike
from asgikit.server._ledger import Ledger
from asgikit.server._mailbox import Letter, Mailbox, Outcome

__all__ = ("Instance",)

_ScopeT = TypeVar("_ScopeT")
_InT = TypeVar("_InT")
_OutT = TypeVar("_OutT")


class Instance(Generic[_ScopeT, _InT, _OutT]):
    """Holds the application's end of a mailbox, for as long as this run of it lives.

    A message that was taken stays `in_hand` until the application calls `receive` again or returns:
    that, and not the taking, shows that it was handled.
    """

    __slots__ = (
        "_arrived",
        "_changed",
        "_ledger",
        "_mailbox",
        "_receivers",
        "_send",
        "ending",
        "idle_since",
        "in_hand",
        "over",
        "scope",
        "scope_id",
        "taken",
        "task",
    )

    def __init__(
        self,
        *,
        scope_id: Hashable,
        scope: _ScopeT,
        mailbox: Mailbox[_InT],
        send: Callable[[_ScopeT, _OutT], Awaitable[None]],
        ledger: Ledger[_InT],
        changed: "Callable[[Instance[_ScopeT, _InT, _OutT]], object]",
    ) -> None:
        """Start nothing. `changed` is called whenever the instance may have become idle or busy."""
        self.scope_id = scope_id
        self.scope = scope
        self.in_hand: list[Letter[_InT]] = []
        self.taken = 0
        self.ending = False
        self.over = False
        self.idle_since = 0.0
        self.task: Task[BaseException | None] | None = None
        self._mailbox = mailbox
        self._send = send
        self._ledger = ledger
        self._changed = changed
        self._receivers = 0
        self._arrived = Event()

    @property
    def idle(self) -> bool:
        """Whether the application has handled all there is, and waits."""
        return self._receivers > 0 and not self.in_hand and not self._mailbox

    async def run(self, application: ApplicationLike[_ScopeT, _InT, _OutT]) -> BaseException | None:
        """Run the application to its end and return what it raised.

        Cancellation and `SystemExit` are outcomes like others here; only `KeyboardInterrupt` is the
        user's word to the process and passes.
        """
        try:
            await application(self.scope, self.receive, self.send)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            return error
        finally:
            self.over = True
        return None

    def wake(self) -> None:
        """Have those that wait in `receive` look again."""
        self._arrived.set()

    def cancel(self) -> None:
        """Tell the application to end; later calls tell it again."""
        if self.task is not None:
            self.task.cancel(f"the server ends the instance for scope {self.scope_id!r}")

    def confirm(self) -> None:
        """Settle what the application had in hand: it is through with it."""
        self._ledger.settle_all(self.in_hand, Outcome.HANDLED)
        self.in_hand.clear()

    def let_go(self) -> list[Letter[_InT]]:
        """Return what the application had in hand: it has nothing any more."""
        letters, self.in_hand = self.in_hand, []
        return letters

    async def receive(self) -> _InT:
        """Return the next message of this scope, waiting for one if there is none.

        Raises:
            ClosedError: this run of the application is over.
        """
        self._check_lives()
        self.confirm()
        while self.ending or not self._mailbox:
            await self._wait()
            self._check_lives()
        letter, moved = self._mailbox.take()
        self.taken += 1
        self.in_hand.append(letter)
        self._ledger.took(letter)
        if moved is not None:
            moved.admit()
        return letter.message

    async def send(self, message: _OutT) -> None:
        """Hand a message of the application to the server.

        Raises:
            ClosedError: this run of the application is over.
        """
        self._check_lives()
        await self._send(self.scope, message)

    def _check_lives(self) -> None:
        if self.over:
            raise ClosedError(
                f"The application instance for scope {self.scope_id!r} has ended: a task that it left behind"
                " may neither receive nor send for it; await such tasks before the application returns"
            )

    async def _wait(self) -> None:
        self._arrived.clear()
        self._receivers += 1
        self._changed(self)
        try:
            await self._arrived.wait()
        finally:
            self._receivers -= 1
            self._changed(self)
