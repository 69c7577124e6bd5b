"""The load: a real server on a free port, and a real client that keeps many requests under way at once."""

import asyncio
import itertools
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn
from app import ShopApplication
from kits import Kit
from record import Kind, Record
from shop import Shop

ROUTES = ("item", "order", "stock", "digest", "primes")


@dataclass(frozen=True)
class Result:
    """What one library made of the load."""

    kit: str
    record: Record
    statuses: dict[str, list[int]]
    seconds: float
    announced_orders: int

    @property
    def answered(self) -> int:
        return sum(status == 200 for statuses in self.statuses.values() for status in statuses)

    @property
    def requests(self) -> int:
        return sum(map(len, self.statuses.values()))


@contextmanager
def serving(application: ShopApplication) -> Generator[str]:
    """Serve on a thread of its own; yield the address. The socket listens before the server runs: no need to poll."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(
            uvicorn.Config(
                application, lifespan="on", log_level="warning", access_log=False, timeout_graceful_shutdown=5
            )
        )
        thread = threading.Thread(target=server.run, args=([listening],), name="server")
        thread.start()
        try:
            yield "http://127.0.0.1:{1}".format(*listening.getsockname())
        finally:
            server.should_exit = True
            thread.join()


def run(kit: Kit, directory: Path, requests: int, at_once: int, progress: Callable[[], None]) -> Result:
    """Put the load on one library. Called on the main thread, which is synchronous: everything async is a crossing."""
    record = Record()
    shop = Shop(directory / f"{kit.name}.db")
    advance = record.to_sync(Kind.MAIN, kit.on_home_thread, progress)
    statuses: dict[str, list[int]] = {route: [] for route in ROUTES}
    with serving(ShopApplication(kit, shop, record)) as address:
        began = time.perf_counter()
        kit.blocking(_send_all)(address, requests, at_once, statuses, advance)
        seconds = time.perf_counter() - began
    ask = record.to_async(Kind.COLD, kit.blocking, _exchange_rate)
    for _ in range(requests // 10):
        ask()
    shop.open_again()
    try:
        return Result(kit.name, record, statuses, seconds, shop.announced_orders())
    finally:
        shop.close()


async def _exchange_rate() -> float:
    """What a script or a management command asks for: a little async code, and no loop in sight."""
    await asyncio.sleep(0)
    return 1.0


async def _send_all(
    address: str, requests: int, at_once: int, statuses: dict[str, list[int]], advance: Callable[[], Awaitable[None]]
) -> None:
    routes = itertools.cycle(ROUTES)
    async with httpx.AsyncClient(base_url=address, timeout=30, limits=httpx.Limits(max_connections=at_once)) as client:

        async def caller(numbers: Iterator[int]) -> None:
            for number in numbers:
                route = next(routes)
                response = await client.get(f"/{route}/{number % 100 + 1}")
                statuses[route].append(response.status_code)
                await advance()

        numbers = iter(range(requests))  # shared: whoever is free takes the next
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(caller(numbers))
