"""Bounded, reusing worker threads for calls that may run anywhere.

One queue, and at most one worker at a time that is looking for work: whoever takes an item wakes the
next worker if more is queued. A burst of short calls is thus run by few threads, which matters under
the GIL, while calls that block get a thread each up to the bound.

The lock can be taken twice: the garbage collector may find a forgotten pool, and close it, on any thread at
any moment, also on one of the pool's own threads that holds the lock.
"""

import threading
from collections import deque
from contextlib import suppress
from typing import final

from asgikit.executor._fork import ForkGuard
from asgikit.executor._thread import ThreadNames
from asgikit.protocols import Work

__all__ = ("WorkerState",)


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
class WorkerState:
    """What the threads share. It does not know the pool, so that a forgotten pool can be collected."""

    def __init__(self, pool: str, bound: float, max_abandoned: int, *, reuse_threads: bool) -> None:
        self.pool = pool
        self.names = ThreadNames(pool)
        self.bound = bound
        self.max_abandoned = max_abandoned
        self.reuse_threads = reuse_threads
        self.closed: bool = False
        self.fork: ForkGuard = ForkGuard()
        self.reset()

    def reset(self) -> None:
        """Start empty: at birth, and in a forked child, where none of the parent's threads exists."""
        self.lock: threading.RLock = threading.RLock()
        self.queue: deque[Work] = deque()
        self.idle: list[_Seat] = []
        self.seats: set[_Seat] = set()
        self.searching = 0
        self.hosting: set[Work] = set()
        self.abandoned: set[Work] = set()
        self.started: int = 0
        self.taken: int = 0

    @property
    def what(self) -> str:
        """What messages call the pool."""
        return f"the worker pool {self.pool!r}"

    def populated(self) -> bool:
        """Whether there are threads."""
        return bool(self.seats)

    def names_running(self) -> list[str]:
        """Name what is running or queued. Takes the lock."""
        with self.lock:
            running = [seat.work for seat in self.seats]
            queued = list(self.queue)
        return [work.name for work in (*running, *queued) if work is not None]

    def stop(self, *, cancel_queued: bool) -> tuple[list[threading.Thread], list[Work]]:
        """Have every thread end once the queue is empty; return the threads, and what will never run."""
        with self.lock:
            self.closed = True
            refused = list(self.queue) if cancel_queued else []
            if cancel_queued:
                self.queue.clear()
            threads = [seat.thread for seat in self.seats if seat.thread is not None]
            while self.idle:
                self._wake()
        return threads, refused

    def occupied(self) -> int:
        """How many threads count towards the bound. Hosting ones have given up their slot."""
        if not (self.hosting or self.abandoned):
            return len(self.seats)
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
            self._wake()
        elif self.occupied() < self.bound:
            self.start()

    def _wake(self) -> None:
        """Have an idle worker look at the queue. One call, and the last: Ctrl-C comes after calls."""
        seat = self.idle[-1]
        del self.idle[-1]
        self.searching += 1
        seat.wake.release()

    def call_up_if_possible(self) -> None:
        """The same where work is queued already: without a thread to be had, it waits for those that there are."""
        with suppress(RuntimeError):
            self.call_up()

    def start(self) -> None:
        """Start one more worker. Called with the lock held."""
        seat = _Seat()
        self.searching += 1
        try:
            self.seats.add(seat)
            seat.thread = self.names.start(lambda: self.serve(seat))
        except BaseException:  # no thread to be had (memory, interpreter exit); after Ctrl-C it may run all the same
            self.searching -= 1
            self.seats.discard(seat)
            raise
        self.started += 1

    def serve(self, seat: _Seat) -> None:
        """Run work until told to go. Runs on the worker thread."""
        with self.lock:
            if seat not in self.seats:  # whoever started this thread did not hear that it has begun
                return
        while self.look(seat):
            work = seat.work
            if work is None:
                seat.wake.acquire()
            while work is not None:
                work.run()
                following = self.follow(seat, work)
                work.deliver()
                work = following  # an idle worker keeps nothing of its last call
            if seat not in self.seats:
                return

    def follow(self, seat: _Seat, work: Work) -> Work | None:
        """Note that `work` has run, before anybody hears of it and posts again, and take what is queued."""
        with self.lock:
            if self.abandoned or self.hosting:
                self.abandoned.discard(work)
                self.hosting.discard(work)
            seat.work = None
            if not self.reuse_threads:
                self.seats.discard(seat)
                self.call_up_if_possible()
            elif self.queue and self.occupied() <= self.bound:
                seat.work = self.queue.popleft()
                self.taken += 1
                if self.queue and not self.searching:
                    self.call_up_if_possible()
            else:
                self.searching += 1
            return seat.work

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
            self.idle.append(seat)
            if self.closed and seat in self.idle:  # else it has been woken again, to come here once more
                self.idle.remove(seat)
                self.seats.discard(seat)
                return False
            return True
