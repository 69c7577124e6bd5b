"""The bridge and its context variables: every crossing that does nothing, so that only the crossing costs.

Bars are those of DESIGN.md, section 8.
"""

import asyncio
import os
import time
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from functools import partial
from typing import Any, Final

from asgikit import Bridge
from asgikit.executor import ThreadSensitivePool
from asgikit.loop import PerCallLoopRunner, PooledLoopRunner, SharedLoopRunner
from asgikit.protocols import LoopRunner
from tests.bench.floor import FloorPool, floor_host, floor_to_loop, loop_on_a_thread
from tests.bench.jobs import nothing, nothing_async, set_variables
from tests.bench.shape import OURS, Bar, Entrant, LoopFactory, Round, Row, async_rounds, sync_rounds

__all__ = ("ROWS", "hosting", "inside", "to_sync", "to_threads")

POOL_BOUND: Final = min(32, (os.cpu_count() or 1) + 4)  # the default of our worker pool

Rounds = AbstractContextManager[Round]
Drive = Callable[[Callable[[], Awaitable[object]]], Rounds]
"""Turns a crossing into rounds: `async_rounds` with its arguments filled in."""


def uvloop_factory() -> asyncio.AbstractEventLoop:
    import uvloop

    return uvloop.new_event_loop()


# Async code calls sync code


@contextmanager
def to_threads(drive: Drive, *, thread_sensitive: bool) -> Generator[Round]:
    """Yield rounds of our `sync_to_async`."""
    with Bridge() as bridge, drive(bridge.sync_to_async(nothing, thread_sensitive=thread_sensitive)) as round_of:
        yield round_of


def asgiref_to_threads(drive: Drive, *, thread_sensitive: bool) -> Rounds:
    from asgiref.sync import sync_to_async

    return drive(sync_to_async(nothing, thread_sensitive=thread_sensitive))


def anyio_to_threads(drive: Drive) -> Rounds:
    from anyio.to_thread import run_sync

    return drive(lambda: run_sync(nothing))


@contextmanager
def executor_to_threads(drive: Drive) -> Generator[Round]:
    def call() -> Awaitable[object]:
        return asyncio.get_running_loop().run_in_executor(pool, nothing)

    with ThreadPoolExecutor(1) as pool, drive(call) as round_of:
        yield round_of


@contextmanager
def floor_to_threads(drive: Drive, threads: int) -> Generator[Round]:
    with FloorPool(threads) as floor, drive(lambda: floor.call(nothing)) as round_of:
        yield round_of


def sensitive(drive: Drive) -> dict[str, Entrant]:
    return {
        OURS: partial(to_threads, drive, thread_sensitive=True),
        "asgiref": partial(asgiref_to_threads, drive, thread_sensitive=True),
        "run_in_executor": partial(executor_to_threads, drive),
        "floor": partial(floor_to_threads, drive, 1),
    }


def free(drive: Drive) -> dict[str, Entrant]:
    return {
        OURS: partial(to_threads, drive, thread_sensitive=False),
        "asgiref": partial(asgiref_to_threads, drive, thread_sensitive=False),
        "to_thread": partial(drive, partial(asyncio.to_thread, nothing)),
        "anyio": partial(anyio_to_threads, drive),
        "floor": partial(floor_to_threads, drive, POOL_BOUND),
    }


# Sync code calls async code, and there is no loop yet


@contextmanager
def to_sync(runner: Callable[[], LoopRunner]) -> Generator[Round]:
    """Yield rounds of our `async_to_sync` with that loop runner."""
    loops = runner()
    try:
        with Bridge(loop_runner=loops) as bridge, sync_rounds(bridge.async_to_sync(nothing_async)) as round_of:
            yield round_of
    finally:
        loops.close()


def asgiref_to_sync() -> Rounds:
    from asgiref.sync import async_to_sync

    return sync_rounds(async_to_sync(nothing_async))


