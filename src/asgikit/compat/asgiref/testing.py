"""`asgiref.testing`: its communicator. The native one is `asgikit.testing.ApplicationCommunicator`.

The application starts with the first use, and a time-out cancels it, because suites rely on that (the native
one leaves it running, invariant O1).
"""

import asyncio
import contextvars
from asyncio import Queue, Task
from collections.abc import Awaitable, Callable
from typing import Any

from asgikit.compat.asgiref import compatibility

__all__ = ("ApplicationCommunicator",)


class ApplicationCommunicator:
    """Runs an ASGI application in a test: `send_input` feeds it, `receive_output` returns what it sends.

    Belongs to the event loop on which it is first used. Times are in seconds. The application starts with an
    empty context.
    """

    def __init__(self, application: Callable[..., Any], scope: Any) -> None:
        self._future: Task[Any] | None = None
        self.application: Callable[[Any, Any, Any], Awaitable[Any]] = compatibility.guarantee_single_callable(
            application
        )
        self.scope = scope
        self._input_queue: Queue[Any] | None = None
        self._output_queue: Queue[Any] | None = None

    @property
    def input_queue(self) -> Queue[Any]:
        """What the application will receive."""
        if self._input_queue is None:
            self._input_queue = Queue()
        return self._input_queue

    @property
    def output_queue(self) -> Queue[Any]:
        """What the application has sent and nobody has taken."""
        if self._output_queue is None:
            self._output_queue = Queue()
        return self._output_queue

    @property
    def future(self) -> "Task[Any]":
        """The task of the application, which is started if need be."""
        if self._future is None:
            run = self.application(self.scope, self.input_queue.get, self.output_queue.put)
            self._future = contextvars.Context().run(_start, run)
        return self._future

    async def wait(self, timeout: float = 1) -> None:
        """Wait for the application to end by itself, and raise what it raised.

        One that does not end in time is cancelled, without an error.
        """
        try:
            await asyncio.wait([self.future], timeout=timeout)
            self._check()
        finally:
            await self._cancel()

    def stop(self, exceptions: bool = True) -> None:
        """Cancel the application if it runs; raise what it raised if it has ended and `exceptions` is true."""
        future = self._future
        if future is None:
            return
        if not future.done():
            future.cancel()
        elif exceptions and not future.cancelled():
            future.result()

    def __del__(self) -> None:
        try:
            self.stop(exceptions=False)
        except RuntimeError:
            """Its event loop is closed already."""

    async def send_input(self, message: Any) -> None:
        """Give the application a message; it need not have asked for one. Raises what it raised, if it failed."""
        self._check()
        self.input_queue.put_nowait(message)

    async def receive_output(self, timeout: float = 1) -> Any:
        """Return the next message that the application sends.

        Raises:
            TimeoutError: none came in time; the application is cancelled.
            BaseException: what the application raised, if it failed; what it sent before comes first (invariant O3).
        """
        if self.output_queue.empty():
            self._check()
        getter = asyncio.ensure_future(self.output_queue.get())
        try:
            await self._until_one(getter, timeout)
            if getter.done():
                return getter.result()
            self._check()
        finally:
            getter.cancel()
        await self._cancel()
        raise TimeoutError

    async def receive_nothing(self, timeout: float = 0.1, interval: float = 0.01) -> bool:
        """Whether the application sends nothing within `timeout`; what it sends stays queued.

        Raises:
            BaseException: what the application raised, if it had failed before, and nothing is queued.
        """
        del interval  # nothing is polled (invariant O9)
        if self.output_queue.empty():
            self._check()
            getter = asyncio.ensure_future(self.output_queue.get())
            await self._until_one(getter, timeout)
            if not getter.done():
                getter.cancel()
                return True
            queue = self.output_queue
            rest = [getter.result(), *(queue.get_nowait() for _ in range(queue.qsize()))]
            for message in rest:
                queue.put_nowait(message)
        return False

    def _check(self) -> None:
        """Start the application if need be; raise what it raised if it has failed."""
        if self.future.done() and not self.future.cancelled():
            self.future.result()

    async def _until_one(self, getter: "Task[Any]", timeout: float) -> None:
        """Wait until there is a message or the application has ended; it may have sent one last."""
        await asyncio.wait([getter, self.future], timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
        if not getter.done():
            await asyncio.sleep(0)

    async def _cancel(self) -> None:
        """Cancel the application, and wait until it has ended."""
        if not self.future.done():
            self.future.cancel()
            await asyncio.wait([self.future])


def _start(run: Awaitable[Any]) -> "Task[Any]":
    """Be what `Context.run` runs: it is typed of this, and not of a generic function."""
    return asyncio.ensure_future(run)
