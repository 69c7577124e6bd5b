"""K2: a synchronous iterable in async code: one thread, one context, bounded reading ahead, and always closed."""

import asyncio
import gc
import logging
import threading
import traceback
import weakref
from collections.abc import AsyncGenerator, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from contextvars import ContextVar
from functools import partial
from typing import Any

import pytest

from asgikit import Bridge
from asgikit.bridge import BridgeView
from asgikit.errors import AbandonedError, ClosedError, LeaseTimeoutError, ScopeError, WrapError
from asgikit.executor import ThreadSensitivePool
from asgikit.testing import ManualClock
from tests.support.gate import SECONDS, Gate, HoldsUp, until, wait_for
from tests.support.interpreter import free_threaded

variable: ContextVar[str] = ContextVar("variable", default="unset")


class Source:
    """An infinite iterator that notes where its steps run and whether it was closed."""

    def __init__(self, gate: Gate | None = None, *, shut_at: int = -1) -> None:
        """Count; stop in front of `gate` at the item `shut_at`."""
        self.made = 0
        self.threads: list[int] = []
        self.closed: list[int] = []
        self._gate = gate
        self._shut_at = shut_at

    def __iter__(self) -> Iterator[int]:
        return self

    def __next__(self) -> int:
        self.threads.append(threading.get_ident())
        if self._gate is not None and self.made == self._shut_at:
            self._gate()
        self.made += 1
        return self.made

    def beyond(self, count: int) -> bool:
        return self.made > count

    def close(self) -> None:
        self.closed.append(threading.get_ident())

    def check_closed(self) -> None:
        """Every step and the one close ran on one thread."""
        assert len(self.closed) == 1
        assert {*self.threads, *self.closed} == {self.closed[0]}


@pytest.fixture(params=[64, 1, 0], ids=["ahead", "ahead by one", "lockstep"])
def max_buffer(request: pytest.FixtureRequest) -> int:
    size: int = request.param
    return size


@pytest.fixture(params=["sensitive", "free"])
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def view_of(bridge: Bridge, kind: str) -> BridgeView:
    return bridge if kind == "sensitive" else bridge.options(thread_sensitive=False)


# Items, and where they come from


def test_items_arrive_in_order(max_buffer: int, kind: str) -> None:
    """K2: all of them, however many."""

    async def main() -> list[int]:
        return [item async for item in view_of(bridge, kind).iterate_async(range(1000), max_buffer=max_buffer)]

    with Bridge() as bridge:
        assert asyncio.run(main()) == list(range(1000))


def test_in_comprehensions_within_each_other(max_buffer: int, kind: str) -> None:
    """K2: an iteration for each turn of another, both on their threads, and each is closed at its end."""
    closed: list[int] = []

    def row(number: int) -> Generator[int, None, None]:
        try:
            yield from range(number)
        finally:
            closed.append(number)

    async def main() -> list[tuple[int, int]]:
        each = view_of(bridge, kind).iterate_async(row, max_buffer=max_buffer)
        return [(first, second) async for first in each(3) async for second in each(first) if second != 1]

    with Bridge() as bridge:
        assert asyncio.run(main()) == [(1, 0), (2, 0)]
    assert sorted(closed) == [0, 1, 2, 3]  # reading ahead, the outermost may come first


def test_nothing_to_iterate(max_buffer: int) -> None:
    async def main() -> list[int]:
        empty: list[int] = []
        return [item async for item in bridge.iterate_async(empty, max_buffer=max_buffer)]

    with Bridge() as bridge:
        assert asyncio.run(main()) == []


def test_an_iterator_without_iter_will_do(max_buffer: int) -> None:
    """K2: what a for statement takes, this takes: `iter` is called once."""

    class Bare:
        left = 3

        def __next__(self) -> int:
            self.left -= 1
            if self.left < 0:
                raise StopIteration
            return self.left

    class Iterable:
        def __iter__(self) -> Any:
            return Bare()

    async def main() -> list[int]:
        return [item async for item in bridge.iterate_async(Iterable(), max_buffer=max_buffer)]

    with Bridge() as bridge:
        assert asyncio.run(main()) == [2, 1, 0]


