"""How cost grows: with callers, context variables, nesting and cores, and what a waiting call holds in memory.

Needs nothing but asgikit, so that it also runs on interpreters for which others have no packages yet.
"""

import asyncio
import gc
import os
import threading
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from asgikit import Bridge
from asgikit.executor import WorkerThreadPool
from tests.bench.jobs import nothing, nothing_async, set_variables
from tests.bench.measure import measure
from tests.bench.shape import Entrant, Round, Row, async_rounds
from tests.bench.table import duration, show

__all__ = ("run_tables",)

CALLERS: Final = (1, 10, 100, 1_000, 10_000)
VARIABLES: Final = (0, 10, 100, 1_000)
DEPTHS: Final = tuple(range(1, 9))
NOISE: Final = 1.5
"""What a cost may differ by and still count as the same (G4 names this number; it serves here throughout)."""


@dataclass(frozen=True)
class Table:
    """One thing that grows. Costs are compared with that of the first size."""

    name: str
    title: str
    size: str
    series: Mapping[str, Callable[[int], Entrant]]
    sizes: Sequence[int]
    calls: int


def crossing(callers: int, *, thread_sensitive: bool) -> Entrant:
    """Return rounds of `sync_to_async` by that many tasks at once."""
    return partial(rounds_of_calls, callers=callers, thread_sensitive=thread_sensitive)


def carrying(variables: int) -> Entrant:
    """Return rounds of `sync_to_async` with that many context variables set."""
    return partial(rounds_of_calls, variables=variables)


@contextmanager
def rounds_of_calls(*, callers: int = 1, variables: int = 0, thread_sensitive: bool = True) -> Generator[Round]:
    with Bridge() as bridge:
        call = bridge.sync_to_async(nothing, thread_sensitive=thread_sensitive)
        with async_rounds(call, callers=callers, prepare=partial(set_variables, variables)) as round_of:
            yield round_of


def carrying_inside(variables: int) -> Entrant:
    """Return rounds of `async_to_sync` inside sync code with that many context variables set."""

    @contextmanager
    def entrant() -> Generator[Round]:
        with Bridge() as bridge, asyncio.Runner() as runner:
            call = bridge.async_to_sync(nothing_async)

            def timed(calls: int) -> float:
                set_variables(variables)
                began = time.perf_counter()
                for _ in range(calls):
                    call()
                return time.perf_counter() - began

            yield lambda calls: runner.run(bridge.run_sync(timed, calls))

    return entrant


def nested(levels: int) -> Entrant:
    """Return rounds of `sync_to_async` of `async_to_sync` of ..., that many pairs deep; seconds of ONE pair."""

    @contextmanager
    def entrant() -> Generator[Round]:
        with Bridge() as bridge:
            call: Callable[[], Awaitable[object]] = nothing_async
            for _ in range(levels):
                call = bridge.sync_to_async(bridge.async_to_sync(call))
            with async_rounds(call) as round_of:
                yield lambda calls: round_of(calls) / levels

    return entrant


def work(loops: int = 20_000) -> int:
    """Keep one processor busy with Python code."""
    total = 0
    for number in range(loops):
        total += number & 3
    return total


def on_workers(workers: int) -> Entrant:
    """Return rounds of busy calls, as many at once as there are workers; seconds of one call."""

    @contextmanager
    def entrant() -> Generator[Round]:
        with WorkerThreadPool(workers) as pool, Bridge(worker_pool=pool) as bridge:
            call = bridge.sync_to_async(work, thread_sensitive=False)
            with async_rounds(call, callers=workers) as round_of:
                yield round_of

    return entrant


