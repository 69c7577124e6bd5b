"""The ASGI application: async handlers in front of a synchronous shop."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import shop as sync_code
from kits import Kit
from record import Kind, Record
from shop import Shop

Answer = Callable[[int], Awaitable[object]]


class ShopApplication:
    """Answers `/item/7`, `/order/7`, `/stock/7`, `/digest/7` and `/primes/7`."""

    def __init__(self, kit: Kit, shop: Shop, record: Record) -> None:
        home = kit.on_home_thread
        # Synchronous code, made awaitable. Which thread each runs on is said here, once.
        self.open = record.to_sync(Kind.HOME, home, shop.open)
        self.close = record.to_sync(Kind.HOME, home, shop.close)
        self.find_item = record.to_sync(Kind.HOME, home, shop.find_item)
        self.place_order = record.to_sync(Kind.ORDER, home, shop.place_order)
        self.mark_announced = record.to_sync(Kind.HOSTED, home, shop.mark_announced)
        self.connect = record.to_sync(Kind.SCOPE, home, sync_code.connect)
        self.count_items = record.to_sync(Kind.SCOPE, home, sync_code.count_items)
        self.disconnect = record.to_sync(Kind.SCOPE, home, sync_code.disconnect)
        self.digest = record.to_sync(Kind.FREE, kit.on_any_thread, sync_code.digest)
        self.count_primes = record.to_sync(Kind.PROCESS, kit.in_a_process, sync_code.count_primes)
        # Async code, made callable from the synchronous shop.
        self.announce = record.to_async(Kind.WARM, kit.blocking, self._announce)
        self.scope = kit.scope
        self.path = shop.path
        self.record = record
        self.routes: dict[str, Answer] = {
            "item": self.find_item,
            "order": lambda item: self.place_order(item, self.announce),
            "stock": self._stock,
            "digest": lambda number: self.digest(str(number)),
            "primes": lambda number: self.count_primes(20_000 + number),
        }

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await self._lifespan(receive, send)
            return
        _, route, number = scope["path"].split("/")
        try:
            status, answer = 200, await self.routes[route](int(number))
        except Exception as error:
            status, answer = 500, f"{type(error).__name__}: {error}"
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]})
        await send({"type": "http.response.body", "body": str(answer).encode()})

    async def _lifespan(self, receive: Any, send: Any) -> None:
        await receive()
        self.record.name_loop(asyncio.get_running_loop(), "server's loop")
        await self.open()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await self.close()
        await send({"type": "lifespan.shutdown.complete"})

    async def _announce(self, order: int) -> None:
        """Tell the world, which is async, and note it in the order, which is not: in the transaction still open."""
        await asyncio.sleep(0)
        await self.mark_announced(order)

    async def _stock(self, _: int) -> int:
        """Three calls on one connection: only a thread that stays the same makes this possible."""
        async with self.scope():
            connection = await self.connect(self.path)
            count: int = await self.count_items(connection)
            await self.disconnect(connection)
        return count