def test_one_thread_and_one_context_for_all_steps(max_buffer: int, kind: str) -> None:
    """K2: the generator's body, from its first line to its `finally`, though the consumer's context changes."""
    seen: list[tuple[int, str]] = []

    def body() -> Iterator[int]:
        token = variable.set("inside")
        try:
            for number in range(200):
                seen.append((threading.get_ident(), variable.get()))
                yield number
        finally:
            variable.reset(token)
            seen.append((threading.get_ident(), variable.get()))

    async def main() -> None:
        variable.set("outside")
        async for number in view_of(bridge, kind).iterate_async(body, max_buffer=max_buffer)():
            assert variable.get() == "outside" if number == 0 else str(number - 1)
            variable.set(str(number))
            await asyncio.sleep(0)

    with Bridge() as bridge:
        asyncio.run(main())
    assert len({thread for thread, _ in seen}) == 1
    assert seen[0][0] != threading.get_ident()
    assert {value for _, value in seen[:-1]} == {"inside"}
    assert seen[-1][1] == "outside"


def test_under_a_host_it_is_the_hosting_thread(max_buffer: int) -> None:
    """K2: the home thread of the chain runs the steps."""
    source = Source()

    async def main() -> None:
        async with aclosing(bridge.iterate_async(source, max_buffer=max_buffer)) as items:
            async for item in items:
                if item == 10:
                    break

    with Bridge() as bridge:
        bridge.run_async(main)
    source.check_closed()
    assert source.closed == [threading.get_ident()]


def test_in_a_scope_it_is_the_leased_worker(max_buffer: int) -> None:
    """K2: and the sensitive calls of the body run there too."""
    source = Source()

    async def main() -> int:
        async with bridge.thread_sensitive_scope():
            async with aclosing(bridge.iterate_async(source, max_buffer=max_buffer)) as items:
                await anext(items)
            return await bridge.run_sync(threading.get_ident)

    with Bridge() as bridge:
        assert asyncio.run(main()) == source.threads[0]
    source.check_closed()


def test_on_a_home_thread_that_runs_a_loop(max_buffer: int) -> None:
    """K2, A4: the steps run between two callbacks of that loop, from whatever loop inside it they are asked for."""
    source = Source()

    async def innermost() -> None:
        async with aclosing(bridge.iterate_async(source, max_buffer=max_buffer)) as items:
            assert await anext(items) == 1

    async def inner() -> None:
        away = bridge.options(thread_sensitive=False)
        await asyncio.wait_for(away.run_sync(lambda: asyncio.run(asyncio.wait_for(innermost(), SECONDS))), SECONDS)

    def home() -> int:
        asyncio.run(inner())
        return threading.get_ident()

    with Bridge() as bridge:
        thread = asyncio.run(bridge.run_sync(home))
    source.check_closed()
    assert source.closed == [thread]


def test_a_given_executor_of_one_thread(max_buffer: int) -> None:
    """K2: the steps go where calls go."""
    source = Source()

    async def main() -> None:
        view = bridge.options(thread_sensitive=False, executor=executor)
        async with aclosing(view.iterate_async(source, max_buffer=max_buffer)) as items:
            await anext(items)

    with Bridge() as bridge, ThreadPoolExecutor(1) as executor:
        thread = executor.submit(threading.get_ident).result()
        asyncio.run(main())
    source.check_closed()
    assert source.closed == [thread]


def test_a_scope_with_an_executor(max_buffer: int) -> None:
    source = Source()

    async def main() -> None:
        async with (
            bridge.thread_sensitive_scope(executor=executor),
            aclosing(bridge.iterate_async(source, max_buffer=max_buffer)) as items,
        ):
            await anext(items)

    with Bridge() as bridge, ThreadPoolExecutor(1) as executor:
        asyncio.run(main())
        thread = executor.submit(threading.get_ident).result()
    source.check_closed()
    assert source.closed == [thread]


def test_two_free_iterations_have_a_thread_each() -> None:
    """K2: and both keep theirs."""
    first, second = Source(), Source()

    async def main() -> None:
        free = bridge.options(thread_sensitive=False)
        async with (
            aclosing(free.iterate_async(first, max_buffer=0)) as one,
            aclosing(free.iterate_async(second, max_buffer=0)) as other,
        ):
            for _ in range(20):
                assert await anext(one) == await anext(other)

    with Bridge() as bridge:
        asyncio.run(main())
    first.check_closed()
    second.check_closed()
    assert first.closed != second.closed


def test_two_bridges_share_the_hosting_thread(max_buffer: int) -> None:
    """K2: chains span bridges."""
    source = Source()

    async def main() -> None:
        async with aclosing(other.iterate_async(source, max_buffer=max_buffer)) as items:
            await anext(items)

    with Bridge() as bridge, Bridge() as other:
        bridge.run_async(main)
    assert source.closed == [threading.get_ident()]


