"""`python -m tests.local.memory`: what 100,000 Local objects, made, set and dropped in one task, leave in memory."""

import asyncio
import gc
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from asgikit.local import Local
from asgikit.local._values import SHARDS


def one_by_one(count: int) -> None:
    """Drop each before the next is made."""
    for number in range(count):
        local = Local()
        local.number = number


def all_at_once(count: int) -> None:
    """Let all live at the same time, and drop them together."""
    alive: list[Local] = []
    for number in range(count):
        local = Local()
        local.number = number
        alive.append(local)


def kept() -> int:
    """Return how many namespaces the running context has values of."""
    return sum(len(others) + (front is not None) for front, _, others in (shard.get() for shard in SHARDS))


def resident() -> float:
    """Return the resident memory of this process in MiB, on Linux."""
    account = Path("/proc/self/statm")
    return int(account.read_text().split()[1]) * 4096 / 2**20 if account.exists() else float("nan")


@dataclass
class Moment:
    """The memory of this process."""

    mebibytes: float
    blocks: int

    @classmethod
    def now(cls) -> "Moment":
        return cls(resident(), sys.getallocatedblocks())


def measure(job: Callable[[int], None], count: int) -> tuple[Moment, Moment, int]:
    """Return the memory before and after `job(count)`, and how much garbage the collector then found."""
    gc.collect()
    gc.disable()
    try:
        before = Moment.now()
        job(count)
        after = Moment.now()
        return before, after, gc.collect()
    finally:
        gc.enable()


async def main(count: int = 100_000) -> None:
    for job in (one_by_one, all_at_once):
        for attempt in ("first", "second"):
            before, after, garbage = measure(job, count)
            print(
                f"{count:,} Local objects {job.__name__}, {attempt} time: "
                f"RSS {before.mebibytes:.1f} MiB before, {after.mebibytes:.1f} MiB after; "
                f"{after.blocks - before.blocks:+d} blocks of memory; still in the context: {kept()}; "
                f"garbage for the collector: {garbage}"
            )


if __name__ == "__main__":
    asyncio.run(main())
