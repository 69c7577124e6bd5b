"""What a thread that waits in `async_to_sync` runs meanwhile, what it must not run, and what becomes of the rest."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TypeVar

import pytest

from asgikit import Bridge
from asgikit.errors import DeadlockError
from asgikit.testing import Steps
from tests.support.held import SECONDS

T = TypeVar("T")

ident = threading.get_ident


@pytest.fixture(name="bridge")
def make_bridge() -> Iterator[Bridge]:
    """Give a bridge, and close it."""
    with Bridge() as bridge:
        yield bridge


@pytest.fixture(name="executor")
def make_executor() -> Iterator[ThreadPoolExecutor]:
    """Give one thread, and end it."""
    with ThreadPoolExecutor(1) as executor:
        yield executor


def ending(event: threading.Event) -> Callable[[Callable[[], Awaitable[T]]], Callable[[], Awaitable[T]]]:
    """Decorate a coroutine function for `async_to_sync`: `event` is set once its caller has its result."""

    def decorate(function: Callable[[], Awaitable[T]]) -> Callable[[], Awaitable[T]]:
        async def wrapper() -> T:
            task = asyncio.current_task()
            assert task is not None
            try:
                return await function()
            finally:
                # The caller is released with this task's last step; what is called after that comes later.
                task.add_done_callback(lambda _: event.set())

        return wrapper

    return decorate


# What it runs


@pytest.mark.parametrize("scope", ["no scope", "scope", "executor"])
def test_work_of_every_task_below_the_host(bridge: Bridge, executor: ThreadPoolExecutor, scope: str) -> None:
    """A3: of tasks, tasks of tasks, and callbacks that make tasks; all on the thread that waits for them."""

    async def leaf() -> int:
        return await bridge.run_sync(ident)

    async def branch() -> list[int]:
        task = asyncio.create_task(leaf())
        loop = asyncio.get_running_loop()
        made: asyncio.Future[int] = loop.create_future()

        def later() -> None:
            made_task = asyncio.ensure_future(leaf())
            made_task.add_done_callback(lambda done: made.set_result(done.result()))

        loop.call_soon(later)
        return [await task, await made, *await asyncio.gather(leaf(), leaf())]

    def host() -> set[int]:
        return {*bridge.run_async(branch), ident()}

    async def main() -> set[int]:
        async with scope_of(bridge, executor, scope):
            return await bridge.run_sync(host)

    assert len(asyncio.run(main())) == 1
    assert host() == {ident()}


def scope_of(bridge: Bridge, executor: ThreadPoolExecutor, scope: str) -> AbstractAsyncContextManager[object]:
    """Make a scope by name."""
    if scope == "no scope":
        return AsyncExitStack()
    return bridge.thread_sensitive_scope(executor=executor if scope == "executor" else None)


@pytest.mark.parametrize("scope", ["scope", "executor"])
def test_work_of_siblings_in_the_same_scope(bridge: Bridge, executor: ThreadPoolExecutor, scope: str) -> None:
    """A3: the task that the waiting call waits for queues on the very thread: it is served meanwhile."""

    async def main() -> None:
        asked, answered = asyncio.Event(), asyncio.Event()

        async def sibling() -> int:
            await asked.wait()
            found = await bridge.run_sync(ident)
            answered.set()
            return found

        async def ask() -> None:
            asked.set()
            await answered.wait()

        def waits() -> int:
            bridge.run_async(ask)
            return ident()

        async with scope_of(bridge, executor, scope):
            task = asyncio.create_task(sibling())
            assert await bridge.run_sync(waits) == await task

    asyncio.run(asyncio.wait_for(main(), SECONDS))


def test_nested_hosts_serve_the_work_of_the_outer_ones(bridge: Bridge) -> None:
    """A3: a task of the outer call is served by the inner host, which has the thread."""

    async def main() -> list[int]:
        threads: list[int] = []
        inner_waits, outer_served = asyncio.Event(), asyncio.Event()

        async def of_outer() -> None:
            await inner_waits.wait()
            threads.append(await bridge.run_sync(ident))
            outer_served.set()

        async def inner() -> None:
            inner_waits.set()
            await outer_served.wait()

        async def outer() -> None:
            task = asyncio.create_task(of_outer())
            await bridge.run_sync(lambda: bridge.run_async(inner))
            await task

        def host() -> None:
            threads.append(ident())
            bridge.run_async(outer)

        await bridge.run_sync(host)
        return threads

    threads = asyncio.run(asyncio.wait_for(main(), SECONDS))
    assert len(threads) == 2
    assert len(set(threads)) == 1


def test_free_work_below_a_host_takes_another_thread(bridge: Bridge) -> None:
    """A3: hosting is for thread-sensitive work."""

    async def main() -> int:
        return await bridge.options(thread_sensitive=False).run_sync(ident)

    assert bridge.run_async(main) != ident()


# What it does not run


def test_work_of_unrelated_tasks_waits(bridge: Bridge) -> None:
    """A3: it must not land in the middle of somebody's transaction."""
    order: list[str] = []

    async def main() -> None:
        posted = asyncio.Event()

        async def unrelated() -> None:
            call = asyncio.ensure_future(bridge.run_sync(order.append, "unrelated"))
            await asyncio.sleep(0)
            posted.set()
            await call

        async def inner() -> None:
            await posted.wait()
            await bridge.run_sync(order.append, "of the call")

        def transaction() -> None:
            order.append("begin")
            bridge.run_async(inner)
            order.append("commit")

        other = asyncio.create_task(unrelated())
        await bridge.run_sync(transaction)
        await other

    asyncio.run(asyncio.wait_for(main(), SECONDS))
    assert order == ["begin", "of the call", "commit", "unrelated"]


