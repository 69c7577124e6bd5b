"""Bounded, reusing worker threads for calls that may run anywhere."""

import sys
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar, final

from asgikit.errors import AbandonedError
from asgikit.executor._counters import PoolCounters
from asgikit.executor._thread import bound_of, closed_error
from asgikit.executor._thread_pool import ThreadPool
from asgikit.executor._work import FutureWork
from asgikit.executor._worker_state import WorkerState
from asgikit.protocols import Work

__all__ = ("WorkerThreadPool",)

_P = ParamSpec("_P")
_T = TypeVar("_T")


@final
class WorkerThreadPool(ThreadPool[WorkerState]):
    """Runs calls on at most `max_workers` daemon threads, which are started when needed and reused.

    Args:
        max_workers: how many threads run calls at once; None means `min(32, cpus + 4)`, `math.inf` no bound.
        name: the middle of the thread names, `asgikit-<name>-<n>`.
        reuse_threads: False starts a thread per call, for functions that leave values in `threading.local`.
        max_abandoned: how many threads may be held by calls that nobody waits for any more, beside
            `max_workers`; beyond it they count, and when they hold every thread new work is refused.

    Raises:
        ValueError: `max_workers` is less than 1.

    Any thread may call any method. A pool that is forgotten while it has threads is a ResourceWarning.
    """

    def __init__(
        self,
        max_workers: float | None = None,
        *,
        name: str = "worker",
        reuse_threads: bool = True,
        max_abandoned: int = 32,
    ) -> None:
        super().__init__(WorkerState(name, bound_of(max_workers), max_abandoned, reuse_threads=reuse_threads))

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Have `fn(*args, **kwargs)` run on a worker thread, and return the future of its result.

        Raises:
            ClosedError: the pool is closed.
            AbandonedError: abandoned calls hold every thread.
        """
        work = FutureWork(fn, *args, **kwargs)
        self.post(work)
        return work.future

    def post(self, work: Work, /) -> None:
        """Queue `work` for the next worker thread that is free; raises as `submit` does."""
        state = self._here()
        with state.lock:
            if state.closed or sys.is_finalizing():
                raise closed_error(state.what)
            if state.abandoned and state.stuck():
                message = f"all {state.bound} threads of {state.what} are held by abandoned calls: " + ", ".join(
                    sorted(stuck.name for stuck in state.abandoned)
                )
                raise AbandonedError(message)
            state.queue.append(work)
            try:
                state.call_up()
            except BaseException:
                state.queue.pop()  # what is refused must not run later
                raise

    @property
    def thread_id(self) -> None:
        """None: work here runs on any of several threads."""

    @property
    def running(self) -> None:
        """None: no one call holds this pool."""

    @property
    def progress(self) -> int:
        """How many calls have been taken up so far."""
        return self._state.taken

    def host(self, work: Work, /) -> None:
        """Give up the calling worker's slot while its call waits for a coroutine, so that nesting never starves."""
        state = self._here()
        with state.lock:
            state.hosting.add(work)
            state.call_up_if_possible()

    def resume(self, work: Work, /) -> None:
        """Take the slot back; for a moment one thread more than the bound may run."""
        state = self._here()
        with state.lock:
            state.hosting.discard(work)

    def abandon(self, work: Work, /) -> None:
        """Count the thread that runs `work` as abandoned until it ends, so that another may take its place."""
        state = self._here()
        with state.lock:
            if any(seat.work is work for seat in state.seats):  # else it has just ended
                state.abandoned.add(work)
                state.call_up_if_possible()

    @property
    def counters(self) -> PoolCounters:
        """How many threads there are and what they are doing, at this moment."""
        state = self._here()
        with state.lock:
            return PoolCounters(
                started=state.started,
                busy=len(state.seats) - len(state.idle) - len(state.abandoned),
                idle=len(state.idle),
                abandoned=len(state.abandoned),
                queued=len(state.queue),
            )
