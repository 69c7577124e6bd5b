"""What a server has done so far, as numbers."""

from dataclasses import dataclass
from typing import final

__all__ = ("ServerCounters", "Tally")


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class ServerCounters:
    """A snapshot; all numbers but the first two only ever grow."""

    instances: int
    """Application instances that live now, those that are ending included."""
    waiting: int
    """Scopes that have a message and wait for a place for their instance."""
    started: int
    """Instances started."""
    finished: int
    """Instances whose application returned."""
    failed: int
    """Instances whose application raised, other than because the server cancelled it."""
    evicted: int
    """Instances that the server cancelled: to make room, idle for too long, discarded, or living at the stop."""
    delivered: int
    """Messages that an application took, each as often as it was taken."""
    handled: int
    """Messages that an application took and finished with."""
    retried: int
    """Messages that went back to the head of their queue because the application failed over them."""
    lost: int
    """Messages that were given up: failed too often, dropped by the queue policy, or discarded."""


@dataclass(slots=True)
class Tally:
    """The growing numbers, while they grow."""

    started: int = 0
    finished: int = 0
    failed: int = 0
    evicted: int = 0
    delivered: int = 0
    handled: int = 0
    retried: int = 0
    lost: int = 0

    def snapshot(self, *, instances: int, waiting: int) -> ServerCounters:
        """Return the numbers as they are now."""
        return ServerCounters(
            instances=instances,
            waiting=waiting,
            started=self.started,
            finished=self.finished,
            failed=self.failed,
            evicted=self.evicted,
            delivered=self.delivered,
            handled=self.handled,
            retried=self.retried,
            lost=self.lost,
        )
