"""One long-lived event loop for all callers: clients that are bound to their loop keep working."""

import asyncio
import math
from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import final

from asgikit.executor import WorkerThreadPool
from asgikit.loop._kept import KeptLoopRunner, KeptLoops
from asgikit.loop._loop_thread import LoopThread
from asgikit.protocols import LoopEntry

__all__ = ("SharedLoopRunner", "start_on")


def start_on(loop: AbstractEventLoop, entry: LoopEntry) -> None:
    """Start `entry` on `loop`, from the thread that runs it; its waiting thread is released at its last step."""
    try:
        entry.start(loop, prompt=True)
    except BaseException as error:
        entry.fail(error)


@final
class SharedLoopRunner(KeptLoopRunner):
    """One loop on one thread for every call, made at the first. Tasks that a call leaves behind go on.

    A runner that is forgotten while its loop runs is a ResourceWarning.
    Any thread may call any method.

    Args:
        loop_factory: makes the loop; `uvloop.new_event_loop` fits.
        name: the middle of the thread name, `asgikit-<name>-<n>`.
    """

    def __init__(
        self,
        *,
        loop_factory: Callable[[], AbstractEventLoop] = asyncio.new_event_loop,
        name: str = "shared-loop",
    ) -> None:
        self._thread: LoopThread | None = None
        # Without a bound: after Ctrl-C there may be a loop that nobody uses.
        threads = WorkerThreadPool(math.inf, name=name)
        super().__init__(KeptLoops("the shared loop runner", threads=threads, loop_factory=loop_factory))

    def post(self, entry: LoopEntry, /) -> None:
        """Run `entry` on the shared loop. May be called on any thread.

        Raises:
            ClosedError: the runner is closed.
        """
        loop = self._loop()
        entry.expect(loop)
        loop.call_soon_threadsafe(start_on, loop, entry)

    def scope(self) -> "SharedLoopRunner":
        """Return a further runner with a loop of its own, from the same factory."""
        return SharedLoopRunner(loop_factory=self._state.loop_factory, name="loop-scope")

    def _loop(self) -> AbstractEventLoop:
        """Return the loop, which all callers borrow together and nobody gives back."""
        thread = self._thread
        if thread is not None and thread.usable:  # without the lock: nearly every call ends here
            return thread.loop
        loops = self._here()
        with loops.lock:
            if self._thread is None or not self._thread.usable:
                self._thread = loops.lend()
            return self._thread.loop
