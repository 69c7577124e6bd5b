"""Kept event loops, each used by one call at a time."""

import asyncio
import math
import sys
import threading
import warnings
from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import final

from asgikit.errors import ClosedError
from asgikit.executor import ForkGuard, WorkerThreadPool
from asgikit.loop._loop_thread import LoopThread
from asgikit.loop._shared import SharedLoopRunner
from asgikit.loop._tidy import cancel_leftovers
from asgikit.protocols import LoopEntry

__all__ = ("PooledLoopRunner",)


@final
class PooledLoopRunner:
    """Gives each call the exclusive use of a running loop that is kept for later calls.

    Tasks that a call leaves behind are cancelled and named in a warning before the loop serves another.

    Args:
        loop_factory: makes the loops; `uvloop.new_event_loop` fits.
        max_idle: how many unused loops are kept.
    """

    def __init__(
        self,
        *,
        loop_factory: Callable[[], AbstractEventLoop] = asyncio.new_event_loop,
        max_idle: int = 8,
    ) -> None:
        self._loop_factory = loop_factory
        self._max_idle = max_idle
        self._threads = WorkerThreadPool(math.inf, name="pooled-loop")
        self._closed = False
        self._fork = ForkGuard()
        self._begin_process()

    def _begin_process(self) -> None:
        """Start without loops: at birth, and in a forked child."""
        self._lock = threading.Lock()
        self._idle: list[LoopThread] = []
        self._busy: set[LoopThread] = set()

    @property
    def loop_factory(self) -> Callable[[], AbstractEventLoop]:
        """What makes the loops. At interpreter exit, when no thread can be started, the bridge makes one with it."""
        return self._loop_factory

    def post(self, entry: LoopEntry, /) -> None:
        """Run `entry` on a loop that no other call uses. May be called on any thread.

        Raises:
            ClosedError: the runner is closed.
        """
        thread = self._take()
        entry.expect(thread.loop)
        thread.loop.call_soon_threadsafe(self._start, thread, entry)

    def scope(self) -> SharedLoopRunner:
        """Return a runner with one loop from the same factory."""
        return SharedLoopRunner(loop_factory=self._loop_factory, name="loop-scope")

    def close(self, grace: float = 2.0, /) -> None:
        """Cancel what runs, close the loops and end their threads, waiting at most `grace` seconds. Idempotent."""
        if self._fork.inherited:
            self._fork.renew(self._begin_process)
        with self._lock:
            self._closed = True
            threads = [*self._idle, *self._busy]
            self._idle.clear()
        for thread in threads:
            thread.stop()
        self._threads.close(grace)

    def _take(self) -> LoopThread:
        if self._fork.inherited:
            self._fork.renew(self._begin_process)
        with self._lock:
            if self._closed:
                message = "the pooled loop runner is closed"
                raise ClosedError(message)
            thread = None
            while self._idle and (thread is None or not thread.usable):
                thread = self._idle.pop()
            if thread is None or not thread.usable:
                thread = LoopThread(self._threads, self._loop_factory)
            self._busy.add(thread)
            return thread

    def _start(self, thread: LoopThread, entry: LoopEntry) -> None:
        """Runs on the loop of `thread`."""
        try:
            task = entry.start(thread.loop, prompt=False)  # not before the loop is tidied up
        except BaseException as error:
            entry.fail(error)
            self._give_back(thread, entry)
            return
        if task.done():
            self._ended(thread, entry)
        else:
            task.add_done_callback(lambda _: self._ended(thread, entry))

    def _ended(self, thread: LoopThread, entry: LoopEntry) -> None:
        """The call's task has ended. Runs on its loop."""
        if asyncio.all_tasks(thread.loop):
            tidying = thread.loop.create_task(cancel_leftovers(thread.loop, f"async_to_sync({entry.name})"))
            tidying.add_done_callback(lambda _: self._give_back(thread, entry))
        else:
            self._give_back(thread, entry)

    def _give_back(self, thread: LoopThread, entry: LoopEntry) -> None:
        with self._lock:
            self._busy.discard(thread)
            kept = not self._closed and len(self._idle) < self._max_idle
            if kept:
                self._idle.append(thread)
        if not kept:
            thread.stop()
        entry.finish()

    def __del__(self, _finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        if _finalizing():  # bound early: this module's names may be gone by then
            return
        idle: list[LoopThread] = getattr(self, "_idle", [])
        if self._fork.inherited or not any(thread.usable for thread in idle):
            return
        warnings.warn("a pooled loop runner was never closed", ResourceWarning, source=self, stacklevel=2)
        self.close(0)