def on_bare_threads(threads: int) -> Entrant:
    """Return rounds of busy calls on threads started for them."""

    def round_of(calls: int) -> float:
        def several() -> None:
            for _ in range(calls // threads):
                work()

        started = [threading.Thread(target=several) for _ in range(threads)]
        began = time.perf_counter()
        for thread in started:
            thread.start()
        for thread in started:
            thread.join()
        return time.perf_counter() - began

    return lambda: nullcontext(round_of)


def tables() -> list[Table]:
    """Return what is measured against its own first size."""
    both = {
        "thread-sensitive": partial(crossing, thread_sensitive=True),
        "any thread": partial(crossing, thread_sensitive=False),
    }
    context = {"sync_to_async": carrying, "async_to_sync inside": carrying_inside}
    return [
        Table("callers", "One crossing, by callers at once", "callers", both, CALLERS, CALLERS[-1]),
        Table("variables", "One crossing, by context variables set (G4)", "variables", context, VARIABLES, 200),
        Table("depth", "One pair of crossings, by how deep pairs are nested", "deep", {"pair": nested}, DEPTHS, 64),
    ]


def run_tables(names: Sequence[str] | None, seconds: float) -> tuple[list[dict[str, Any]], bool]:
    """Measure and print the tables that were named, or all; say whether nothing grew that must not."""
    outcome: list[dict[str, Any]] = []
    for table in tables():
        if not names or table.name in names:
            outcome += [run_series(table, name, seconds) for name in table.series]
    if not names or "cores" in names:
        outcome.append(run_cores(seconds))
    if not names or "memory" in names:
        outcome.append(run_memory())
    return outcome, all(result["ok"] for result in outcome)


def run_series(table: Table, name: str, seconds: float) -> dict[str, Any]:
    """Measure one series of a table: its sizes take turns."""
    entrants = {str(size): table.series[name](size) for size in table.sizes}
    result = measure(Row(f"{table.name}-{name}", table.title, entrants, (), table.calls), seconds * 2)
    first = str(table.sizes[0])
    lines: list[list[str]] = []
    ok = True
    for size in table.sizes:
        ratio = result.ratio(first, str(size))
        reached = ratio <= NOISE
        ok = ok and reached
        verdict = "ok" if reached else "MISSED"
        lines.append([f"{size:,}", duration(result.median(str(size))), f"{ratio:.2f}", f"{NOISE:.2f}", verdict])
    show(f"{table.title}: {name}", (table.size, "each", f"x {first}", "at most", ""), lines)
    return {"table": table.name, "series": name, "seconds": {key: result.median(key) for key in entrants}, "ok": ok}


def run_cores(seconds: float) -> dict[str, Any]:
    """Measure busy calls on our pool beside bare threads: without a GIL both gain from each core that is free."""
    sizes = tuple(n for n in (1, 2, 4, 8) if n <= (os.cpu_count() or 1))
    entrants = {f"pool {n}": on_workers(n) for n in sizes} | {f"bare {n}": on_bare_threads(n) for n in sizes}
    result = measure(Row("cores", "busy calls", entrants, (), 16), seconds * 2)
    lines: list[list[str]] = []
    ok = True
    for n in sizes:
        speedups = [f"{result.ratio(f'{kind} {n}', f'{kind} 1'):.2f}" for kind in ("pool", "bare")]
        ratio = result.ratio(f"bare {n}", f"pool {n}")
        ok = ok and ratio <= NOISE
        verdict = "ok" if ratio <= NOISE else "MISSED"
        each = duration(result.median(f"pool {n}"))
        lines.append([str(n), each, *speedups, f"{ratio:.2f}", f"{NOISE:.2f}", verdict])
    header = ("workers", "each", "speed-up", "of bare threads", "time, x bare", "at most", "")
    show("One busy call (20,000 additions), by worker threads", header, lines)
    return {"table": "cores", "series": "busy", "seconds": {key: result.median(key) for key in entrants}, "ok": ok}


def run_memory() -> dict[str, Any]:
    """Measure what a call holds while it waits for its thread, beside a task that waits for a bare future."""
    held = {
        "thread-sensitive call": asyncio.run(memory_of_calls(thread_sensitive=True)),
        "call on any thread": asyncio.run(memory_of_calls(thread_sensitive=False)),
        "task with a bare future": asyncio.run(memory_of_futures()),
    }
    lines = [[name, f"{size:,.0f} bytes"] for name, size in held.items()]
    show("Memory of one that waits, its task included", ("", "each"), lines)
    return {"table": "memory", "series": "bytes", "bytes": held, "ok": True}


async def memory_of_calls(*, thread_sensitive: bool) -> float:
    """Return the bytes that one waiting call holds: the first blocks every worker, the others stand in line."""
    go_on = threading.Event()
    with WorkerThreadPool(1) as pool, Bridge(worker_pool=pool) as bridge:
        block = asyncio.create_task(bridge.options(thread_sensitive=thread_sensitive).run_sync(go_on.wait, 60))
        call = bridge.sync_to_async(nothing, thread_sensitive=thread_sensitive)
        size = await memory_of_tasks(call, go_on.set)
        await block
    return size


async def memory_of_futures() -> float:
    futures: list[asyncio.Future[None]] = []

    async def wait() -> None:
        future = asyncio.get_running_loop().create_future()
        futures.append(future)
        await future

    def release() -> None:
        for future in futures:
            future.set_result(None)

    return await memory_of_tasks(wait, release)


async def memory_of_tasks(call: Callable[[], Awaitable[object]], release: Callable[[], object]) -> float:
    """Return the bytes per task of a thousand tasks that wait in `call()`."""

    async def task() -> None:
        await call()

    count = 1000
    await asyncio.sleep(0)
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    waiting = [asyncio.create_task(task()) for _ in range(count)]
    for _ in range(3):
        await asyncio.sleep(0)
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    release()
    await asyncio.gather(*waiting)
    return (after - before) / count
