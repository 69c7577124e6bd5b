"""Numbers of StatelessServer: its bound, its memory, and what a message costs however many instances there are.

python -m tests.bench.server_numbers
"""

import asyncio
import gc
import os
import sys
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from itertools import islice
from pathlib import Path
from typing import Any, Final

from asgikit.server import StatelessServer

__all__ = ("main",)

PAGE: Final = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096


class Quiet(StatelessServer[int, int, int]):
    """Serves what the bench delivers."""

    async def handle(self) -> None:
        await asyncio.get_running_loop().create_future()

    async def application_send(self, scope: int, message: int, /) -> None:
        """Applications here send nothing."""


async def listen(scope: int, receive: Callable[[], Awaitable[int]], send: Callable[[int], Awaitable[None]]) -> None:
    """Take messages for ever."""
    while True:
        await receive()


def resident() -> float:
    """Return the memory of this process, in MiB (Linux)."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE / 2**20


async def bound_and_memory(*, scopes: int = 10_000, limit: int = 1_000, rounds: int = 10) -> tuple[int, list[float]]:
    """Deliver to all scopes, again and again; return the most instances there were, and the memory after each round."""
    most = 0
    memory: list[float] = []
    async with Quiet(listen, limit) as server:
        for _ in range(rounds):
            for scope in range(scopes):
                await server.deliver(scope, scope, 1)
                most = max(most, server.counters.instances)
            memory.append(resident())
        assert server.counters.handled + limit >= scopes * rounds
    return most, memory


async def per_message(
    counts: Sequence[int], ids: Callable[[int], Iterator[int]], *, messages: int = 2_000
) -> list[float]:
    """Return the microseconds that a message costs with each of these numbers of instances, best of nine rounds.

    The rounds take turns, so that all numbers have the same machine.
    """
    best = [float("inf")] * len(counts)
    async with AsyncExitStack() as stack:
        servers = [await stack.enter_async_context(Quiet(listen, count)) for count in counts]
        for server, count in zip(servers, counts, strict=True):
            for scope in range(count):
                await server.deliver(scope, scope, 1)
        streams = [ids(count) for count in counts]
        gc.collect()
        gc.freeze()
        for _ in range(9):
            for place, server in enumerate(servers):
                best[place] = min(best[place], await one_round(server, streams[place], messages))
        gc.unfreeze()
    return [seconds / messages * 1e6 for seconds in best]


async def one_round(server: Quiet, stream: Iterator[int], messages: int) -> float:
    """Deliver, fifty at a time, and return the seconds that it took until all was handled."""
    started = time.perf_counter()
    handled = server.counters.handled
    for _ in range(messages // 50):
        await asyncio.gather(*(server.deliver(scope, scope, 1) for scope in islice(stream, 50)))
    while server.counters.handled < handled + messages:  # noqa: ASYNC110 - turns of the loop are what is measured
        await asyncio.sleep(0)
    return time.perf_counter() - started


def newcomers(instances: int) -> Iterator[int]:
    """Name a scope that has no instance each time, so that every message evicts one."""
    while True:
        instances += 1
        yield instances


def regulars(instances: int) -> Iterator[int]:
    """Name one scope after another of those that have an instance."""
    while True:
        yield from range(instances)


def main() -> int:
    """Print the numbers."""
    most, memory = asyncio.run(bound_and_memory())
    print("10,000 scopes, max_applications=1000, 10 messages each")
    print(f"  most instances at a time        {most}")
    print(f"  memory after each round (MiB)   {' '.join(f'{figure:.1f}' for figure in memory)}")
    rows: list[tuple[str, Any]] = [("evicting one each", newcomers), ("to instances that live", regulars)]
    print("microseconds per message            100 instances   100,000 instances")
    for name, ids in rows:
        few, many = asyncio.run(per_message((100, 100_000), ids))
        print(f"  {name:32s}  {few:13.1f}   {many:17.1f}")
    return 0 if most <= 1_000 else 1


if __name__ == "__main__":
    sys.exit(main())
