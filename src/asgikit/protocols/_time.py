"""Time as a part that is handed over: what a room may ask of a clock."""

from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import Protocol

__all__ = ("Cancellable", "Clock")


class Cancellable(Protocol):
    """A timer that has been set and may be called off."""

    def cancel(self) -> None:
        """Call the timer off; does nothing when it has fired already."""


class Clock(Protocol):
    """A source of time that never goes back. Implementations: the monotonic clock, the manual clock of `testing`."""

    def now(self) -> float:
        """Return seconds since some fixed moment. May be called on any thread."""
        ...

    def call_later(self, loop: AbstractEventLoop, delay: float, callback: Callable[[], object], /) -> Cancellable:
        """Call `callback` on `loop` once `delay` seconds have passed. Called on the thread that runs `loop`."""
        ...