def test_a_body_that_crosses_back() -> None:
    """K2: the generator may call async code, on the loop that iterates it."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def fetch(number: int) -> int:
        loops.append(asyncio.get_running_loop())
        await asyncio.sleep(0)
        return number * 2

    @bridge_of_module().iterate_async
    def body(upto: int) -> Iterator[int]:
        for number in range(upto):
            yield bridge_of_module().run_async(fetch, number)

    async def main() -> list[int]:
        loops.append(asyncio.get_running_loop())
        return [item async for item in body(5)]

    with bridge_of_module():
        assert asyncio.run(main()) == [0, 2, 4, 6, 8]
        assert len(set(loops)) == 1
    _BRIDGES.clear()


_BRIDGES: list[Bridge] = []


def bridge_of_module() -> Bridge:
    if not _BRIDGES:
        _BRIDGES.append(Bridge())
    return _BRIDGES[0]


# Reading ahead


@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_an_infinite_producer_stays_within_the_bound(size: int) -> None:
    """K2: what was made and not taken is never more than `max_buffer`."""
    source = Source()
    ahead: list[int] = []

    async def main() -> None:
        async with aclosing(bridge.iterate_async(source, max_buffer=size)) as items:
            taken = 0
            async for _ in items:
                taken += 1
                ahead.append(source.made - taken)
                await asyncio.sleep(0)
                ahead.append(source.made - taken)
                if taken == 300:
                    break

    with Bridge() as bridge:
        asyncio.run(main())
    source.check_closed()
    assert max(ahead) <= size
    assert size == 1 or max(ahead) > 0


def test_a_slow_producer_delivers_each_item_at_once() -> None:
    """K2: an item does not wait for the buffer to be full."""

    async def main() -> None:
        async with aclosing(bridge.iterate_async(Source(gate, shut_at=3), max_buffer=64)) as items:
            assert [await anext(items) for _ in range(3)] == [1, 2, 3]
            assert not gate.ended.is_set()
            gate.open()
            assert await anext(items) == 4

    with Gate() as gate, Bridge() as bridge:
        asyncio.run(main())


def test_other_calls_of_the_thread_get_a_turn() -> None:
    """K2: an iteration that could go on for ever does not keep the home thread from others."""
    source = Source()

    async def main() -> None:
        async def drain() -> None:
            async for _ in bridge.iterate_async(source, max_buffer=64):
                pass

        task = asyncio.create_task(drain())
        await until(lambda: source.made)
        for _ in range(20):
            before = source.made
            assert await bridge.run_sync(threading.get_ident) == source.threads[0]
            await until(partial(source.beyond, before))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with Bridge() as bridge:
        asyncio.run(main())
    source.check_closed()


def test_a_bound_that_is_never_reached_keeps_nobody_away() -> None:
    """K2: the thread is given back after a slice of time, too."""

    async def main() -> None:
        async with aclosing(bridge.iterate_async(Source(), max_buffer=10**9)) as items:
            for _ in range(3):
                await anext(items)
                await asyncio.wait_for(bridge.run_sync(threading.get_ident), 5)

    with Bridge() as bridge:
        asyncio.run(main())


# The end that always comes


def test_leaving_with_aclosing(max_buffer: int, kind: str) -> None:
    """K2: break, with aclosing: closed when the block is left."""
    source = Source()

    async def main() -> None:
        async with aclosing(view_of(bridge, kind).iterate_async(source, max_buffer=max_buffer)) as items:
            async for item in items:
                if item == 5:
                    break
        source.check_closed()

    with Bridge() as bridge:
        asyncio.run(main())


def test_left_and_taken_up_again(max_buffer: int, kind: str) -> None:
    """K2: `break` ends the loop and not the iteration, which goes on where it was until it is closed."""
    source = Source()

    async def main() -> None:
        items = view_of(bridge, kind).iterate_async(source, max_buffer=max_buffer)
        async for item in items:
            if item == 3:
                break
        assert await anext(items) == 4
        await items.aclose()
        assert await anext(items, None) is None

    with Bridge() as bridge:
        asyncio.run(main())
    source.check_closed()


def test_two_tasks_cannot_take_from_one_iteration_at_once() -> None:
    """K2: the second is told so, as with any async generator, and the iteration goes on for the first."""

    async def main() -> None:
        items = bridge.iterate_async(source, max_buffer=0)
        first = asyncio.create_task(anext_of(items))
        await until(gate.begun.is_set)
        with pytest.raises(RuntimeError, match="already running"):
            await anext(items)
        gate.open()
        assert await first == 1
        assert await anext(items) == 2
        await items.aclose()

    with Gate() as gate, Bridge() as bridge:
        source = Source(gate, shut_at=0)
        asyncio.run(main())
    source.check_closed()


def test_an_exception_in_the_loop(max_buffer: int, kind: str) -> None:
    """K2: an error in the consumer goes on, and the iterable is closed."""
    source = Source()

    async def main() -> None:
        async with aclosing(view_of(bridge, kind).iterate_async(source, max_buffer=max_buffer)) as items:
            async for _ in items:
                raise KeyError("mine")

    with Bridge() as bridge, pytest.raises(KeyError, match="mine"):
        asyncio.run(main())
    source.check_closed()


def test_the_end_of_the_iterable_closes_it(max_buffer: int) -> None:
    closed: list[bool] = []

    class Lines:
        def __init__(self) -> None:
            self._lines = iter("abc")

        def __iter__(self) -> Iterator[str]:
            return self

        def __next__(self) -> str:
            return next(self._lines)

        def close(self) -> None:
            closed.append(True)

    async def main() -> str:
        return "".join([line async for line in bridge.iterate_async(Lines(), max_buffer=max_buffer)])

    with Bridge() as bridge:
        assert asyncio.run(main()) == "abc"
    assert closed == [True]


def test_cancelled_while_the_iterable_is_busy(max_buffer: int, kind: str) -> None:
    """K2: the iteration ends at once; the busy iterable is closed when it comes back, by its own thread."""

    async def main() -> None:
        async def consume() -> None:
            async for _ in view_of(bridge, kind).iterate_async(source, max_buffer=max_buffer):
                pass

        task = asyncio.create_task(consume())
        await until(gate.begun.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not gate.ended.is_set()
        assert not source.closed
        gate.open()
        await until(lambda: source.closed)

    with Gate() as gate, Bridge() as bridge:
        source = Source(gate, shut_at=1)
        asyncio.run(main())
    source.check_closed()


@pytest.mark.parametrize("step", [1, 2])
def test_cancelled_as_its_thread_comes_to_a_step(max_buffer: int, kind: str, step: int) -> None:
    """K2: a step that its thread has taken up, and not begun yet, closes the iterable as one that runs does."""
    source = Source()

    async def consume() -> None:
        async for _ in view_of(bridge, kind).iterate_async(source, max_buffer=max_buffer):
            pass

    async def main() -> None:
        task = asyncio.create_task(consume())
        await until(gate.begun.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.open()
        await until(lambda: source.closed)

    with Gate() as gate, Bridge(observer=HoldsUp(gate, step)) as bridge:
        asyncio.run(main())
    source.check_closed()


def test_cancelled_before_the_first_step_began(max_buffer: int, kind: str) -> None:
    """K2: what was never begun is neither begun nor closed."""
    source = Source()

    async def main() -> None:
        task = asyncio.create_task(anext_of(view_of(bridge, kind).iterate_async(source, max_buffer=max_buffer)))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with Gate() as gate, ThreadSensitivePool(1) as pool, Bridge(sensitive_pool=pool) as bridge:
        lease = pool.lease()
        lease.submit(gate)
        pool.default().submit(gate)
        asyncio.run(main())
        gate.open()
        lease.release()
    assert source.closed == source.threads == []


async def anext_of(items: AsyncGenerator[Any, Any]) -> object:
    return await anext(items)


def test_cancelled_in_the_loop_body_while_reading_ahead() -> None:
    """K2: aclosing waits for the busy iterable, unless it is cancelled itself; closed it is in any case."""

    async def main() -> None:
        async def consume() -> None:
            async with aclosing(bridge.iterate_async(source)) as items:
                async for _ in items:
                    in_body.set()
                    await asyncio.Event().wait()

        in_body = asyncio.Event()
        task = asyncio.create_task(consume())
        await in_body.wait()
        await until(gate.begun.is_set)
        task.cancel()
        for _ in range(10):
            await asyncio.sleep(0)
        assert not task.done()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not source.closed
        gate.open()
        await until(lambda: source.closed)

    with Gate() as gate, Bridge() as bridge:
        source = Source(gate, shut_at=2)
        asyncio.run(main())
    source.check_closed()


def test_cancelled_while_closing_waits_in_line(max_buffer: int) -> None:
    """K2: a close that is asked for is done, though whoever asked is gone before its turn has come."""
    source = Source()

    async def main() -> None:
        items = bridge.iterate_async(source, max_buffer=max_buffer)
        await anext(items)
        busy = asyncio.create_task(bridge.run_sync(gate))
        await until(gate.begun.is_set)
        closing = asyncio.create_task(items.aclose())
        await asyncio.sleep(0)
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        assert not source.closed
        gate.open()
        await busy
        await until(lambda: source.closed)

    with Gate() as gate, Bridge() as bridge:
        asyncio.run(main())
    source.check_closed()


def test_cancelled_while_the_body_waits_for_async_code(max_buffer: int) -> None:
    """K2: the inner coroutine is cancelled, the generator cleans up, and so does what it awaits there."""
    told: list[str] = []

    async def forever() -> None:
        told.append("waiting")
        try:
            await asyncio.Event().wait()
        finally:
            told.append("cancelled")

    async def tidy() -> None:
        told.append("tidy")

    def body() -> Iterator[int]:
        try:
            yield 1
            bridge.run_async(forever)
            yield 2
        finally:
            bridge.run_async(tidy)

    async def main() -> None:
        async def consume() -> None:
            async for _ in bridge.iterate_async(body, max_buffer=max_buffer)():
                pass

        task = asyncio.create_task(consume())
        await until(lambda: told)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: told == ["waiting", "cancelled", "tidy"])

    with Bridge() as bridge:
        asyncio.run(main())


def test_the_cleanup_of_an_abandoned_body_may_cross() -> None:
    """K2: what `finally` asks of async code is done, though the step was abandoned in plain code (B2)."""
    told: list[str] = []

    async def tidy() -> None:
        told.append("tidy")

    def body() -> Iterator[int]:
        try:
            gate()
            yield 1
        finally:
            bridge.run_async(tidy)

    async def main() -> None:
        task = asyncio.create_task(anext_of(bridge.iterate_async(body)()))
        await until(gate.begun.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.open()
        await until(lambda: told)

    with Gate() as gate, Bridge() as bridge:
        asyncio.run(main())


def test_dropped_and_collected(max_buffer: int, kind: str) -> None:
    """K2: an iterator that nobody holds any more is closed by the loop, on the thread of its steps."""
    source = Source()

    async def main() -> None:
        async for _ in view_of(bridge, kind).iterate_async(source, max_buffer=max_buffer):
            break
        gc.collect()
        await until(lambda: source.closed)

    with Bridge() as bridge:
        asyncio.run(main())
    source.check_closed()


def test_held_until_the_loop_shuts_down(max_buffer: int, kind: str) -> None:
    """K2: asyncio.run closes what is still suspended."""
    source = Source()
    held: list[object] = []

    async def main() -> None:
        items = view_of(bridge, kind).iterate_async(source, max_buffer=max_buffer)
        held.append(items)
        await anext(items)

    with Bridge() as bridge:
        asyncio.run(main())
        source.check_closed()


def test_a_task_that_is_left_when_the_loop_shuts_down(max_buffer: int, kind: str) -> None:
    """K2: cancelled by asyncio.run while it waits for a busy iterable."""

    async def main() -> None:
        async def consume() -> None:
            async for _ in view_of(bridge, kind).iterate_async(source, max_buffer=max_buffer):
                pass

        held.append(asyncio.create_task(consume()))
        await until(gate.begun.is_set)

    held: list[object] = []
    with Gate() as gate, Bridge() as bridge:
        source = Source(gate, shut_at=1)
        asyncio.run(main())
        gate.open()
        wait_for(lambda: source.closed)
    source.check_closed()


def test_leases_come_back(max_buffer: int) -> None:
    """K2: however an iteration ends, its worker is free for the next."""

    async def main() -> None:
        free = bridge.options(thread_sensitive=False)
        for _ in range(5):
            async with aclosing(free.iterate_async(Source(), max_buffer=max_buffer)) as items:
                await anext(items)
            with pytest.raises(ZeroDivisionError):
                async for _ in free.iterate_async(fails, max_buffer=max_buffer)():
                    pass
            assert [item async for item in free.iterate_async("ab", max_buffer=max_buffer)] == ["a", "b"]
        await until(lambda: pool.counters.idle == 1)

    with ThreadSensitivePool(1) as pool, Bridge(sensitive_pool=pool) as bridge:
        asyncio.run(main())
        assert pool.counters.started == 1


def fails() -> Iterator[int]:
    yield 1
    raise ZeroDivisionError


# Errors


def test_errors_arrive_as_they_were_raised(max_buffer: int) -> None:
    """K2: after the items before it, the same object, with the generator's frame on its traceback."""
    error = LookupError("lost")

    def body() -> Iterator[int]:
        yield 1
        raise error

    async def main() -> None:
        got: list[int] = []
        with pytest.raises(LookupError) as caught:
            async for item in bridge.iterate_async(body, max_buffer=max_buffer)():
                got.append(item)
        assert got == [1]
        assert caught.value is error
        names = [entry.name for entry in caught.traceback]
        assert names[-1] == "body"
        assert len(names) <= 4

    with Bridge() as bridge:
        asyncio.run(main())


