"""`python -m tests.local.memory`: what 100,000 Local objects, made, set and dropped in one task, leave in memory."""

import asyncio
import gc
from collections.abc import Callable
from pathlib import Path

from asgikit.local import Local
from asgikit.local._values import SHARDS

COUNT = 100_000


def resident() -> float:
    """Return the resident memory of this process in MiB."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


def kept() -> int:
    """Return how many namespaces the running context has values of."""
    return sum(len(others) + (front is not None) for front, _, others in (shard.get() for shard in SHARDS))


def one_by_one() -> None:
    """Each is dropped before the next is made."""
    for number in range(COUNT):
        local = Local()
        local.number = number


def all_at_once() -> None:
    """All live at the same time, and are dropped together."""
    alive: list[Local] = []
    for number in range(COUNT):
        local = Local()
        local.number = number
        alive.append(local)


async def in_one_task(job: Callable[[], None]) -> tuple[float, float, float, int]:
    """Return MiB before, after and after a second run, and how much garbage the collector found in all."""
    gc.collect()
    gc.disable()
    try:
        before = resident()
        job()
        after = resident()
        job()
        again = resident()
    finally:
        gc.enable()
    return before, after, again, gc.collect()


async def main() -> None:
    for job in (one_by_one, all_at_once):
        before, after, again, garbage = await in_one_task(job)
        print(
            f"{COUNT:,} Local objects {job.__name__}: RSS before {before:.1f} MiB, after {after:.1f} MiB, "
            f"after as many again {again:.1f} MiB; still in the context: {kept()}; garbage for the collector: {garbage}"
        )


if __name__ == "__main__":
    asyncio.run(main())
