"""A worker that shares its events with others like it, through Redis: start as many as you like, on as many machines.

    python redis_worker.py redis://localhost:6379/0                    # a worker; Ctrl-C or SIGTERM drains and ends it
    python redis_worker.py redis://localhost:6379/0 room-1 hello       # send a message to room-1, print the answer

Each room is served by one worker at a time, in order. Kill a worker: after its lease time another one
takes its rooms, and first gets what the dead one had not finished.
"""

import asyncio
import logging
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from asgikit.server.redis import Event, RedisOutput, RedisPublisher, RedisServer, StreamLayout, connect

LAYOUT = StreamLayout(prefix="rooms", partitions=8)


async def room(
    scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]
) -> None:
    """The application: one of these runs per room, in one of the workers."""
    count = 0
    while True:
        message = await receive()
        count += 1
        await send({"text": f"{message['text']} (number {count} in {scope['room']})"})


async def work(url: str) -> None:
    client = connect(url)
    server = RedisServer(room, client=client, layout=LAYOUT, lease_time=5.0, idle_timeout=600)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    try:
        await server.arun()
    finally:
        await client.aclose()
    print(f"handled {server.counters.handled} events")


async def say(url: str, name: str, text: str) -> None:
    client = connect(url)
    last = await client.execute_command(
        "XREVRANGE", LAYOUT.keys(LAYOUT.partition_of(name)).output, "+", "-", "COUNT", 1
    )
    start = {LAYOUT.partition_of(name): last[0][0].decode()} if last else {}
    await RedisPublisher(client=client, layout=LAYOUT).publish(
        Event(name, {"text": text}, scope={"type": "room", "room": name})
    )
    async for output in RedisOutput(client=client, layout=LAYOUT).read(start=start):
        if output.scope_id == name:
            print(output.message["text"])
            break
    await client.aclose()


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    asyncio.run(work(sys.argv[1]) if len(sys.argv) == 2 else say(*sys.argv[1:4]))
