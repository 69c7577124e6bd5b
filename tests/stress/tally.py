"""What a stress run counts, and how it makes sure that nothing is left: no waiting thread, no busy worker."""

import os
import threading
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass

from asgikit.executor import PoolCounters, ThreadSensitivePool, WorkerThreadPool

__all__ = ("LIMIT", "Hang", "Tally", "eventually", "idle")

LIMIT = float(
    os.environ.get("STRESS_LIMIT", "60")
)  # seconds after which something that takes milliseconds counts as hanging


class Hang(Exception):
    """Something did not end."""


@dataclass
class Tally:
    """The figures that are printed, and those that have to be zero."""

    crossings: int = 0
    faults: int = 0
    hangs: int = 0
    lost: int = 0
    leaked: int = 0

    def add(self, other: "Tally") -> None:
        """Add the figures of another run."""
        for name, value in asdict(other).items():
            setattr(self, name, getattr(self, name) + value)

    @property
    def good(self) -> bool:
        """Whether nothing hung, was lost or leaked."""
        return not (self.hangs or self.lost or self.leaked)

    def __str__(self) -> str:
        return (
            f"{self.crossings} crossings made, {self.faults} faults injected,"
            f" hangs {self.hangs}, lost results {self.lost}, leaked threads {self.leaked}"
        )


def eventually(condition: Callable[[], object], what: str) -> None:
    """Wait until `condition` holds.

    Raises:
        Hang: it does not.
    """
    deadline = time.monotonic() + LIMIT
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            raise Hang(what)
        pause.wait(0.001)


def idle(pool: WorkerThreadPool | ThreadSensitivePool, default: int = 0) -> None:
    """Wait until a pool has no busy worker, no abandoned call and nobody in line; `default` workers may be kept."""

    def at_rest() -> bool:
        counters: PoolCounters = pool.counters
        return counters.busy <= default and not counters.abandoned and not counters.queued

    eventually(at_rest, f"{pool!r} never came to rest: {pool.counters}")
