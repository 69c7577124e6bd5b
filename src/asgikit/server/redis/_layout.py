"""Where things lie in Redis: the names of keys and the partition of a scope. Pure: nothing here knows a connection."""

from dataclasses import dataclass
from typing import final
from zlib import crc32

__all__ = ("HOLDER", "PartitionKeys", "StreamLayout")

HOLDER = "holder"
"""The one consumer name of the group: what is pending passes, with the lease, to whoever holds the partition."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class PartitionKeys:
    """The keys of one partition."""

    events: str
    """The stream of events on their way to applications."""
    output: str
    """The stream of what the applications sent."""
    dead: str
    """The stream of events that no application could handle."""
    lease: str
    """Who may act for this partition: worker id and fencing token; expires by itself."""
    fence: str
    """The counter that fencing tokens come from."""
    history: str
    """A short stream of who took the partition when, for operators."""


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class StreamLayout:
    """What publishers, servers and readers of output must agree on.

    All keys of one layout share a hash tag: on a cluster (which nobody has tried) they would be on one node. The
    number of partitions cannot change while streams hold events: a scope's events would be in two streams.
    """

    prefix: str = "asgikit"
    partitions: int = 16
    group: str = "workers"

    def __post_init__(self) -> None:
        """Check the numbers.

        Raises:
            ValueError: there must be at least one partition.
        """
        if self.partitions < 1:
            raise ValueError(f"partitions must be at least 1, not {self.partitions}")

    def partition_of(self, scope_id: str) -> int:
        """Return the partition of a scope: the same in every process, on every machine, for ever."""
        return crc32(scope_id.encode()) % self.partitions

    def keys(self, partition: int) -> PartitionKeys:
        """Return the keys of a partition."""
        stem = f"{{{self.prefix}}}:{partition}:"
        return PartitionKeys(
            events=stem + "events",
            output=stem + "output",
            dead=stem + "dead",
            lease=stem + "lease",
            fence=stem + "fence",
            history=stem + "history",
        )

    @property
    def workers_key(self) -> str:
        """The sorted set of workers that live, by the time at which they count as dead."""
        return f"{{{self.prefix}}}:workers"

    @property
    def count_key(self) -> str:
        """The number of partitions that these streams were made with."""
        return f"{{{self.prefix}}}:partitions"
