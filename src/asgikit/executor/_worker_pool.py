"""Bounded, reusing worker threads for calls that may run anywhere.

One queue, and at most one worker at a time that is looking for work: whoever takes an item wakes the
next worker if more is queued. A burst of short calls is thus run by few threads, which matters under
the GIL, while calls that block get a thread each up to the bound.
"""

import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable
from concurrent.futures import Executor, Future
from contextlib import suppress
from typing import ParamSpec, TypeVar, final

from asgikit.errors import AbandonedError, ClosedError
from asgikit.executor._counters import PoolCounters
from asgikit.executor._fork import ForkGuard
from asgikit.executor._thread import ThreadNames, closed_error, default_bound, end_all, wait_for_idle
from asgikit.executor._work import FutureWork, drop
from asgikit.protocols import Work

__all__ = ("WorkerThreadPool",)

_P = ParamSpec("_P")
_T = TypeVar("_T")


@final
class _Seat:
    """One worker thread's place in the pool."""

    __slots__ = ("thread", "wake", "work")

    def __init__(self) -> None:
        self.wake = threading.Lock()
        self.wake.acquire()
        self.thread: threading.Thread | None = None
        self.work: Work | None = None


@final
class _State:
    """What the threads share. It does not know the pool, so that a forgotten pool can be collected."""

    def __init__(self, names: ThreadNames, bound: float, max_abandoned: int, *, reuse_threads: bool) -> None:
        self.names = names
        self.bound = bound
        self.max_abandoned = max_abandoned
        self.reuse_threads = reuse_threads
        self.closed = False
        self.fork: ForkGuard = ForkGuard()
        self.reset()

    def reset(self) -> None:
        """Start empty: at birth, and in a forked child, where none of the parent's threads exists."""
        self.lock: threading.Lock = threading.Lock()
        self.queue: deque[Work] = deque()
        self.idle: list[_Seat] = []
        self.seats: set[_Seat] = set()
        self.searching = 0
        self.hosting: set[Work] = set()
        self.abandoned: set[Work] = set()
        self.started: int = 0
        self.taken: int = 0

    def occupied(self) -> int:
        """How many threads count towards the bound. Hosting ones have given up their slot."""
        hosting = self.hosting - self.abandoned  # nobody is excused twice
        return len(self.seats) - len(hosting) - min(len(self.abandoned), self.max_abandoned)

    def stuck(self) -> bool:
        """Whether abandoned calls beyond their cap hold every thread."""
        return len(self.abandoned) - self.max_abandoned >= self.bound

    def call_up(self) -> None:
        """Have one worker look at the queue, unless one is about to. Called with the lock held.

        Raises:
            RuntimeError: the system has no thread to give.
        """
        if self.searching or not self.queue:
            return
        if self.idle:
            self.searching += 1
            self.idle.pop().wake.release()
        elif self.occupied() < self.bound:
            self.start()

    def call_up_if_possible(self) -> None:
        """The same where work is queued already: without a thread to be had, it waits for those that there are."""
        with suppress(RuntimeError):
            self.call_up()

    def start(self) -> None:
        """Start one more worker. Called with the lock held."""
        seat = _Seat()
        self.seats.add(seat)
        self.searching += 1
        try:
            seat.thread = self.names.start(lambda: self.serve(seat))
        except BaseException:  # no thread to be had (memory, interpreter exit)
            self.searching -= 1
            self.seats.discard(seat)
            raise
        self.started += 1

    def serve(self, seat: _Seat) -> None:
        """Run work until told to go. Runs on the worker thread."""
        while self.look(seat):
            work = seat.work
            if work is None:
                seat.wake.acquire()
                continue
            work.run()
            with self.lock:  # before anybody hears of the outcome and posts again
                self.abandoned.discard(work)
                self.hosting.discard(work)
                seat.work = None
                if self.reuse_threads:
                    self.searching += 1
                else:
                    self.seats.discard(seat)
                    self.call_up_if_possible()
            work.deliver()
            if not self.reuse_threads:
                return
            del work  # an idle worker keeps nothing of its last call

    def look(self, seat: _Seat) -> bool:
        """Take work, or sit down idle; False when this worker shall end."""
        with self.lock:
            self.searching -= 1
            if self.occupied() > self.bound:  # calls that hosted have come back
                self.seats.discard(seat)
                self.call_up_if_possible()
                return False
            if self.queue:
                seat.work = self.queue.popleft()
                self.taken += 1
                self.call_up_if_possible()
                return True
            if self.closed:
                self.seats.discard(seat)
                return False
            self.idle.append(seat)
            return True


@final
class WorkerThreadPool(Executor):
    """Runs calls on at most `max_workers` daemon threads, which are started when needed and reused.

    Args:
        max_workers: how many threads run calls at once; None means `min(32, cpus + 4)`, `math.inf` no bound.
        name: the middle of the thread names, `asgikit-<name>-<n>`.
        reuse_threads: False starts a thread per call, for functions that leave values in `threading.local`.
        max_abandoned: how many threads may be held by calls that nobody waits for any more, beside
            `max_workers`; beyond it they count, and when they hold every thread new work is refused.

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
        bound = default_bound() if max_workers is None else max_workers
        if bound < 1:
            message = f"max_workers must be at least 1, not {max_workers!r}"
            raise ValueError(message)
        self._name = name
        self._state = _State(ThreadNames(name), bound, max_abandoned, reuse_threads=reuse_threads)

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
                raise closed_error(f"the worker pool {self._name!r}")
            if state.abandoned and state.stuck():
                message = (
                    f"all {state.bound} threads of the worker pool {self._name!r} are held by abandoned calls: "
                    + ", ".join(sorted(stuck.name for stuck in state.abandoned))
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

    def close(self, grace: float = 2.0) -> None:
        """Refuse new work, run what is queued, and end the threads, waiting at most `grace` seconds. Idempotent."""
        end_all(self._stop(), grace, self._running)

    def drain(self, grace: float, /) -> None:
        """Wait at most `grace` seconds until nothing is queued or running, and log the names of what still is."""
        wait_for_idle(self._running, grace)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the threads as `concurrent.futures.Executor` says; with `wait`, without limit of time."""
        threads = self._stop(fail_queued=cancel_futures)
        if wait:
            end_all(threads, threading.TIMEOUT_MAX, self._running)

    @property
    def started(self) -> bool:
        """Whether there are threads."""
        return bool(self._here().seats)

    def _running(self) -> list[str]:
        state = self._here()
        with state.lock:
            work = [seat.work for seat in state.seats if seat.work is not None]
            return [item.name for item in (*work, *state.queue)]

    def _here(self) -> _State:
        state = self._state
        if state.fork.inherited:
            state.fork.renew(state.reset)
        return state

    def _stop(self, *, fail_queued: bool = False) -> list[threading.Thread]:
        state = self._here()
        with state.lock:
            state.closed = True
            refused = list(state.queue) if fail_queued else []
            if fail_queued:
                state.queue.clear()
            threads = [seat.thread for seat in state.seats if seat.thread is not None]
            state.searching += len(state.idle)
            for seat in state.idle:
                seat.wake.release()
            state.idle.clear()
        for work in refused:
            drop(
                work,
                ClosedError(f"the worker pool {self._name!r} was closed before {work.name} could run"),
                quietly=True,
            )
        return threads

    def __del__(self) -> None:
        state: _State | None = getattr(self, "_state", None)
        if state is None or state.closed or state.fork.inherited or not state.seats or sys.is_finalizing():
            return
        warnings.warn(f"the worker pool {self._name!r} was never closed", ResourceWarning, source=self, stacklevel=2)
        self._stop()