def test_two_threads_that_wait_serve_their_own(bridge: Bridge) -> None:
    """E1: two synchronous callers at the same time, each home to its own chain."""
    steps = Steps()

    async def chain(number: int) -> int:
        await steps.areach(number)
        return await bridge.run_sync(ident)

    def caller(number: int) -> bool:
        return bridge.run_async(chain, number) == ident()

    with ThreadPoolExecutor(2) as pool:
        assert all(pool.map(caller, (2, 1), timeout=SECONDS))


# asyncio.run in synchronous code


@pytest.mark.parametrize("scope", ["no scope", "scope", "executor"])
@pytest.mark.parametrize("outermost", ["async", "sync"])
def test_asyncio_run_on_the_home_thread(
    bridge: Bridge, executor: ThreadPoolExecutor, outermost: str, scope: str
) -> None:
    """A4: its sensitive calls run inline, with the loop out of sight, so that they may cross and run again."""

    def innermost() -> int:
        with pytest.raises(RuntimeError):
            asyncio.get_running_loop()
        assert bridge.run_async(bridge.sync_to_async(ident)) == ident()
        return asyncio.run(bridge.sync_to_async(ident)())

    async def inner() -> tuple[int, bool]:
        loop = asyncio.get_running_loop()
        found = await bridge.run_sync(innermost)
        return found, asyncio.get_running_loop() is loop

    def outer() -> None:
        assert asyncio.run(inner()) == (ident(), True)

    async def main() -> None:
        async with scope_of(bridge, executor, scope):
            await asyncio.wait_for(bridge.run_sync(outer), SECONDS)

    if outermost == "async":
        asyncio.run(main())
    else:
        bridge.run_async(main)


def test_an_inline_call_raises_and_writes_back_like_any_other(bridge: Bridge) -> None:
    """A4: nothing but the thread is special."""

    def fail() -> None:
        raise LookupError("inline")

    async def inner() -> None:
        with pytest.raises(LookupError, match="inline"):
            await bridge.run_sync(fail)
        assert set(await asyncio.gather(bridge.run_sync(ident), bridge.run_sync(ident))) == {ident()}

    asyncio.run(bridge.sync_to_async(lambda: asyncio.run(inner()))())


def test_a_loop_of_the_home_thread_that_stands_still_is_not_waited_for(bridge: Bridge) -> None:
    """A4, A2: what was started inside it goes to the thread itself, which will be free."""
    stopped = asyncio.new_event_loop()
    found: list[int] = []
    begun, go, over = threading.Event(), threading.Event(), threading.Event()

    def elsewhere() -> None:
        begun.set()
        assert go.wait(SECONDS)
        found.append(asyncio.run(asyncio.wait_for(bridge.run_sync(ident), SECONDS)))
        over.set()

    async def start() -> None:
        kept.append(asyncio.create_task(bridge.options(thread_sensitive=False).run_sync(elsewhere)))
        await asyncio.to_thread(begun.wait, SECONDS)

    def outer() -> int:
        stopped.run_until_complete(start())
        return ident()

    kept: list[asyncio.Task[None]] = []
    home = asyncio.run(bridge.run_sync(outer))
    go.set()
    assert over.wait(SECONDS)
    assert found == [home]
    stopped.run_until_complete(kept[0])
    stopped.run_until_complete(stopped.shutdown_default_executor())
    stopped.close()


# What is no deadlock


def test_a_descendant_of_a_running_call_is_no_deadlock(bridge: Bridge) -> None:
    """A6: a task that merely descends from a call on the one thread may call there, when it has ended."""

    async def main() -> None:
        tasks: list[asyncio.Task[int]] = []

        async def late() -> int:
            return await bridge.run_sync(ident)

        async def start() -> None:
            tasks.append(asyncio.create_task(late()))

        await bridge.run_sync(bridge.async_to_sync(start))
        assert await tasks[0] == await bridge.run_sync(ident)

    asyncio.run(main())


