"""What a pool of threads is doing, as numbers."""

from dataclasses import dataclass
from typing import final

__all__ = ("PoolCounters",)


@final
@dataclass(frozen=True, slots=True)
class PoolCounters:
    """One moment of a pool.

    Attributes:
        started: threads started since the pool was made (in this process).
        busy: threads that run a call somebody waits for, or look for one.
        idle: threads that wait for work.
        abandoned: threads that run a call nobody waits for any more.
        queued: calls, or for a thread-sensitive pool scopes, that wait for a thread.
    """

    started: int
    busy: int
    idle: int
    abandoned: int
    queued: int