def test_an_error_leads_to_no_part_of_the_bridge(max_buffer: int) -> None:
    """K2: nor to a thread or a pool (I1): its frames hold nothing of asgikit's."""

    def body() -> Iterator[int]:
        yield 1
        raise LookupError

    async def caught() -> LookupError:
        try:
            async for _ in bridge.iterate_async(body, max_buffer=max_buffer)():
                pass
        except LookupError as error:
            return error
        raise AssertionError

    with Bridge() as bridge:
        error = asyncio.run(caught())
    traceback = error.__traceback__
    traceback = traceback and traceback.tb_next  # the frame of `caught` itself
    while traceback is not None:
        for value in traceback.tb_frame.f_locals.values():
            assert not type(value).__module__.startswith("asgikit."), traceback.tb_frame
        traceback = traceback.tb_next


@pytest.mark.parametrize("moment", ["reading", "closing"])
def test_a_cancellation_leads_to_no_part_of_the_bridge(max_buffer: int, moment: str) -> None:
    """K2, I1: nor to a thread or a pool."""

    def body() -> Iterator[int]:
        try:
            if moment == "reading":
                gate()
            yield 1
            yield 2
            yield 3
        finally:
            if moment == "closing":
                gate()

    async def consume() -> None:
        async with aclosing(bridge.iterate_async(body, max_buffer=max_buffer)()) as items:
            await anext(items)

    async def main() -> BaseException:
        task = asyncio.create_task(consume())
        await until(gate.begun.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError) as caught:
            await task
        gate.open()
        return caught.value

    with Gate() as gate, Bridge() as bridge:
        found = asyncio.run(main())
    for frame, _ in traceback.walk_tb(found.__traceback__):
        if not frame.f_globals["__name__"].startswith("tests."):
            kept = {type(value).__module__.partition(".")[0] for value in frame.f_locals.values()}
            assert "asgikit" not in kept, frame