def test_after_a_refused_call_the_next_one_runs(bridge: Bridge) -> None:
    """A6: what one call left behind is no reason to refuse another."""
    shut = ThreadPoolExecutor(1)
    shut.shutdown()

    async def main() -> None:
        for _ in range(2):
            with pytest.raises(RuntimeError, match="shutdown"):
                await bridge.sync_to_async(ident, thread_sensitive=False, executor=shut)()
            assert await bridge.run_sync(lambda: bridge.run_async(bridge.sync_to_async(ident)) == ident())

    asyncio.run(main())


def test_a_cycle_of_waits_is_an_error_that_names_it() -> None:
    """A6: and only such a cycle: the scope's thread waits for a call that waits for that thread."""

    async def main() -> None:
        asked = asyncio.Event()
        answers: list[asyncio.Task[int]] = []

        async def ask() -> int:
            asked.set()
            return await answers[0]

        def holds() -> int:
            return bridge.run_async(ask)

        async def unrelated() -> int:
            await asked.wait()
            return await bridge.run_sync(ident)

        answers.append(asyncio.create_task(unrelated()))
        await bridge.run_sync(holds)

    message = r"get_ident waits for the thread .*holds, which waits in async_to_sync"
    with Bridge(stall_report_after=0.02) as bridge, pytest.raises(DeadlockError, match=message):
        asyncio.run(asyncio.wait_for(main(), SECONDS))


# What is left when the host has its result


@pytest.mark.parametrize("outermost", ["async", "async, scope", "sync", "thread"])
def test_a_task_that_outlives_its_host_finds_another_home(bridge: Bridge, outermost: str) -> None:
    """A7: the next home of its chain, never an error about a dead one; queued before the end or asked after it."""

    async def main() -> None:
        tasks: list[asyncio.Future[int]] = []
        gate, over = threading.Event(), asyncio.Event()

        def holds_the_host() -> None:
            assert gate.wait(SECONDS)

        async def late() -> int:
            await over.wait()
            return await bridge.run_sync(ident)

        @ending(gate)
        async def inner() -> None:
            tasks.append(asyncio.ensure_future(late()))
            holding = asyncio.ensure_future(bridge.run_sync(holds_the_host))
            tasks.append(asyncio.ensure_future(bridge.run_sync(ident)))  # queued behind it
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert not holding.done()

        def host() -> int:
            bridge.run_async(inner)
            with pytest.raises(RuntimeError):
                asyncio.get_running_loop()  # the thread is as it was
            return ident()

        if outermost == "thread":
            host_thread = await bridge.options(thread_sensitive=False).run_sync(host)
        else:
            host_thread = await bridge.run_sync(host)
        over.set()
        home = await bridge.run_sync(ident)
        found = await asyncio.gather(*tasks)
        assert found == [home, home]
        assert (host_thread == home) == (outermost != "thread")

    async def in_scope() -> None:
        async with bridge.thread_sensitive_scope():
            await main()

    whole = in_scope() if outermost == "async, scope" else main()
    if outermost == "sync":
        bridge.async_to_sync(lambda: asyncio.wait_for(whole, SECONDS))()
    else:
        asyncio.run(asyncio.wait_for(whole, SECONDS))


def test_a_task_that_outlives_a_scope_goes_to_the_default_worker(bridge: Bridge) -> None:
    """A7: a plain scope that has ended is passed over."""

    async def main() -> None:
        go = asyncio.Event()

        async def late() -> int:
            await go.wait()
            async with bridge.thread_sensitive_scope():
                inside = await bridge.run_sync(ident)
            assert inside != await bridge.run_sync(ident)
            return await bridge.run_sync(ident)

        async with bridge.thread_sensitive_scope():
            task = asyncio.create_task(late())
            leased = await bridge.run_sync(ident)
        go.set()
        default = await bridge.run_sync(ident)
        assert await task == default != leased

    asyncio.run(main())


def test_generations_of_tasks_keep_finding_a_home(bridge: Bridge) -> None:
    """A7, E8: jobs that start their successor, each in an async_to_sync of its own that ends before it."""

    async def main() -> None:
        threads: list[int] = []
        done = asyncio.Event()

        async def job(left: int) -> None:
            threads.append(await bridge.run_sync(ident))
            if left:
                await bridge.run_sync(lambda: bridge.run_async(start, left - 1))
            else:
                done.set()

        kept: list[asyncio.Task[None]] = []

        async def start(left: int) -> None:
            kept.append(asyncio.create_task(job(left)))

        await start(20)
        await done.wait()
        assert len(threads) == 21
        assert len(set(threads)) == 1

    asyncio.run(asyncio.wait_for(main(), SECONDS))
