"""Thread-sensitive scopes through a bridge: who shares a thread, who waits for whom, and for how long."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from queue import Empty, SimpleQueue
from typing import cast

import pytest

from asgikit import Bridge
from asgikit.bridge import current_host
from asgikit.bridge._homes import ScopeHome
from asgikit.errors import LeaseTimeoutError
from asgikit.executor import CurrentThreadExecutor, ThreadSensitivePool
from asgikit.executor._work import FutureWork
from asgikit.protocols import ExecutorLike, Work
from asgikit.testing import ManualClock, ManualExecutor
from tests.support.held import SECONDS, Held

ident = threading.get_ident


@pytest.fixture(name="bridge")
def make_bridge() -> Iterator[Bridge]:
    """Give a bridge, and close it."""
    with Bridge() as bridge:
        yield bridge


def test_two_scopes_never_wait_for_each_other(bridge: Bridge) -> None:
    """E1: nor do they wait for what runs outside of scopes."""

    async def main() -> None:
        entered = asyncio.Event()

        async def holds() -> str:
            async with bridge.thread_sensitive_scope():
                call = asyncio.ensure_future(bridge.run_sync(held))
                await bridge.options(thread_sensitive=False).run_sync(held.wait)
                entered.set()
                return await call

        task = asyncio.create_task(holds())
        await entered.wait()
        default = await bridge.run_sync(ident)
        async with bridge.thread_sensitive_scope():
            leased = await bridge.run_sync(ident)
        held.let_go()
        await task
        assert len({leased, default, *held.threads}) == 3

    with Held() as held:
        asyncio.run(main())


def test_all_tasks_of_a_scope_share_its_thread(bridge: Bridge) -> None:
    """E1: the affinity is the scope."""

    async def main() -> None:
        async with bridge.thread_sensitive_scope():
            threads = await asyncio.gather(*(bridge.run_sync(ident) for _ in range(5)))
            assert len(set(threads)) == 1
            assert threads[0] != ident()

    asyncio.run(main())


def test_a_warm_scope_starts_no_thread() -> None:
    """E2: one after the other reuses the worker; one in which nothing is called takes none."""
    with ThreadSensitivePool() as pool, Bridge(sensitive_pool=pool) as bridge:

        async def request(*, calls: bool = True) -> None:
            async with bridge.thread_sensitive_scope():
                if calls:
                    await bridge.run_sync(ident)

        async def main() -> None:
            await request(calls=False)
            assert pool.counters.started == 0
            for _ in range(10):
                await request()

        asyncio.run(main())
        assert pool.counters.started == 1


def test_scopes_over_the_bound_wait_in_line_and_may_give_up() -> None:
    """E3: FIFO, with a time-out that is the clock's."""
    clock = ManualClock()
    order: list[str] = []

    async def request(call: Callable[[], object]) -> object:
        async with bridge.thread_sensitive_scope():
            return await bridge.run_sync(call)

    async def main() -> None:
        holding = asyncio.create_task(request(held))
        await bridge.options(thread_sensitive=False).run_sync(held.wait)
        gives_up = asyncio.create_task(request(lambda: order.append("gives up")))
        await asyncio.sleep(0)
        clock.advance(2.0)
        waits = [asyncio.create_task(request(partial(order.append, name))) for name in ("first", "second")]
        await asyncio.sleep(0)
        clock.advance(1.5)
        with pytest.raises(LeaseTimeoutError, match="no worker of 1 became free in time for"):
            await gives_up
        held.let_go()
        await asyncio.gather(holding, *waits)

    parts = ThreadSensitivePool(1, lease_timeout=3.0)
    with parts as pool, Bridge(sensitive_pool=pool, clock=clock, stall_report_after=None) as bridge, Held() as held:
        asyncio.run(asyncio.wait_for(main(), SECONDS))
    assert order == ["first", "second"]


def test_a_scope_has_left_when_its_work_has_not_ended() -> None:
    """A10, B4: leaving never waits; the worker comes back by itself."""
    with ThreadSensitivePool(1) as pool, Held() as held, Bridge(sensitive_pool=pool) as bridge:

        async def main() -> None:
            async with bridge.thread_sensitive_scope():
                task = asyncio.create_task(bridge.run_sync(held))
                await bridge.options(thread_sensitive=False).run_sync(held.wait)
            assert not task.done()
            held.let_go()
            await task
            async with bridge.thread_sensitive_scope():
                assert [await bridge.run_sync(ident)] == held.threads

        asyncio.run(main())


