"""The executor of a thread that waits: what others submit meanwhile runs on that very thread."""

import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future
from queue import Empty, SimpleQueue
from typing import ParamSpec, TypeVar, final

from asgikit.errors import ClosedError, DeadlockError
from asgikit.executor._work import FutureWork
from asgikit.protocols import Inbox, Work

__all__ = ("CurrentThreadExecutor",)

_P = ParamSpec("_P")
_T = TypeVar("_T")


@final
class CurrentThreadExecutor(Executor):
    """Runs submitted calls on the thread that made it, while that thread is in `run_until_future`.

    It is done when `run_until_future` returns: work that is submitted later is refused, and work that
    was submitted but not run is failed with `ClosedError`, so that nobody waits for it.

    Hosts nested on one thread share the `inbox` of the outermost, so that the innermost serves them all.
    """

    __slots__ = ("_closed", "_inbox", "_lock", "_own", "progress", "running", "thread_id")

    def __init__(self, *, inbox: Inbox | None = None) -> None:
        self._own: SimpleQueue[Work | None] | None = None  # a shared inbox belongs to another host, or to a worker
        if inbox is None:
            inbox = self._own = SimpleQueue()
        self._inbox: Inbox = inbox
        self._lock = threading.RLock()  # the garbage collector may refuse work on a thread that holds it
        self._closed = False
        self.thread_id: int = threading.get_ident()
        self.running: Work | None = None
        self.progress: int = 0

    @property
    def inbox(self) -> Inbox:
        """The queue that this host reads."""
        return self._inbox

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Queue `fn(*args, **kwargs)` for the hosting thread. May be called on any other thread.

        Raises:
            DeadlockError: called on the hosting thread itself, which could never run it while it waits.
            ClosedError: the host has its result and serves no more.
        """
        if threading.get_ident() == self.thread_id:
            message = (
                f"{fn!r} was submitted to the host of thread {threading.current_thread().name!r} by that thread itself;"
                " call it directly"
            )
            raise DeadlockError(message)
        work = FutureWork(fn, *args, **kwargs)
        self.post(work)
        return work.future

    def post(self, work: Work, /) -> None:
        """Queue `work` for the hosting thread. May be called on any thread.

        Raises:
            ClosedError: the host has its result and serves no more.
        """
        with self._lock:  # close() drains under the same lock: nothing is put behind its back
            if self._closed:
                message = f"the host of thread {self.thread_id} has its result and takes no more work"
                raise ClosedError(message)
            self._inbox.put(work)

    def host(self, work: Work, /) -> Inbox:
        """Work of this thread starts to host in its turn: it serves the same inbox."""
        return self._inbox

    def resume(self, work: Work, /) -> None:
        """Nothing was given up."""

    def abandon(self, work: Work, /) -> None:
        """A thread that hosts cannot leave the call that it is running."""

    def wake(self) -> None:
        """Make a waiting `run_one` return. May be called on any thread."""
        self._inbox.put(None)

    def run_one(self, timeout: float | None = None) -> bool:
        """Run one piece of queued work, waiting at most `timeout` seconds for it. Called by the owning thread only.

        Returns False when the time was over; True when something was run, or `wake` was called.
        """
        try:
            work = self._inbox.get(True, timeout)
        except Empty:
            return False
        if work is not None:
            self.progress += 1
            self.running = work
            try:
                work.run()
            finally:
                self.running = None
            work.deliver()
            del work  # this frame is part of an error's traceback, which must not lead back to it (invariant I2)
        return True

    def run_until_future(self, future: "Future[_T]", /) -> None:
        """Run submitted work on the calling thread, which must be the owner, until `future` is done; then close.

        Raises:
            RuntimeError: called on a thread other than the one that made this executor.
        """
        if threading.get_ident() != self.thread_id:
            message = "run_until_future was called on another thread than the one that made this executor"
            raise RuntimeError(message)
        future.add_done_callback(lambda _: self.wake())
        try:
            while not future.done():
                self.run_one()
        finally:
            self.close()

    def close(self) -> None:
        """Refuse new work and fail what is queued; a shared inbox is left to the host or worker it belongs to."""
        with self._lock:
            self._closed = True
        while self._own is not None and not self._own.empty():
            work = self._own.get()
            if work is not None:
                work.fail(ClosedError(f"thread {self.thread_id} stopped hosting before {work.name} could run"))

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """The same as `close`; there is no thread to wait for."""
        self.close()
