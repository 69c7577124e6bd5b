"""The floor: the least code that carries a call to another thread and its result back.

One `SimpleQueue` there, one `call_soon_threadsafe` back; no cancellation, no exceptions, no context variables.
What is slower than this pays for something; what is quicker does less per call.
"""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from queue import SimpleQueue
from typing import Any, Self, TypeAlias

__all__ = ("FloorPool", "floor_host", "floor_to_loop", "loop_on_a_thread")

_Item: TypeAlias = "tuple[Callable[[], object], asyncio.Future[Any], asyncio.AbstractEventLoop] | None"


class FloorPool:
    """Threads that run what they find in one queue."""

    def __init__(self, threads: int = 1) -> None:
        self.queue: SimpleQueue[_Item] = SimpleQueue()
        self._threads = [threading.Thread(target=self.serve, name=f"floor-{n}") for n in range(threads)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for _thread in self._threads:
            self.queue.put(None)
        for thread in self._threads:
            thread.join()

    def serve(self) -> None:
        while (item := self.queue.get()) is not None:
            fn, future, loop = item
            loop.call_soon_threadsafe(future.set_result, fn())

    def call(self, fn: Callable[[], object]) -> "asyncio.Future[Any]":
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Any] = loop.create_future()
        self.queue.put((fn, future, loop))
        return future


def floor_to_loop(loop: asyncio.AbstractEventLoop, fn: Callable[[], object]) -> object:
    """Run a plain function on the thread of `loop`, from another one, and return its result."""
    answer: SimpleQueue[object] = SimpleQueue()
    loop.call_soon_threadsafe(lambda: answer.put(fn()))
    return answer.get()


@contextmanager
def loop_on_a_thread(
    loop_factory: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop,
) -> Generator[asyncio.AbstractEventLoop]:
    """Yield an event loop that runs on a thread of its own."""
    loop = loop_factory()
    thread = threading.Thread(target=loop.run_forever, name="floor-loop")
    thread.start()
    try:
        yield loop
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def floor_host(loop: asyncio.AbstractEventLoop, main: Callable[[FloorPool], Coroutine[Any, Any, float]]) -> float:
    """Run a coroutine on `loop`, and what it calls on this thread, which waits for it."""
    host = FloorPool(0)  # this thread reads the queue itself
    ended = asyncio.run_coroutine_threadsafe(main(host), loop)
    ended.add_done_callback(lambda _: host.queue.put(None))
    host.serve()
    return ended.result()
