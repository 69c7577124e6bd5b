"""What a crossing costs, counted: the table of docs/explanation/performance.md, row by row."""

import asyncio
import re
import threading
import tracemalloc
from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from functools import partial
from pathlib import Path

import pytest

import asgikit
from asgikit import Bridge
from asgikit.executor import ThreadSensitivePool
from asgikit.loop import PooledLoopRunner, SharedLoopRunner
from asgikit.protocols import LoopRunner
from tests.bridge.counting import COLUMNS, Count, counting

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "performance.md"
CALLS = 20
CALLERS = 100
VARIABLES = [ContextVar[int](f"variable_{number}") for number in range(1000)]


def nothing() -> None: ...


async def nothing_async() -> None: ...


async def repeat(count: Count, call: Callable[[], Awaitable[object]], *, warm: int = 2) -> int:
    for _ in range(warm):
        await call()
    count.begin()
    for _ in range(CALLS):
        await call()
    count.end()
    return CALLS


def repeat_sync(count: Count, call: Callable[[], object]) -> int:
    for _ in range(2):
        call()
    count.begin()
    for _ in range(CALLS):
        call()
    count.end()
    return CALLS


def sensitive(count: Count) -> int:
    with Bridge() as bridge:
        return asyncio.run(repeat(count, bridge.sync_to_async(nothing)))


def with_variables(count: Count) -> int:
    for number, variable in enumerate(VARIABLES):
        variable.set(number)
    return sensitive(count)


def free(count: Count) -> int:
    with Bridge() as bridge:
        return asyncio.run(repeat(count, bridge.sync_to_async(nothing, thread_sensitive=False)))


def together(count: Count) -> int:
    """A hundred callers whose functions all end while the loop is busy with something else."""
    all_posted = threading.Event()

    async def main() -> int:
        await bridge.run_sync(nothing)
        call = bridge.sync_to_async(all_posted.wait)
        count.begin()
        tasks = [asyncio.create_task(call(10)) for _ in range(CALLERS)]
        await asyncio.sleep(0)
        count.leave_out_this_thread()
        all_posted.set()
        pool.submit(nothing).result(
            10
        )  # behind the hundred, on the same worker: blocks the loop until they are through
        await asyncio.gather(*tasks)
        count.end()
        return CALLERS

    with ThreadSensitivePool() as pool, Bridge(sensitive_pool=pool) as bridge:
        return asyncio.run(main())


def inside(count: Count) -> int:
    with Bridge() as bridge:
        call = bridge.async_to_sync(nothing_async)
        return asyncio.run(bridge.run_sync(repeat_sync, count, call))


def hosted(count: Count) -> int:
    with Bridge() as bridge:
        return bridge.run_async(repeat, count, bridge.sync_to_async(nothing))


def scope(count: Count) -> int:
    with Bridge() as bridge:

        async def call() -> None:
            async with bridge.thread_sensitive_scope():
                await bridge.run_sync(nothing)

        return asyncio.run(repeat(count, call))


def cold(count: Count, runner: Callable[[], LoopRunner] | None = None) -> int:
    loops = None if runner is None else runner()
    try:
        with Bridge(loop_runner=loops) as bridge:
            return repeat_sync(count, bridge.async_to_sync(nothing_async))
    finally:
        if loops is not None:
            loops.close()


ROWS: dict[str, Callable[[Count], int]] = {
    "`sync_to_async`": sensitive,
    "the same, 1,000 context variables set": with_variables,
    "the same, `thread_sensitive=False`": free,
    "the same, one of 100 callers at once": together,
    "`async_to_sync` inside `sync_to_async`": inside,
    "`sync_to_async` to a thread that waits": hosted,
    "a scope: enter, one call, exit": scope,
    "`async_to_sync`, cold, fresh loop": cold,
    "the same, pooled loop": partial(cold, runner=PooledLoopRunner),
    "the same, shared loop": partial(cold, runner=SharedLoopRunner),
}


def documented() -> dict[str, dict[str, float]]:
    _, _, below = PAGE.read_text("utf-8").partition("| one crossing |")
    table, _, _ = below.partition("\n\n")
    names, _, *rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in f"|{table}".splitlines()]
    assert tuple(names) == COLUMNS
    return {row[0]: dict(zip(COLUMNS, map(float, row[1:]), strict=True)) for row in rows}


def test_every_row_of_the_page_is_counted() -> None:
    assert list(documented()) == list(ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_a_crossing_costs_what_the_page_says(name: str) -> None:
    """E2 and E5: warm crossings start no thread. G4: context variables that are set and not changed cost nothing."""
    with counting() as count:
        calls = ROWS[name](count)
    assert count.per(calls) == documented()[name]


def test_what_a_waiting_call_holds_in_memory() -> None:
    """Counted in the blocks that asgikit's own lines have allocated and not given back."""
    go_on = threading.Event()
    ours = tracemalloc.Filter(inclusive=True, filename_pattern=f"{Path(asgikit.__file__).parent}/*")

    async def main() -> float:
        blocking = asyncio.create_task(bridge.run_sync(go_on.wait, 10))
        call = bridge.sync_to_async(nothing)
        await asyncio.sleep(0)
        tracemalloc.start()
        tasks = [asyncio.create_task(call()) for _ in range(CALLERS)]
        await asyncio.sleep(0)
        held = tracemalloc.take_snapshot().filter_traces([ours]).statistics("filename")
        tracemalloc.stop()
        go_on.set()
        await asyncio.gather(blocking, *tasks)
        return sum(statistic.count for statistic in held) / CALLERS

    said = re.search(r"at most (\d+) blocks of memory", PAGE.read_text("utf-8"))
    assert said is not None
    with Bridge() as bridge:
        assert asyncio.run(main()) <= int(said[1])
