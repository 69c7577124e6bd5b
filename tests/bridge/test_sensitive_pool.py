"""Real connections in leased workers: as many as workers, opened, used and closed on their own threads."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from asgikit import Bridge
from asgikit.errors import LeaseTimeoutError
from asgikit.executor import ThreadSensitivePool
from asgikit.protocols import Cancellable
from asgikit.testing import ManualClock
from tests.support.gate import SECONDS, Gate, until


class Database:
    """One SQLite connection for each worker thread; SQLite itself refuses one from another thread."""

    def __init__(self, path: Path) -> None:
        """Open nothing yet."""
        self.path = path
        self.local = threading.local()
        self.opened = list[sqlite3.Connection]()
        self.closed = list[sqlite3.Connection]()
        self.left_open = 0
        self._lock = threading.Lock()  # a count that several workers add to

    def open(self) -> None:
        """Run at worker start."""
        self.local.connection = sqlite3.connect(self.path, isolation_level=None)
        self.opened.append(self.local.connection)

    def begin(self) -> None:
        """Run at lease start."""
        self.local.connection.execute("BEGIN")

    def end(self) -> None:
        """Run at lease end."""
        with self._lock:
            self.left_open += self.local.connection.in_transaction
        if self.local.connection.in_transaction:
            self.local.connection.rollback()

    def close(self) -> None:
        """Run at worker end."""
        self.local.connection.close()
        self.closed.append(self.local.connection)

    def execute(self, statement: str, *values: object) -> list[tuple[int]]:
        """Run in a call."""
        return list(self.local.connection.execute(statement, values))


@pytest.fixture
def database(tmp_path: Path) -> Database:
    connection = sqlite3.connect(tmp_path / "rows.sqlite")
    connection.execute("CREATE TABLE rows (number INTEGER)")
    connection.commit()
    connection.close()
    return Database(tmp_path / "rows.sqlite")


def pool_for(database: Database, bound: int) -> ThreadSensitivePool:
    return ThreadSensitivePool(
        bound,
        on_worker_start=database.open,
        on_lease_start=database.begin,
        on_lease_end=database.end,
        on_worker_end=database.close,
    )


def test_as_many_connections_as_workers_all_closed_at_the_end(database: Database) -> None:
    """E4, E3, E2: a hundred scopes over three workers: three connections, each closed on its own thread."""

    async def request(number: int) -> None:
        async with bridge.thread_sensitive_scope():
            await bridge.run_sync(database.execute, "SELECT count(*) FROM rows")
            await asyncio.sleep(0)
            async with bridge.thread_sensitive_scope():  # joins: the same connection, the same transaction
                assert await bridge.run_sync(lambda: database.local.connection.in_transaction)
                await bridge.run_sync(database.execute, "SELECT ?", number)

    async def main() -> None:
        await asyncio.gather(*(request(number) for number in range(100)))

    with pool_for(database, 3) as pool, Bridge(sensitive_pool=pool) as bridge:
        asyncio.run(main())
        assert pool.counters.started == 3
        assert len(database.opened) == 3
        assert database.closed == []
    assert sorted(map(id, database.closed)) == sorted(map(id, database.opened))
    assert database.left_open == 100  # every lease had its own transaction, and its end found it


def test_an_abandoned_request_gives_its_connection_back_when_it_ends(database: Database) -> None:
    """E4, B5: its worker runs the hook of the lease's end before anybody else gets it."""

    async def main() -> None:
        async with bridge.thread_sensitive_scope():
            await bridge.run_sync(database.execute, "SELECT 1")
            stuck = asyncio.create_task(bridge.run_sync(gate))
            await until(gate.begun.is_set)
            stuck.cancel()
        assert database.left_open == 0
        async with bridge.thread_sensitive_scope():
            await bridge.run_sync(database.execute, "SELECT 2")
        gate.open()
        await until(lambda: database.left_open == 2)

    with pool_for(database, 2) as pool, Bridge(sensitive_pool=pool) as bridge, Gate() as gate:
        asyncio.run(main())
    assert len(database.closed) == len(database.opened) == 2


