"""Calls that were given the same context take turns on it (invariant G3)."""

import threading
from asyncio import AbstractEventLoop
from collections import deque
from contextvars import Context
from typing import Protocol, final

__all__ = ("Turns",)


class Player(Protocol):
    """A call that was given a context."""

    loop: AbstractEventLoop | None

    def take_turn(self) -> None:
        """It is this call's turn. Runs on the thread of its loop."""


@final
class Turns:
    """Who uses which given context, for one bridge. Entries live while calls do."""

    __slots__ = ("_lines", "_lock")

    def __init__(self) -> None:
        self._lock = threading.Lock()
        # By identity: contexts are not hashable. The entry keeps its context, so the identity stays its own.
        self._lines: dict[int, tuple[Context, deque[Player]]] = {}

    def begin(self, context: Context, player: Player) -> bool:
        """Stand in line for `context`; True if it is free."""
        with self._lock:
            line = self._lines.setdefault(id(context), (context, deque()))[1]
            line.append(player)
            return len(line) == 1

    def end(self, context: Context, player: Player) -> None:
        """Leave the line; if it was this player's turn, the next takes its own. Nothing if it has left."""
        with self._lock:
            line = self._lines.get(id(context), (context, deque[Player]()))[1]
            if player not in line:
                return
            first = line[0] is player
            line.remove(player)
            following = line[0] if line and first else None
            if not line:
                del self._lines[id(context)]
        if following is None or following.loop is None:
            return
        try:
            following.loop.call_soon_threadsafe(following.take_turn)
        except RuntimeError:  # its loop is closed: nobody awaits it
            self.end(context, following)
