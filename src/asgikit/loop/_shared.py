"""One long-lived event loop for all callers: clients that are bound to their loop keep working."""

import asyncio
import sys
import threading
import warnings
from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import final

from asgikit.errors import ClosedError
from asgikit.executor import ForkGuard, WorkerThreadPool
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
class SharedLoopRunner:
    """One loop on one thread for every call, made at the first. Tasks that a call leaves behind go on.

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
        self._loop_factory = loop_factory
        self._threads = WorkerThreadPool(1, name=name)
        self._closed = False
        self._fork = ForkGuard()
        self._begin_process()

    def _begin_process(self) -> None:
        """Start without a loop: at birth, and in a forked child."""
        self._lock = threading.Lock()
        self._thread: LoopThread | None = None

    @property
    def loop_factory(self) -> Callable[[], AbstractEventLoop]:
        """What makes the loops. At interpreter exit, when no thread can be started, the bridge makes one with it."""
        return self._loop_factory

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
        return SharedLoopRunner(loop_factory=self._loop_factory, name="loop-scope")

    def close(self, grace: float = 2.0, /) -> None:
        """Cancel what runs on the loop, close it and end its thread, waiting at most `grace` seconds. Idempotent."""
        if self._fork.inherited:
            self._fork.renew(self._begin_process)
        with self._lock:
            self._closed = True
            thread, self._thread = self._thread, None
        if thread is not None:
            thread.stop()
        self._threads.close(grace)

    def _loop(self) -> AbstractEventLoop:
        thread = self._thread
        if thread is not None and thread.usable:
            return thread.loop
        if self._fork.inherited:
            self._fork.renew(self._begin_process)
        with self._lock:
            if self._closed:
                message = "the shared loop runner is closed"
                raise ClosedError(message)
            if self._thread is None or not self._thread.usable:
                self._thread = LoopThread(self._threads, self._loop_factory)
            return self._thread.loop

    def __del__(self, _finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        if _finalizing():  # bound early: this module's names may be gone by then
            return
        thread: LoopThread | None = getattr(self, "_thread", None)
        if thread is None or not thread.usable:
            return
        warnings.warn("a shared loop runner was never closed", ResourceWarning, source=self, stacklevel=2)
        self.close(0)
