"""What a server decides about its instances. Pure functions of numbers: no loop, no clock, no instance."""

from enum import Enum

__all__ = ("Room", "is_spent", "room_for_next")


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


def room_for_next(*, running: int, ending: int, waiting: int, limit: int, idle: bool) -> Room:
    """Decide what to do while `waiting` (at least one) scopes wait for one of `limit` places.

    An instance that has been told to end still holds its place, so there are never more than `limit`.
    """
    if running + ending < limit:
        return Room.START
    if ending >= waiting:
        return Room.WAIT
    return Room.EVICT_IDLE if idle else Room.EVICT_BUSY


def is_spent(*, deliveries: int, max_deliveries: int) -> bool:
    """Tell whether a message that was handed over `deliveries` times in vain is given up."""
    return deliveries >= max_deliveries
