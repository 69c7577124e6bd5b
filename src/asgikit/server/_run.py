"""One run of a server: from its start-up until no instance lives any more."""

import asyncio
from asyncio import CancelledError, Event, Task
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Generic, TypeVar, final

from asgikit.errors import ClosedError
from asgikit.protocols import Clock
from asgikit.server._failure import logger
from asgikit.server._named import create_named_task
from asgikit.server._pool import InstancePool
from asgikit.server._waiting import wait_all

__all__ = ("Run", "StoppedEarlyError")

_ScopeT = TypeVar("_ScopeT")
_InT = TypeVar("_InT")
_OutT = TypeVar("_OutT")


class StoppedEarlyError(ClosedError):
    """`stop` was called while the server was starting."""


@final
class Run(Generic[_ScopeT, _InT, _OutT]):
    """Has the stream read beside everything else, and stops in order. Belongs to one loop and its thread."""

    def __init__(self, *, server: str, pool: InstancePool[_ScopeT, _InT, _OutT], clock: Clock) -> None:
        """Start nothing. `server` is what messages call the server."""
        self.pool = pool
        self.stopping = Event()
        self.takes_messages = True
        self._server = server
        self._clock = clock
        self._source: Task[None] | None = None
        self._entering: Task[Any] | None = None
        self._interrupted = False

    def stop(self) -> None:
        """Have the run stop; returns at once."""
        if self._entering is not None and not self.stopping.is_set():
            # Not at once: `startup` itself may be the caller, and end before the cancellation could reach it.
            self._entering.get_loop().call_soon(self._interrupt)
        self.stopping.set()

    async def start_up(self, startup: Callable[[], Awaitable[None]]) -> None:
        """Run `startup`.

        Raises:
            StoppedEarlyError: `stop` was called before it had ended.
        """
        self._entering = task = asyncio.current_task()
        try:
            await startup()
        except CancelledError:
            if task is None or not self._interrupted or task.cancelling() > 1:
                raise
            raise StoppedEarlyError(f"{self._server} was stopped while it was starting") from None
        finally:
            self._entering = None
            if task is not None and self._interrupted:
                task.uncancel()  # whatever `startup` made of it

    def _interrupt(self) -> None:
        if self._entering is not None:
            self._interrupted = self._entering.cancel("the server is stopped while it starts")

    def read(self, handle: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run `handle` beside everything else; its end is the end of the run."""
        self._source = create_named_task(asyncio.get_running_loop(), handle(), f"asgikit-server-{self._server}")
        self._source.add_done_callback(lambda _: self.stop())

    async def end(self, *, grace_time: float, drain_timeout: float) -> None:
        """End `handle`, let applications handle what they have, and end them; a cancellation cuts this short."""
        source = self._source
        try:
            if source is not None:
                source.cancel()
                await wait_all([source], seconds=grace_time, clock=self._clock)
            self.takes_messages = False
            await self.pool.drain(seconds=drain_timeout)
        finally:
            self.takes_messages = False
            await self.pool.end()

    def report(self, *, raises: bool) -> None:
        """Log that `handle` is left running, if it is; with `raises`, raise what it raised, if it did."""
        source = self._source
        if source is None:
            return
        if not source.done():
            logger.error("%s.handle swallows its cancellation and is left running", self._server)
        elif raises and not source.cancelled():
            source.result()
