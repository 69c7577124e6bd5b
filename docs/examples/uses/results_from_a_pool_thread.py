"""Sending results back to the consumer's event loop from a thread that somebody else started.

A library runs jobs in a pool of its own and calls back on its threads. No bridge brought us there, so nothing says
which loop to go back to, except us: `loop=`.
"""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from asgikit import Bridge

bridge = Bridge()


class Transcoder:
    """The library: it knows threads and callbacks, and has never heard of asyncio."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(2, thread_name_prefix="transcoder")

    def start(self, film: str, on_part: Callable[[str], None]) -> None:
        for part in range(3):
            self.pool.submit(on_part, f"{film}, part {part}")


class Consumer:
    """A WebSocket consumer: `send` may only run on its own loop."""

    def __init__(self) -> None:
        self.loop = asyncio.get_running_loop()
        self.sent: asyncio.Queue[str] = asyncio.Queue()
        self.send_threads: set[threading.Thread] = set()

    async def send(self, text: str) -> None:
        assert asyncio.get_running_loop() is self.loop
        self.send_threads.add(threading.current_thread())
        await self.sent.put(text)

    async def transcode(self, transcoder: Transcoder, film: str) -> list[str]:
        transcoder.start(film, on_part=bridge.async_to_sync(self.send, loop=self.loop))
        return sorted([await self.sent.get() for _ in range(3)])


async def main() -> None:
    transcoder = Transcoder()
    async with bridge:
        consumer = Consumer()
        parts = await consumer.transcode(transcoder, "Metropolis")
        assert parts == ["Metropolis, part 0", "Metropolis, part 1", "Metropolis, part 2"]
        assert consumer.send_threads == {threading.current_thread()}  # the loop's, though the pool's threads called
        await asyncio.to_thread(transcoder.pool.shutdown)  # not on the loop's thread: the last callback needs the loop


if __name__ == "__main__":
    asyncio.run(main())
    print("three parts came back to the consumer's loop")