def test_an_executor_given_to_a_scope_is_used_and_never_shut_down(bridge: Bridge) -> None:
    """E1, O7: a thread that the caller names, here the test's own."""

    async def main() -> int:
        async with bridge.thread_sensitive_scope(executor=executor):
            return await bridge.run_sync(ident)

    executor = ManualExecutor()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(asyncio.run, main())
        executor.run_next()
        assert running.result(SECONDS) == ident()
    executor.submit(int)
    assert executor.run_all() == 1


def test_a_scope_tells_its_executor(bridge: Bridge) -> None:
    """What was given, the lease, or that of the scope that was joined; it takes work of others."""

    async def main() -> None:
        outer, inner = bridge.thread_sensitive_scope(), bridge.thread_sensitive_scope()
        assert outer.executor is None
        async with outer:
            executor: ExecutorLike | None = outer.executor
            assert executor is not None
            async with inner:
                assert inner.executor is executor
            home = await bridge.run_sync(ident)
            assert await asyncio.wrap_future(executor.submit(ident)) == home
        assert outer.executor is None
        given = ManualExecutor()
        async with bridge.thread_sensitive_scope(executor=given) as nothing:
            assert nothing is None
            async with Joining(bridge) as joined:
                assert joined is given

    asyncio.run(main())


class Joining:
    """A scope that joins, as what it tells."""

    def __init__(self, bridge: Bridge) -> None:
        self.scope = bridge.thread_sensitive_scope()

    async def __aenter__(self) -> ExecutorLike | None:
        await self.scope.__aenter__()
        return self.scope.executor

    async def __aexit__(self, *_: object) -> None:
        await self.scope.__aexit__(None, None, None)


def test_a_scope_left_in_another_task_is_over_all_the_same(bridge: Bridge) -> None:
    """E6: frameworks enter in one hook and leave in another."""

    async def main() -> None:
        scope = bridge.thread_sensitive_scope()
        await asyncio.create_task(scope.__aenter__())
        await scope.__aexit__(None, None, None)
        assert await bridge.run_sync(ident) == await bridge.run_sync(ident)

    asyncio.run(main())


def test_the_current_host(bridge: Bridge) -> None:
    """The thread that runs the sensitive calls of this code, if it waits for it."""

    async def inside() -> CurrentThreadExecutor | None:
        here = current_host()
        assert here is not None
        assert await bridge.run_sync(current_host) is here
        assert await asyncio.create_task(bridge.run_sync(current_host)) is here
        async with bridge.thread_sensitive_scope(executor=executor):
            assert current_host() is None
        assert await bridge.run_sync(lambda: bridge.run_async(deeper)) is not here
        return here

    async def deeper() -> CurrentThreadExecutor | None:
        return current_host()

    with ThreadPoolExecutor(1) as executor:
        assert current_host() is None
        first, second = bridge.run_async(inside), bridge.run_async(inside)
        assert first is not second
        assert current_host() is None


def test_two_bridges_know_one_chain() -> None:
    """E1, Q3: a scope of one bridge is the home of calls through another."""
    with Bridge() as framework, Bridge() as library:

        async def main() -> None:
            async with framework.thread_sensitive_scope():
                home = await framework.run_sync(ident)
                assert await library.run_sync(ident) == home
            assert await library.run_sync(ident) != await framework.run_sync(ident)

        asyncio.run(main())

        async def below() -> int:
            return await library.run_sync(ident)

        assert framework.run_async(below) == ident()


class LookedThrough(SimpleQueue[Work | None]):
    """An inbox in which somebody has looked as far as its end, when another thread comes to take its turn."""

    def __init__(self, turn: Callable[[], None]) -> None:
        super().__init__()
        self._turn: threading.Thread | None = threading.Thread(target=turn)

    def get(self, block: bool = True, timeout: float | None = None) -> Work | None:
        try:
            return super().get(block, timeout)
        except Empty:
            turn, self._turn = self._turn, None
            if turn is not None:
                turn.start()
                turn.join(0.1)  # it ends here and has found nothing, or waits
                self.turn = turn
            raise


def test_a_refused_call_costs_none_that_waits_before_it() -> None:
    """A1: it is looked for among those that wait, while the executor's thread comes for the first of them."""
    turns: list[Callable[[], None]] = []

    class TakesOne:
        def submit(self, turn: Callable[[], None], /) -> Future[None]:
            if turns:
                raise RuntimeError("full")
            turns.append(turn)
            return Future()

    home = ScopeHome(cast("ExecutorLike", TakesOne()))
    first = FutureWork(str, "first")
    home.post(first)
    inbox = home._inbox = LookedThrough(turns[0])
    inbox.put(first)
    with pytest.raises(RuntimeError, match="full"):
        home.post(FutureWork(str, "second"))
    inbox.turn.join(SECONDS)
    assert first.future.result(0) == "first"
