"""OwnThreadPool: every way to a thread-sensitive call ends on the thread that made the pool."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from asgikit import Bridge
from asgikit.errors import ClosedError
from asgikit.testing import OwnThreadPool


@pytest.fixture
def pool() -> OwnThreadPool:
    return OwnThreadPool()


@pytest.fixture
def bridge(pool: OwnThreadPool) -> Iterator[Bridge]:
    with Bridge(sensitive_pool=pool) as bridge:
        yield bridge
    pool.close()


def test_a_loop_on_the_thread_waits_while_the_call_runs_there(bridge: Bridge) -> None:
    """O7: the function does not see the loop, as on a worker thread; errors come through."""

    def call() -> threading.Thread:
        with pytest.raises(RuntimeError, match="no running event loop"):
            asyncio.get_running_loop()
        return threading.current_thread()

    def fail() -> None:
        raise LookupError("in the call")

    async def main() -> None:
        assert await bridge.run_sync(call) is threading.current_thread()
        async with bridge.thread_sensitive_scope():
            both = await asyncio.gather(bridge.run_sync(call), bridge.run_sync(call))
        assert set(both) == {threading.current_thread()}
        with pytest.raises(LookupError, match="in the call"):
            await bridge.run_sync(fail)
        assert asyncio.get_running_loop().is_running()

    asyncio.run(main())


def test_there_and_back_and_there_again(bridge: Bridge) -> None:
    """O7: a call that crosses back gets another loop, for its own stands still; what that one asks runs here too."""
    seen: list[threading.Thread] = []

    def outer() -> None:
        seen.append(threading.current_thread())
        bridge.run_async(inner)

    async def inner() -> None:
        assert threading.current_thread() not in seen
        await bridge.run_sync(lambda: seen.append(threading.current_thread()))

    async def main() -> None:
        await bridge.run_sync(outer)

    asyncio.run(main())
    assert seen == [threading.current_thread()] * 2


def test_a_loop_on_another_thread_is_served_while_this_one_waits(bridge: Bridge, pool: OwnThreadPool) -> None:
    """O7."""

    async def ask() -> threading.Thread:
        return await bridge.run_sync(threading.current_thread)

    with ThreadPoolExecutor(1) as others:
        future = others.submit(asyncio.run, ask())
        pool.run_until_future(future)
        assert future.result() is pool.thread is threading.current_thread()
        late = others.submit(asyncio.run, ask())
        with pytest.raises(ClosedError):
            late.result(10)


def test_work_that_waits_fails_when_the_pool_is_closed_from_inside_a_loop(bridge: Bridge, pool: OwnThreadPool) -> None:
    """O7: it neither runs after all nor is it forgotten."""
    ran: list[str] = []
    queued = threading.Event()

    async def ask() -> None:
        call = asyncio.ensure_future(bridge.run_sync(ran.append, "after the end"))
        asyncio.get_running_loop().call_soon(queued.set)  # after the first step of the call, which posts it
        await call

    async def main() -> None:
        late = others.submit(asyncio.run, ask())
        assert queued.wait(10)
        pool.close()
        with pytest.raises(ClosedError):
            await asyncio.wait_for(asyncio.wrap_future(late), 10)

    with ThreadPoolExecutor(1) as others:
        asyncio.run(main())
    assert ran == []
