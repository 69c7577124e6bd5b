"""Calls that were given the same context take turns on it (invariant G3)."""

import threading
from asyncio import AbstractEventLoop
from collections import deque
from contextvars import Context
from typing import Protocol, final

from asgikit.protocols import Work

__all__ = ("Turns",)


class Player(Work, Protocol):
    """A call that was given a context."""

    loop: AbstractEventLoop | None

    def take_turn(self) -> None:
        """It is this call's turn. Runs on the thread of its loop."""


@final
class _Line:
    """Those who wait for one context: to a call in it, its home until it is its turn (`asgikit.protocols.WorkerHome`).

    So that who waits too long is reported, and who waits for itself is told so, as in front of a busy thread.
    """

    __slots__ = ("context", "players", "progress")

    thread_id: None = None

    def __init__(self, context: Context) -> None:
        self.context: Context = context  # kept, so that its identity stays its own
        self.players: deque[Player] = deque()
        self.progress: int = 0

    @property
    def running(self) -> Work | None:
        """Whose turn it is."""
        players = self.players.copy()
        return players[0] if players else None

    def post(self, work: Work, /) -> None:
        """Nothing is posted here."""

    def host(self, work: Work, /) -> None:
        """No thread."""

    def resume(self, work: Work, /) -> None:
        """No thread."""

    def abandon(self, work: Work, /) -> None:
        """No thread."""


@final
class Turns:
    """Who uses which given context, for one bridge. Entries live while calls do."""

    __slots__ = ("_lines", "_lock")

    def __init__(self) -> None:
        self._lock = threading.RLock()  # the garbage collector may forsake a call on a thread that holds it
        self._lines: dict[int, _Line] = {}  # by identity: contexts are not hashable

    def begin(self, context: Context, player: Player) -> _Line | None:
        """Stand in line for `context`; None if it is free."""
        with self._lock:
            line = self._lines.setdefault(id(context), _Line(context))
            line.players.append(player)
            return line if len(line.players) > 1 else None

    def end(self, context: Context, player: Player) -> None:
        """Leave the line; if it was this player's turn, the next takes its own. Nothing if it has left."""
        with self._lock:
            line = self._lines.get(id(context))
            if line is None or player not in line.players:
                return
            first = line.players[0] is player
            line.players.remove(player)
            line.progress += 1
            following = line.players[0] if line.players and first else None
            if not line.players:
                del self._lines[id(context)]
        if following is None or following.loop is None:
            return
        try:
            following.loop.call_soon_threadsafe(following.take_turn)
        except RuntimeError:  # its loop is closed: nobody awaits it
            self.end(context, following)
