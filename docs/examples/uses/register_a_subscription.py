"""Registering a subscription on the consumer's loop, from a resolver that runs in a pool thread.

What a subscription consists of - a task, a queue - belongs to one event loop, and has to be made there. The resolver
waits until it is registered, so that no event published after it returns can be missed.
"""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

from asgikit import Bridge

bridge = Bridge()


class Subscriptions:
    """Who listens to what, on one loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.queues: dict[str, asyncio.Queue[str]] = {}
        self.received: list[str] = []
        self.listeners: list[asyncio.Task[None]] = []

    async def register(self, topic: str) -> int:
        self.queues[topic] = asyncio.Queue()
        self.listeners.append(asyncio.create_task(self._listen(topic)))  # lives on when the resolver is long gone
        return len(self.listeners)

    async def publish(self, topic: str, event: str) -> None:
        await self.queues[topic].put(event)

    async def _listen(self, topic: str) -> None:
        self.received.append(await self.queues[topic].get())


def resolve_subscribe(subscriptions: Subscriptions, topic: str) -> str:
    """A synchronous resolver, run by the GraphQL library on a thread of its pool."""
    number = bridge.async_to_sync(subscriptions.register, loop=subscriptions.loop)(topic)
    assert topic in subscriptions.queues  # registered: nothing is lost from here on
    return f"subscription {number}, by {threading.current_thread().name}"


async def main() -> None:
    async with bridge:
        subscriptions = Subscriptions()
        with ThreadPoolExecutor(1, thread_name_prefix="graphql") as pool:
            answer = await subscriptions.loop.run_in_executor(pool, resolve_subscribe, subscriptions, "prices")
        assert answer == "subscription 1, by graphql_0"
        await subscriptions.publish("prices", "42")
        await asyncio.gather(*subscriptions.listeners)
        assert subscriptions.received == ["42"]


if __name__ == "__main__":
    asyncio.run(main())
    print("the subscription was registered on the loop before the resolver returned")
