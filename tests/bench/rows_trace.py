"""Iterating across the bridge, and what it costs to be watched."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Generator, Iterable
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Final

from asgikit import Bridge
from asgikit.trace import Trace
from tests.bench.jobs import nothing
from tests.bench.shape import OURS, Bar, Entrant, Round, Row, async_rounds

__all__ = ("ROWS",)

ITEMS: Final = 2_000  # of one round; the price of an item is the same in an iteration of 100,000
TRACED: Final = 500  # crossings of one round: few enough that a trace of them stays small


@contextmanager
def crossings(*, watched: bool, removed: bool = False) -> Generator[Round]:
    """Yield rounds of one crossing after the other, with a trace of each round or without."""
    with Bridge() as bridge:
        if removed:  # there was an observer once: nothing of it may be left
            with bridge.observe(Trace()):
                pass
        with async_rounds(bridge.sync_to_async(nothing)) as rounds:

            def round_of(calls: int) -> float:
                with ExitStack() as stack:
                    if watched:
                        stack.enter_context(bridge.observe(Trace()))
                    return rounds(calls)

            yield round_of


@contextmanager
def items(iterate: Callable[[Bridge, Iterable[int]], AsyncIterator[int]]) -> Generator[Round]:
    """Yield rounds that take that many small items out of one iteration."""

    async def take(bridge: Bridge, count: int) -> float:
        began = time.perf_counter()
        async for _ in iterate(bridge, range(count)):
            pass
        return time.perf_counter() - began

    with Bridge() as bridge, asyncio.Runner() as runner:
        runner.run(take(bridge, 100))
        yield lambda count: runner.run(take(bridge, count))


async def a_crossing_each(bridge: Bridge, source: Iterable[int]) -> AsyncIterator[int]:
    advance = bridge.sync_to_async(partial(next, iter(source), None))
    while (item := await advance()) is not None:
        yield item


def in_chunks_of_1000(bridge: Bridge, source: Iterable[int]) -> AsyncIterator[int]:
    return bridge.iterate_async(source, max_buffer=1000)


def ours(bridge: Bridge, source: Iterable[int]) -> AsyncIterator[int]:
    return bridge.iterate_async(source)


async def in_place(_: Bridge, source: Iterable[int]) -> AsyncIterator[int]:
    """Iterate on the loop itself: what an async generator costs without any crossing."""
    for item in source:
        yield item


ITERATING: Final[dict[str, Entrant]] = {
    OURS: partial(items, ours),
    "max_buffer=1000": partial(items, in_chunks_of_1000),
    "a crossing each": partial(items, a_crossing_each),
    "no crossing": partial(items, in_place),
}

ROWS: Final[tuple[Row, ...]] = (
    Row(
        name="trace-off",
        job="sync_to_async, one caller, after an observer has left",
        entrants={
            OURS: partial(crossings, watched=False, removed=True),
            "never watched": partial(crossings, watched=False),
        },
        bars=(Bar("never watched", 1.05),),
        calls=TRACED,
    ),
    Row(
        name="trace-on",
        job="sync_to_async, one caller, under asgikit.trace",
        entrants={OURS: partial(crossings, watched=True), "never watched": partial(crossings, watched=False)},
        bars=(Bar("never watched", 2.0),),
        calls=TRACED,
    ),
    Row(
        name="iterate-async",
        job="iterate_async, one small item",
        entrants=ITERATING,
        bars=(Bar("a crossing each", 0.1),),
        calls=ITEMS,
    ),
)