def threadsafe(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.run_coroutine_threadsafe(nothing_async(), loop).result()


@contextmanager
def threadsafe_to_sync(
    loop_thread: Callable[[], AbstractContextManager[asyncio.AbstractEventLoop]],
) -> Generator[Round]:
    with loop_thread() as loop, sync_rounds(partial(threadsafe, loop)) as round_of:
        yield round_of


@contextmanager
def floor_to_sync(loop_thread: Callable[[], AbstractContextManager[asyncio.AbstractEventLoop]]) -> Generator[Round]:
    with loop_thread() as loop, sync_rounds(partial(floor_to_loop, loop, nothing)) as round_of:
        yield round_of


@contextmanager
def portal_to_sync() -> Generator[Round]:
    from anyio.from_thread import start_blocking_portal

    with start_blocking_portal() as portal, sync_rounds(lambda: portal.call(nothing_async)) as round_of:
        yield round_of


def kept_loops(runner: Callable[[], LoopRunner], loop_factory: LoopFactory) -> dict[str, Entrant]:
    return {
        OURS: partial(to_sync, runner),
        "anyio portal": portal_to_sync,
        "run_coroutine_threadsafe": partial(threadsafe_to_sync, partial(loop_on_a_thread, loop_factory)),
        "floor": partial(floor_to_sync, partial(loop_on_a_thread, loop_factory)),
    }


# Sync code that async code called calls async code


def timed(call: Callable[[], object], calls: int) -> float:
    with sync_rounds(call) as round_of:
        return round_of(calls)


@contextmanager
def inside(
    run_sync: Callable[[Callable[[], float]], Awaitable[float]],
    call: Callable[[asyncio.AbstractEventLoop], Callable[[], object]],
) -> Generator[Round]:
    """Yield rounds of `call(loop)` in sync code, which runs as `await run_sync(sync_code)`."""

    async def main(calls: int) -> float:
        return await run_sync(partial(timed, call(asyncio.get_running_loop()), calls))

    with asyncio.Runner() as runner:
        yield lambda calls: runner.run(main(calls))


@contextmanager
def ours_inside() -> Generator[Round]:
    with Bridge() as bridge:
        call = bridge.async_to_sync(nothing_async)
        with inside(bridge.run_sync, lambda _: call) as round_of:
            yield round_of


def asgiref_inside() -> Rounds:
    from asgiref.sync import async_to_sync, sync_to_async

    call = async_to_sync(nothing_async)
    return inside(lambda sync_code: sync_to_async(sync_code)(), lambda _: call)


def anyio_inside() -> Rounds:
    from anyio import from_thread, to_thread

    return inside(to_thread.run_sync, lambda _: partial(from_thread.run, nothing_async))


def asyncio_inside() -> Rounds:
    return inside(asyncio.to_thread, lambda loop: partial(threadsafe, loop))


def floor_inside() -> Rounds:
    return inside(asyncio.to_thread, lambda loop: partial(floor_to_loop, loop, nothing))


# Async code that sync code called calls sync code, on the thread that waits


async def timed_async(call: Callable[[], Awaitable[object]], calls: int) -> float:
    began = time.perf_counter()
    for _ in range(calls):
        await call()
    return time.perf_counter() - began


@contextmanager
def hosting() -> Generator[Round]:
    """Yield rounds of our `sync_to_async` under our `async_to_sync`."""
    with Bridge() as bridge:
        call = bridge.sync_to_async(nothing)
        yield lambda calls: bridge.run_async(timed_async, call, calls)


@contextmanager
def asgiref_hosting() -> Generator[Round]:
    from asgiref.sync import async_to_sync, sync_to_async

    call = sync_to_async(nothing)
    yield lambda calls: async_to_sync(timed_async)(call, calls)


@contextmanager
def floor_hosting() -> Generator[Round]:
    with loop_on_a_thread() as loop:
        yield lambda calls: floor_host(loop, lambda host: timed_async(partial(host.call, nothing), calls))


# A scope around one call


async def one_scope(
    scope: Callable[[], AbstractAsyncContextManager[object]], call: Callable[[], Awaitable[object]]
) -> None:
    async with scope():
        await call()


@contextmanager
def scope() -> Generator[Round]:
    """Yield rounds of our scopes, which start a thread in the first round and never again."""
    with ThreadSensitivePool() as pool, Bridge(sensitive_pool=pool) as bridge:
        job = partial(one_scope, bridge.thread_sensitive_scope, bridge.sync_to_async(nothing))
        with async_rounds(job) as round_of:

            def without_new_threads(calls: int) -> float:
                before = pool.counters.started
                seconds = round_of(calls)
                if before not in {0, pool.counters.started}:
                    raise AssertionError(f"{pool.counters.started - before} threads were started for warm scopes")
                return seconds

            yield without_new_threads


def asgiref_scope() -> Rounds:
    from asgiref.sync import ThreadSensitiveContext, sync_to_async

    return async_rounds(partial(one_scope, ThreadSensitiveContext, sync_to_async(nothing)))


# Context variables


def with_variables(count: int) -> Drive:
    return partial(async_rounds, prepare=partial(set_variables, count))


def pair(name: str, job: str, entrants: Callable[[Drive], dict[str, Entrant]]) -> tuple[Row, Row]:
    """Return the rows of one caller and of a hundred."""
    one: tuple[Any, ...] = (Bar("floor", 1.3), Bar("asgiref", 0.6))
    return (
        Row(f"one-caller-{name}", f"{job}, one caller", entrants(async_rounds), one, 200),
        Row(
            f"hundred-callers-{name}",
            f"{job}, 100 callers",
            entrants(partial(async_rounds, callers=100)),
            (Bar("floor", 0.85),),
            4000,  # a busy machine: longer than the kernel takes to settle where the threads run
        ),
    )


ROWS: Final[tuple[Row, ...]] = (
    *pair("sensitive", "sync_to_async", sensitive),
    *pair("free", "sync_to_async, any thread", free),
    Row(
        "cold",
        "async_to_sync, fresh loop",
        {
            OURS: partial(to_sync, PerCallLoopRunner),
            "asgiref": asgiref_to_sync,
            "asyncio.run": partial(sync_rounds, lambda: asyncio.run(nothing_async())),
        },
        (Bar("asyncio.run", 1.5), Bar("asgiref", 0.35)),
        50,
    ),
    Row(
        "cold-pooled",
        "async_to_sync, pooled loop",
        kept_loops(PooledLoopRunner, asyncio.new_event_loop),
        (Bar("run_coroutine_threadsafe", 1.0),),
        200,
    ),
    Row(
        "cold-shared",
        "async_to_sync, shared loop",
        kept_loops(SharedLoopRunner, asyncio.new_event_loop),
        (Bar("run_coroutine_threadsafe", 1.0),),
        200,
    ),
    Row(
        "nested",
        "async_to_sync inside sync_to_async",
        {
            OURS: ours_inside,
            "asgiref": asgiref_inside,
            "anyio": anyio_inside,
            "run_coroutine_threadsafe": asyncio_inside,
            "floor": floor_inside,
        },
        (Bar("asgiref", 0.5),),
        200,
    ),
    Row(
        "hosting",
        "sync_to_async to the waiting thread",
        {OURS: hosting, "asgiref": asgiref_hosting, "floor": floor_hosting},
        (Bar("asgiref", 0.4),),
        200,
    ),
    Row("scope", "scope: enter, one call, exit", {OURS: scope, "asgiref": asgiref_scope}, (Bar("asgiref", 0.3),), 50),
    Row(
        "variables",
        "sync_to_async, 1,000 variables set (G4)",
        {
            OURS: partial(to_threads, with_variables(1000), thread_sensitive=True),
            "none set": partial(to_threads, async_rounds, thread_sensitive=True),
            "asgiref": partial(asgiref_to_threads, with_variables(1000), thread_sensitive=True),
        },
        (Bar("none set", 1.5),),
        100,
    ),
    Row(
        "uvloop-one-caller",
        "sync_to_async, one caller, uvloop",
        sensitive(partial(async_rounds, loop_factory=uvloop_factory)),
        (),
        200,
    ),
    Row(
        "uvloop-hundred-callers",
        "sync_to_async, 100 callers, uvloop",
        sensitive(partial(async_rounds, loop_factory=uvloop_factory, callers=100)),
        (),
        1000,
    ),
    Row(
        "uvloop-shared",
        "async_to_sync, shared loop, uvloop",
        kept_loops(partial(SharedLoopRunner, loop_factory=uvloop_factory), uvloop_factory),
        (),
        200,
    ),
)
