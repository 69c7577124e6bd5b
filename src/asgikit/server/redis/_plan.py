"""Who should hold which partition, and how long to wait for a lost Redis. Pure: frozen values in, frozen values out."""

from collections import Counter
from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

__all__ = ("Plan", "back_off", "make_plan")


@dataclass(frozen=True, slots=True)
class Plan:
    """What one worker should do about its partitions now."""

    take: tuple[int, ...] = ()
    """Free partitions to take, in this order."""
    release: int | None = None
    """A partition to hand over to a worker that has too few."""


def make_plan(*, me: str, workers: AbstractSet[str], holders: Mapping[int, str | None]) -> Plan:
    """Decide for worker `me`, given all that live and who holds each partition (None: nobody).

    Every worker decides by itself, from the same facts, and the leases settle who was first. A worker
    takes free partitions up to its share, rounded up. One that has more than its share rounded down releases one at a
    time, but only if it has most and somebody has less than that share and nothing is free, so that partitions
    move as rarely as possible.
    """
    alive = sorted({*workers, me})
    held = Counter(holder for holder in holders.values() if holder is not None)
    free = [partition for partition, holder in holders.items() if holder is None]
    floor, rest = divmod(len(holders), len(alive))
    if free:
        wanted = max(0, floor + bool(rest) - held[me])
        start = alive.index(me) * len(free) // len(alive)  # workers that start together take different ones
        return Plan(take=tuple((free[start:] + free[:start])[:wanted]))
    richest = max(alive, key=lambda worker: (held[worker], worker))
    if me == richest and held[me] > floor and any(held[worker] < floor for worker in alive):
        return Plan(release=max(partition for partition, holder in holders.items() if holder == me))
    return Plan()


def back_off(attempt: int, *, chance: float, shortest: float = 0.05, longest: float = 2.0) -> float:
    """Return how many seconds to wait before trying again, after `attempt` (from 0) failures in a row.

    Doubles each time up to `longest`; `chance`, a random number from 0 to 1, spreads the waits over the
    upper half, so that workers that lost Redis together do not come back together.
    """
    full = min(longest, shortest * 2.0 ** min(attempt, 30))
    return full * (0.5 + chance / 2)