def test_an_error_of_the_function_that_makes_the_iterable(max_buffer: int, kind: str) -> None:
    def body() -> Iterator[int]:
        raise LookupError

    def no_generator() -> Iterator[int]:
        return body()

    async def main() -> None:
        with pytest.raises(LookupError):
            await anext(view_of(bridge, kind).iterate_async(no_generator, max_buffer=max_buffer)())

    with Bridge() as bridge:
        asyncio.run(main())


def test_stop_iteration_is_no_end(max_buffer: int) -> None:
    """K2: one that leaks out of the function arrives as RuntimeError with cause, and does not end the iteration."""

    def make() -> Iterator[int]:
        raise StopIteration("leaked")

    async def main() -> None:
        with pytest.raises(RuntimeError):
            await anext(bridge.iterate_async(make, max_buffer=max_buffer)())

    with Bridge() as bridge:
        asyncio.run(main())


def test_stop_async_iteration_is_no_end(max_buffer: int) -> None:
    """K2: not the word for the end of what is synchronous, so it does not end it; RuntimeError, with the cause."""

    class Confused:
        def __iter__(self) -> Iterator[int]:
            return self

        def __next__(self) -> int:
            raise StopAsyncIteration("leaked")

    async def main() -> None:
        with pytest.raises(RuntimeError) as caught:
            await anext(bridge.iterate_async(Confused(), max_buffer=max_buffer))
        assert isinstance(caught.value.__cause__, StopAsyncIteration)

    with Bridge() as bridge:
        asyncio.run(main())


