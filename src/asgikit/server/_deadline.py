"""A timer for a moment that moves on: set once and looked at when it fires, instead of set anew at every message."""

from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import final

from asgikit.protocols import Cancellable, Clock

__all__ = ("MovingDeadline",)


@final
class MovingDeadline:
    """Calls `reached` whenever the moment that `due` names has come. At most one timer runs; none while `due` is None.

    `reached` has to move the moment on. Everything happens on the loop's thread.
    """

    __slots__ = ("_clock", "_due", "_loop", "_reached", "_timer")

    def __init__(
        self,
        *,
        clock: Clock,
        loop: AbstractEventLoop,
        due: Callable[[], float | None],
        reached: Callable[[], object],
    ) -> None:
        """Start nothing. `due` gives a moment of `clock`, or None while there is nothing to wait for."""
        self._clock = clock
        self._loop = loop
        self._due = due
        self._reached = reached
        self._timer: Cancellable | None = None

    def watch(self) -> None:
        """Begin to wait, unless that has begun, or there is nothing to wait for."""
        if self._timer is None and (due := self._due()) is not None:
            left = max(0.0, due - self._clock.now())
            self._timer = self._clock.call_later(self._loop, left, self._look)

    def cancel(self) -> None:
        """Wait no more."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        while (due := self._due()) is not None and due <= self._clock.now():
            self._reached()
        self.watch()
