"""Kept event loops, each used by one call at a time."""

import asyncio
import math
from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import final

from asgikit.executor import WorkerThreadPool
from asgikit.loop._kept import KeptLoopRunner, KeptLoops
from asgikit.loop._loop_thread import LoopThread
from asgikit.loop._shared import SharedLoopRunner
from asgikit.loop._tidy import cancel_leftovers
from asgikit.protocols import LoopEntry

__all__ = ("PooledLoopRunner",)


@final
class PooledLoopRunner(KeptLoopRunner):
    """Gives each call the exclusive use of a running loop that is kept for later calls.

    Tasks that a call leaves behind are cancelled and named in a warning before the loop serves another.
    A runner that is forgotten while it has loops is a ResourceWarning.
    Any thread may call any method.

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
        # Without a bound: each caller waits on a thread of its own already.
        threads = WorkerThreadPool(math.inf, name="pooled-loop")
        super().__init__(
            KeptLoops("the pooled loop runner", threads=threads, loop_factory=loop_factory, max_idle=max_idle)
        )

    def post(self, entry: LoopEntry, /) -> None:
        """Run `entry` on a loop that no other call uses. May be called on any thread.

        Raises:
            ClosedError: the runner is closed.
        """
        loops = self._here()
        with loops.lock:
            thread = loops.lend()
        entry.expect(thread.loop)
        thread.loop.call_soon_threadsafe(self._start, thread, entry)

    def scope(self) -> SharedLoopRunner:
        """Return a runner with one loop from the same factory."""
        return SharedLoopRunner(loop_factory=self._state.loop_factory, name="loop-scope")

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
        if thread.usable and asyncio.all_tasks(thread.loop):  # else the loop is being wound down, which does the same
            tidying = thread.loop.create_task(cancel_leftovers(thread.loop, f"async_to_sync({entry.name})"))
            tidying.add_done_callback(lambda _: self._give_back(thread, entry))
        else:
            self._give_back(thread, entry)

    def _give_back(self, thread: LoopThread, entry: LoopEntry) -> None:
        """Release the caller, who may then post again and find the loop idle. Runs on the loop of `thread`."""
        self._state.take_back(thread)
        entry.finish()
