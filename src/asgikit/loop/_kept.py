"""What the runners that keep their loops share: who has which loop, and how all of them end."""

import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import final

from asgikit.errors import ClosedError
from asgikit.executor import ForkGuard, WorkerThreadPool
from asgikit.executor._owner import Owner
from asgikit.loop._loop_thread import LoopThread

__all__ = ("KeptLoopRunner", "KeptLoops")


@final
class KeptLoops:
    """The loops of one runner, lent or idle, each on a thread of `threads`, which end with them."""

    def __init__(
        self,
        what: str,
        *,
        threads: WorkerThreadPool,
        loop_factory: Callable[[], AbstractEventLoop],
        max_idle: int = 0,
    ) -> None:
        self.what = what
        self.threads = threads
        self.loop_factory = loop_factory
        self.max_idle = max_idle
        self.closed: bool = False
        self.fork: ForkGuard = ForkGuard()
        self.reset()

    def reset(self) -> None:
        """Start without loops: at birth, and in a forked child."""
        self.lock = threading.RLock()  # the garbage collector may cross on a thread that holds it
        self.idle: list[LoopThread] = []
        self.lent: set[LoopThread] = set()

    def populated(self) -> bool:
        """Whether there are loops that run."""
        return any(thread.usable for thread in (*self.idle, *self.lent))

    def lend(self) -> LoopThread:
        """Hand out a loop that nobody else uses, a new one if none is idle. Called with the lock held.

        Raises:
            ClosedError: the runner is closed.
        """
        if self.closed:
            raise ClosedError(f"{self.what} is closed")
        return self._usable_idle() or self._begin()

    def _usable_idle(self) -> LoopThread | None:
        while self.idle:
            thread = self.idle[-1]
            del self.idle[-1]  # not `pop`: after it Ctrl-C may come, and what stands in neither place is never stopped
            self.lent.add(thread)
            if thread.usable:
                return thread
            self.lent.discard(thread)
        return None

    def _begin(self) -> LoopThread:
        for thread in self.lent.copy():
            if not thread.usable:  # a borrower may have closed the loop itself
                self.lent.discard(thread)
        thread = LoopThread(self.loop_factory)
        self.lent.add(thread)
        thread.begin(self.threads)
        return thread

    def take_back(self, thread: LoopThread) -> None:
        """Keep a loop that was lent, or end it if there are enough. Takes the lock."""
        with self.lock:
            self.lent.discard(thread)
            kept = not self.closed and len(self.idle) < self.max_idle
            if kept:
                self.idle.append(thread)
        if not kept:
            thread.stop()

    def stop(self) -> None:
        """Lend no more, and have every loop cancel what it runs and end. Takes the lock; waits for nothing."""
        with self.lock:
            self.closed = True
            threads = [*self.idle, *self.lent]
            self.idle.clear()
            self.lent.clear()
        for thread in threads:
            thread.stop()
        self.threads.shutdown(wait=False)


class KeptLoopRunner(Owner[KeptLoops]):
    """The shell of a runner that keeps loops. Any thread may call any method."""

    @property
    def loop_factory(self) -> Callable[[], AbstractEventLoop]:
        """What makes the loops. At interpreter exit, when no thread can be started, the bridge makes one with it."""
        return self._state.loop_factory

    def close(self, grace: float = 2.0, /) -> None:
        """Cancel what runs, close the loops and end their threads, waiting at most `grace` seconds. Idempotent."""
        self._stop()
        self._state.threads.close(grace)

    def _stop(self) -> None:
        self._here().stop()
