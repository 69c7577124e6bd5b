"""A Channels project whose worker is written against asgikit's StatelessServer. Run with the URL of a Redis.

Prints what the consumers did, sorted, and the worker's counters.
"""

# Django and Channels have no types of their own.
# mypy: disable-error-code="import-untyped, misc"
# pyright: basic, reportMissingModuleSource=false

import asyncio
import sys
from collections.abc import Sequence
from queue import SimpleQueue
from typing import Any

import django
from django.conf import settings

settings.configure(
    CHANNEL_LAYERS={
        "default": {"BACKEND": "channels_redis.core.RedisChannelLayer", "CONFIG": {"hosts": [sys.argv[-1]]}},
        "memory": {"BACKEND": "channels.layers.InMemoryChannelLayer"},
    },
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
)
django.setup()

from channels.consumer import AsyncConsumer, SyncConsumer  # noqa: E402 - Django has to be configured before
from channels.layers import channel_layers  # noqa: E402
from channels.routing import ChannelNameRouter  # noqa: E402

from asgikit.server import StatelessServer  # noqa: E402

done: SimpleQueue[str] = SimpleQueue()


class Worker(StatelessServer[dict[str, Any], dict[str, Any], dict[str, Any]]):
    """The shape of `channels.worker.Worker`: one instance per channel, fed from a channel layer."""

    def __init__(self, application: Any, channels: Sequence[str], channel_layer: Any) -> None:
        super().__init__(application, max_applications=100)
        self.channels = channels
        self.channel_layer = channel_layer
        self.closed = asyncio.Event()

    async def handle(self) -> None:
        async with asyncio.TaskGroup() as listeners:
            for channel in self.channels:
                listeners.create_task(self.listener(channel))
        self.closed.set()

    async def listener(self, channel: str) -> None:
        while True:
            message = await self.channel_layer.receive(channel)
            if not message.get("type"):
                raise ValueError("Worker received message with no type.")
            if message["type"] == "close":  # redis-py swallows a cancellation that comes at a bad moment
                return
            await self.deliver(channel, {"type": "channel", "channel": channel}, message)

    async def application_send(self, scope: dict[str, Any], message: dict[str, Any], /) -> None:
        raise NotImplementedError("a channel consumer has nobody to send to")


class Thumbnails(AsyncConsumer):
    """Remembers in itself, as an instance that lives between messages may."""

    count = 0

    async def make(self, message: dict[str, Any]) -> None:
        self.count += 1
        done.put(f"thumbnail {message['name']} number {self.count}")


class Mails(SyncConsumer):
    """Runs on worker threads, through Channels' own bridge."""

    def send_mail(self, message: dict[str, Any]) -> None:
        done.put(f"mail to {message['to']}")

    def fail(self, message: dict[str, Any]) -> None:
        raise ValueError(message["why"])


async def main(alias: str) -> None:
    layer = channel_layers[alias]
    application = ChannelNameRouter({"thumbnails": Thumbnails.as_asgi(), "mails": Mails.as_asgi()})
    worker = Worker(application, ["thumbnails", "mails"], layer)
    async with worker, asyncio.timeout(20):
        await layer.send("thumbnails", {"type": "make", "name": "cat"})
        await layer.send("mails", {"type": "send.mail", "to": "anna"})
        await layer.send("mails", {"type": "fail", "why": "no network"})
        await layer.send("thumbnails", {"type": "make", "name": "dog"})
        await layer.send("mails", {"type": "send.mail", "to": "bert"})
        loop = asyncio.get_running_loop()
        did = [await loop.run_in_executor(None, done.get) for _ in range(4)]
        for channel in worker.channels:
            await layer.send(channel, {"type": "close"})
        await worker.closed.wait()
    print(*sorted(did), sep="\n")
    # Of ours: channels_redis does not wait for what it cancels.
    left = [task for task in asyncio.all_tasks() if task.get_name().startswith("asgikit-")]
    print(f"started {worker.counters.started}, failed {worker.counters.failed}, left {len(left)}")
    close_pools: Any = getattr(layer, "close_pools", None)
    if close_pools is not None:
        await close_pools()


asyncio.run(main(sys.argv[1]))