def test_an_error_that_nobody_came_to_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """K2: reading ahead, the iterable failed behind the item at which its consumer left (B3)."""

    def body() -> Iterator[int]:
        yield 1
        yield 2
        failed.set()
        yield 3
        raise LookupError("further on")

    async def main() -> None:
        async with aclosing(bridge.iterate_async(body)()) as items:
            assert await anext(items) == 1
            if not failed.is_set():  # the pump may have come to the end of its slice
                assert await anext(items) == 2
            await until(failed.is_set)

    failed = threading.Event()
    with Bridge() as bridge, caplog.at_level(logging.ERROR, "asgikit"):
        asyncio.run(main())
    (record,) = caplog.records
    assert "body" in record.getMessage()
    assert record.exc_info is not None
    assert isinstance(record.exc_info[1], LookupError)


def test_an_error_in_close_is_raised(max_buffer: int) -> None:
    def body() -> Iterator[int]:
        try:
            while True:
                yield 1
        finally:
            raise LookupError("in clean-up")

    async def main() -> None:
        items = bridge.iterate_async(body, max_buffer=max_buffer)()
        await anext(items)
        with pytest.raises(LookupError, match="in clean-up"):
            await items.aclose()

    with Bridge() as bridge:
        asyncio.run(main())


def test_a_closed_bridge_is_said_and_nothing_hangs(max_buffer: int) -> None:
    """K2: steps that cannot be taken any more fail; they are not waited for."""

    async def main() -> None:
        items = bridge.iterate_async(Source(), max_buffer=max_buffer)
        await anext(items)
        bridge.close()
        with pytest.raises(ClosedError):
            for _ in range(200):
                await anext(items)

    bridge = Bridge()
    asyncio.run(main())