def test_a_scope_that_calls_nothing_sensitive_opens_nothing(database: Database) -> None:
    """E4: leases are taken at the first sensitive call."""

    async def main() -> None:
        async with bridge.thread_sensitive_scope():
            await bridge.options(thread_sensitive=False).run_sync(int)

    with pool_for(database, 2) as pool, Bridge(sensitive_pool=pool) as bridge:
        asyncio.run(main())
    assert database.opened == []


def test_a_hook_that_ends_its_thread_does_not_stop_the_pool(database: Database) -> None:
    """E4, R: `sys.exit` in a hook is logged like any other failure of one."""

    def leave() -> None:
        raise SystemExit

    async def main() -> list[int]:
        answers = list[int]()
        for _ in range(3):
            async with bridge.thread_sensitive_scope():
                answers.append(await asyncio.wait_for(bridge.run_sync(int), 5))
        return answers

    with ThreadSensitivePool(1, on_lease_end=leave) as pool, Bridge(sensitive_pool=pool) as bridge:
        assert asyncio.run(main()) == [0, 0, 0]


def test_the_time_out_of_a_lease_is_for_the_call_not_for_the_scope(database: Database) -> None:
    """E3: FIFO, and whoever gives up leaves the line."""
    clock = ManualClock()
    first: asyncio.Task[None]

    async def held() -> None:
        async with bridge.thread_sensitive_scope():
            await bridge.run_sync(gate)

    async def impatient() -> None:
        async with bridge.thread_sensitive_scope():
            with pytest.raises(LeaseTimeoutError):
                await bridge.run_sync(int)
            gate.open()
            await first
            assert await bridge.run_sync(int) == 0

    async def main() -> None:
        nonlocal first
        first = asyncio.create_task(held())
        await until(gate.begun.is_set)
        second = asyncio.create_task(impatient())
        await until(lambda: pool.counters.queued)
        clock.advance(3)
        await second

    with (
        ThreadSensitivePool(1, lease_timeout=2) as pool,
        Bridge(sensitive_pool=pool, clock=clock) as bridge,
        Gate() as gate,
    ):
        asyncio.run(main())


def test_a_call_that_comes_from_an_ended_host_waits_no_longer_than_any_other() -> None:
    """E3, L5: the thread that hosted sends it on, and leaves the timer to the thread of the loop."""

    class Watched:
        """A clock that knows on which threads timers were set."""

        def now(self) -> float:
            return clock.now()

        def call_later(
            self, loop: asyncio.AbstractEventLoop, delay: float, callback: Callable[[], object], /
        ) -> Cancellable:
            threads.add(threading.get_ident())
            return clock.call_later(loop, delay, callback)

    async def held() -> None:
        async with bridge.thread_sensitive_scope():
            await bridge.run_sync(gate)

    async def coroutine() -> None:
        tasks.append(asyncio.create_task(bridge.run_sync(hosted)))
        await until(hosted.begun.is_set)
        tasks.append(asyncio.create_task(bridge.run_sync(int)))
        await asyncio.sleep(0)  # it is queued behind the other now
        asyncio.get_running_loop().call_soon(hosted.open)  # when this coroutine has ended

    async def main() -> None:
        tasks.append(asyncio.create_task(held()))
        await until(gate.begun.is_set)
        async with bridge.thread_sensitive_scope():
            await bridge.options(thread_sensitive=False).run_sync(bridge.async_to_sync(coroutine))
            await until(lambda: pool.counters.queued)
            await asyncio.sleep(0)
            clock.advance(3)
            with pytest.raises(LeaseTimeoutError):
                await asyncio.wait_for(tasks.pop(), SECONDS)
        gate.open()
        await asyncio.gather(*tasks)
        assert threads == {threading.get_ident()}

    clock, threads, tasks = ManualClock(), set[int](), list["asyncio.Task[Any]"]()
    with (
        ThreadSensitivePool(1, lease_timeout=2) as pool,
        Bridge(sensitive_pool=pool, clock=Watched(), stall_report_after=None) as bridge,
        Gate() as gate,
        Gate() as hosted,
    ):
        asyncio.run(main(), debug=True)
