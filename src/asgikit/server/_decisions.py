"""What a server decides about its instances, and by which rules. Pure: no loop, no clock, no instance."""

from asyncio import CancelledError
from dataclasses import dataclass
from enum import Enum

from asgikit.server._mailbox import QueuePolicy

__all__ = ("PoolRules", "Room", "is_failure", "is_spent")


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRules:
    """The numbers that a server was given; times in seconds."""

    max_applications: int
    queue_size: int
    queue_policy: QueuePolicy
    max_deliveries: int
    idle_timeout: float | None
    grace_time: float

    def __post_init__(self) -> None:
        """Refuse what makes no sense with a ValueError."""
        for name in ("max_applications", "queue_size", "max_deliveries"):
            if (value := getattr(self, name)) < 1:
                raise ValueError(f"{name} must be at least 1, not {value}")


class Room(Enum):
    """What to do for the first of the scopes that wait for an instance."""

    START = "start"
    """Start it: a place is free."""
    EVICT_IDLE = "evict an idle instance"
    """Have an idle instance end; the place is free once it has."""
    WAIT = "wait"
    """An instance is ending already for each that waits; nothing to do."""
    EVICT_BUSY = "evict a busy instance, in a while"
    """All work: one of them has to go if none comes to rest within the grace time."""


def is_spent(*, deliveries: int, max_deliveries: int) -> bool:
    """Tell whether a message that was handed over `deliveries` times in vain is given up."""
    return deliveries >= max_deliveries


def is_failure(error: BaseException | None, *, evicted: bool) -> bool:
    """Tell whether an application that ended in `error` failed: to end as the server told it to is no failure."""
    return error is not None and not (evicted and isinstance(error, CancelledError))
