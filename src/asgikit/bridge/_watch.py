"""Telling observers of crossings. A crossing without observers has no `Watch`, and pays nothing for it."""

import logging
import threading
from collections.abc import Callable
from typing import Literal, final

from asgikit.protocols import Clock, Crossing, Observer

__all__ = ("Watch", "watch")

_logger = logging.getLogger("asgikit")


def watch(
    observers: tuple[Observer, ...],
    clock: Clock,
    name: str,
    direction: Literal["sync_to_async", "async_to_sync"],
    parent: Crossing | None,
) -> "Watch | None":
    """Begin to watch a crossing, and tell that it was asked for; None without observers. On the caller's thread."""
    if not observers:
        return None
    crossing = Crossing(name, direction, parent, threading.current_thread().name, clock.now())
    found = Watch(observers, clock, crossing)
    found.tell("queued", lambda observer: observer.queued(crossing))
    return found


@final
class Watch:
    """One crossing and those who want to hear of it."""

    __slots__ = ("_clock", "_observers", "crossing")

    def __init__(self, observers: tuple[Observer, ...], clock: Clock, crossing: Crossing) -> None:
        self._observers = observers
        self._clock = clock
        self.crossing: Crossing = crossing

    def tell(self, what: str, call: Callable[[Observer], object]) -> None:
        """Call a method of each observer; what one raises is logged and changes nothing."""
        for observer in self._observers:
            try:
                call(observer)
            except KeyboardInterrupt:  # Ctrl-C on the main thread
                raise
            except BaseException:  # SystemExit too, which would leave callers waiting
                _logger.exception("%r failed in %s for %s", observer, what, self.crossing.name)

    def started(self) -> None:
        """The call begins, on this thread."""
        self.crossing.thread = threading.current_thread().name
        self.crossing.started_at = self._clock.now()
        self.tell("started", lambda observer: observer.started(self.crossing))

    def finished(self, error: BaseException | None) -> None:
        """The call has ended, on this thread."""
        self.crossing.finished_at = self._clock.now()
        self.crossing.error = error
        self.tell("finished", lambda observer: observer.finished(self.crossing))
        self.crossing.error = None

    def abandoned(self) -> None:
        """Nobody waits for the call any more."""
        self.tell("abandoned", lambda observer: observer.abandoned(self.crossing))

    def stalled(self, report: str) -> None:
        """The call has waited long for a busy thread."""
        self.tell("stalled", lambda observer: observer.stalled(self.crossing, report))