def test_an_executor_that_ended_is_said(max_buffer: int) -> None:
    async def main() -> None:
        view = bridge.options(thread_sensitive=False, executor=executor)
        items = view.iterate_async(Source(), max_buffer=max_buffer)
        await anext(items)
        executor.shutdown()
        with pytest.raises(RuntimeError, match="shutdown"):
            for _ in range(200):
                await anext(items)

    executor = ThreadPoolExecutor(1)
    with Bridge() as bridge:
        asyncio.run(main())


def test_a_scope_with_executor_that_ended_is_said(max_buffer: int) -> None:
    async def main() -> None:
        async with bridge.thread_sensitive_scope(executor=executor):
            items = bridge.iterate_async(Source(), max_buffer=max_buffer)
            await anext(items)
        with pytest.raises(ScopeError):
            for _ in range(200):
                await anext(items)

    with Bridge() as bridge, ThreadPoolExecutor(1) as executor:
        asyncio.run(main())


def test_no_worker_in_time(max_buffer: int) -> None:
    """K2: an iteration waits for its worker no longer than the pool's lease timeout."""
    clock = ManualClock()

    async def main() -> None:
        free = bridge.options(thread_sensitive=False)
        items = asyncio.create_task(anext_of(free.iterate_async(Source(), max_buffer=max_buffer)))
        for _ in range(3):
            await asyncio.sleep(0)
        clock.advance(6)
        with pytest.raises(LeaseTimeoutError):
            await items

    with (
        Gate() as gate,
        ThreadSensitivePool(1, lease_timeout=5) as pool,
        Bridge(sensitive_pool=pool, clock=clock) as bridge,
    ):
        lease = pool.lease()
        lease.submit(gate)
        asyncio.run(main())
        gate.open()
        lease.release()


