"""What a row of the bench is: plain data, which the files `rows_*.py` hold and `measure.py` runs.

A row is one job, done by several entrants. An entrant is a context manager, so that it can build what it
needs (a bridge, a loop, threads) outside the measured time; what it yields is its round: a function that
does the job some number of times and returns the seconds that took, as `timeit.Timer.timeit` does.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable, Generator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

__all__ = ("OURS", "Bar", "Entrant", "Round", "Row", "async_rounds", "sync_rounds")

OURS: Final = "asgikit"

Round: TypeAlias = Callable[[int], float]
"""Does the job that many times and returns the seconds it took."""

Entrant: TypeAlias = Callable[[], AbstractContextManager[Round]]
"""Builds one competitor. `ImportError` says that it is not installed."""

LoopFactory: TypeAlias = Callable[[], asyncio.AbstractEventLoop]


@dataclass(frozen=True)
class Bar:
    """asgikit's time must be at most `ratio` times that of `rival`."""

    rival: str
    ratio: float

    @classmethod
    def rate(cls, rival: str, times: float) -> "Bar":
        """Asgikit must do at least `times` times as much in the same time as `rival`."""
        return cls(rival, 1 / times)


@dataclass(frozen=True)
class Row:
    """One job.

    Attributes:
        name: what `--row` calls it: lower case, words joined by hyphens.
        job: what is done, for the table.
        entrants: who does it, `asgikit` among them; the order is that of the table.
        bars: what asgikit has to reach. Empty: the row only informs.
        calls: how often the job is done in one round; a round should take 2 to 50 ms.
        unit: whether the table shows the time of one job or how many are done in a second.
    """

    name: str
    job: str
    entrants: Mapping[str, Entrant]
    bars: tuple[Bar, ...]
    calls: int
    unit: Literal["time", "rate"] = "time"


@contextmanager
def sync_rounds(call: Callable[[], object]) -> Generator[Round]:
    """Yield rounds that call `call` on this thread, one call after the other."""

    def round_of(calls: int) -> float:
        began = time.perf_counter()
        for _ in range(calls):
            call()
        return time.perf_counter() - began

    yield round_of


@contextmanager
def async_rounds(
    call: Callable[[], Awaitable[object]],
    *,
    callers: int = 1,
    loop_factory: LoopFactory = asyncio.new_event_loop,
    prepare: Callable[[], object] = lambda: None,
) -> Generator[Round]:
    """Yield rounds that await `call()` on a loop of their own, `callers` tasks at a time.

    `prepare` runs first in the task of every round (to set context variables). Each caller makes one call
    before the clock starts: what others start for each new task tree (anyio its threads) is not the job.
    """

    async def caller(calls: int) -> None:
        for _ in range(calls):
            await call()

    async def all_callers(calls: int) -> None:
        if callers == 1:
            await caller(calls)
        else:
            await asyncio.gather(*(caller(calls // callers) for _ in range(callers)))

    async def round_of(calls: int) -> float:
        prepare()
        await all_callers(callers)
        began = time.perf_counter()
        await all_callers(calls)
        return time.perf_counter() - began

    with asyncio.Runner(loop_factory=loop_factory) as runner:
        yield lambda calls: runner.run(round_of(calls))