def test_no_worker_is_left(max_buffer: int) -> None:
    """K2: abandoned calls hold them all: said at once."""

    async def main() -> None:
        free = bridge.options(thread_sensitive=False)
        task = asyncio.create_task(anext_of(free.iterate_async(stuck, max_buffer=max_buffer)()))
        await until(gate.begun.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(AbandonedError):
            await anext(free.iterate_async(Source(), max_buffer=max_buffer))

    def stuck() -> Iterator[int]:
        gate()
        yield 1

    with Gate() as gate, ThreadSensitivePool(1, max_abandoned=0) as pool, Bridge(sensitive_pool=pool) as bridge:
        asyncio.run(main())
        gate.open()


# send, throw


def echo() -> Generator[str, str, None]:
    got = ""
    while True:
        try:
            got = yield f"got {got}"
        except KeyError as error:
            got = f"thrown {error.args[0]}"


def test_send_and_throw_reach_the_generator() -> None:
    """K2: in lockstep."""

    async def main() -> None:
        talk = bridge.iterate_async(echo, max_buffer=0)()
        assert await anext(talk) == "got "
        assert await talk.asend("a") == "got a"
        assert await talk.athrow(KeyError("b")) == "got thrown b"
        assert await talk.asend("c") == "got c"
        with pytest.raises(LookupError):
            await talk.athrow(LookupError("not mine"))
        with pytest.raises(StopAsyncIteration):
            await anext(talk)

    with Bridge() as bridge:
        asyncio.run(main())


@pytest.mark.skipif(free_threaded(), reason="what another thread has made is freed when that thread comes by")
def test_an_error_that_was_thrown_in_is_freed_when_it_is_dropped() -> None:
    """I2: by counting references, without the collector."""

    class Thrown(Exception):
        pass

    def body() -> Iterator[int]:
        yield 1

    async def dropped() -> "weakref.ref[Thrown]":
        items = bridge.iterate_async(body, max_buffer=0)()
        await anext(items)
        try:
            await items.athrow(Thrown())
        except Thrown as error:
            return weakref.ref(error)
        raise AssertionError

    async def main() -> None:
        gone = await dropped()
        await bridge.run_sync(int)  # the worker has gone on
        assert gone() is None

    gc.disable()
    try:
        with Bridge() as bridge:
            asyncio.run(main())
    finally:
        gc.enable()


def test_throwing_into_what_is_no_generator() -> None:
    async def main() -> None:
        items = bridge.iterate_async([1, 2], max_buffer=0)
        await anext(items)
        with pytest.raises(KeyError, match="mine"):
            await items.athrow(KeyError("mine"))
        others: AsyncGenerator[int, Any] = bridge.iterate_async([1, 2], max_buffer=0)
        await anext(others)
        with pytest.raises(TypeError, match="list_iterator is no generator"):
            await others.asend("something")

    with Bridge() as bridge:
        asyncio.run(main())


# Wrapping


def test_a_decorated_function_keeps_its_name_and_parameters() -> None:
    @bridge_for_names.iterate_async(max_buffer=2)
    def rows(table: str, *, upto: int = 3) -> Iterator[str]:
        """Say rows."""
        for number in range(upto):
            yield f"{table} {number}"

    async def main() -> list[str]:
        return [row async for row in rows("t", upto=2)]

    assert (rows.__name__, rows.__doc__) == ("rows", "Say rows.")
    with bridge_for_names:
        assert asyncio.run(main()) == ["t 0", "t 1"]


def test_decorated_above_and_below_staticmethod_and_classmethod(max_buffer: int) -> None:
    """J2: in both orders, through the class and the object."""
    bridge = Bridge()
    decorate: Any = bridge.iterate_async

    class Table:
        @staticmethod
        @bridge.iterate_async(max_buffer=max_buffer)
        def above(upto: int) -> Iterator[int]:
            yield from range(upto)

        @bridge.iterate_async(max_buffer=max_buffer)
        @staticmethod
        def below(upto: int) -> Iterator[int]:
            yield from range(upto)

        of_class: Any = decorate(classmethod(rows_of), max_buffer=max_buffer)

    async def main() -> None:
        for owner in (Table, Table()):
            assert [item async for item in owner.above(2)] == [0, 1]
            assert [item async for item in owner.below(2)] == [0, 1]
            assert [item async for item in owner.of_class(2)] == [(Table, 0), (Table, 1)]

    with bridge:
        asyncio.run(main())


def rows_of(cls: type[object], upto: int) -> Iterator[tuple[type[object], int]]:
    for number in range(upto):
        yield cls, number


bridge_for_names = Bridge()


async def an_async_generator() -> AsyncGenerator[int, None]:
    yield 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (5, "neither an iterable nor a function"),
        (an_async_generator(), "is for `async for` as it is"),
        (an_async_generator, "async"),
    ],
)
def test_what_cannot_be_iterated_is_said_when_wrapping(wrong: Any, words: str) -> None:
    """K1: and the message names what to do."""
    with Bridge() as bridge, pytest.raises(WrapError, match=words):
        bridge.iterate_async(wrong)


def test_a_negative_bound() -> None:
    with Bridge() as bridge, pytest.raises(ValueError, match="must not be negative"):
        bridge.iterate_async([1], max_buffer=-1)


def test_steps_are_observed_under_the_name_of_the_function() -> None:
    """K2: an iteration is in the picture of the crossings."""
    from asgikit.trace import record

    async def main() -> None:
        async for _ in bridge.iterate_async(fails, max_buffer=0)():
            break

    with Bridge() as bridge, record(bridge) as trace:
        asyncio.run(main())
    assert {span.name.rpartition(".")[2] for span in trace.spans} == {"fails"}


@pytest.mark.parametrize("scoped", [True, False])
def test_left_while_the_iterable_waits_for_a_coroutine(scoped: bool) -> None:
    """K2: a thread that waits serves what comes for it, but not the closing of the iterable that it is in."""

    def numbers() -> Generator[int, None, None]:
        try:
            yield 1
            bridge.run_async(coroutine)
            events.append("gone on")
            yield 2
        finally:
            events.append("closed")

    async def coroutine() -> None:
        begun.set()
        await release.wait()

    async def main() -> None:
        async with bridge.thread_sensitive_scope():
            view = bridge.options(thread_sensitive=scoped)
            async with aclosing(view.iterate_async(numbers)()) as iteration:
                assert await anext(iteration) == 1
                await until(begun.is_set)
                asyncio.get_running_loop().call_soon(release.set)
            events.append("left")

    begun, release, events = threading.Event(), asyncio.Event(), list[str]()
    with Bridge() as bridge:
        asyncio.run(main())
    assert events == ["gone on", "closed", "left"]
