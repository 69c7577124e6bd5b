"""What leases and their workers share: the workers, the line for them, and the lock over both.

The garbage collector may end a scope, and so a lease, on any thread at any moment: also on a thread that holds
the lock. So the lock can be taken twice, and what is done under it holds when a lease ends in the middle of it:
nothing is looked at and then taken as if it must still be there.
"""

import threading
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, final

from asgikit.errors import AbandonedError
from asgikit.executor import _lease_rules as rules
from asgikit.executor._fork import ForkGuard
from asgikit.executor._lease_worker import Hooks, LeaseWorker
from asgikit.executor._thread import ThreadNames
from asgikit.protocols import Work

if TYPE_CHECKING:
    from asgikit.executor._lease import WorkerLease

__all__ = ("LeaseState",)


@final
class LeaseState:
    """The state of one pool. It does not know the pool, so that a forgotten pool can be collected."""

    def __init__(self, pool: str, bound: int, max_abandoned: int, on_abandon: str, hooks: Hooks) -> None:
        self.pool = pool
        self.bound = bound
        self.max_abandoned = max_abandoned
        self.on_abandon = on_abandon
        self.hooks = hooks
        self.closed: bool = False
        self.fork: ForkGuard = ForkGuard()
        self.reset()

    def reset(self) -> None:
        """Start empty: at birth, and in a forked child, where none of the parent's threads exists."""
        self.names: ThreadNames = ThreadNames(self.pool)
        self.lock: threading.RLock = threading.RLock()
        self.idle: list[LeaseWorker] = []
        self.workers: set[LeaseWorker] = set()
        self.waiting: deque[WorkerLease] = deque()
        self.abandoned: set[LeaseWorker] = set()
        self.started: int = 0
        self.default: WorkerLease | None = None

    @property
    def what(self) -> str:
        """What messages call the pool."""
        return f"the thread-sensitive pool {self.pool!r}"

    def populated(self) -> bool:
        """Whether there are workers."""
        return bool(self.workers)

    def names_running(self) -> list[str]:
        """Name what the workers are running. Takes the lock."""
        with self.lock:
            running = [worker.work for worker in self.workers]
        return [work.name for work in running if work is not None]

    def stop(self, *, cancel_queued: bool) -> tuple[list[threading.Thread], list[Work]]:
        """Have every worker end once its inbox is empty; return the threads, and what will never run."""
        with self.lock:
            self.closed = True
            refused = self.refuse_line()
            workers = self.workers.copy()
            threads = [worker.thread for worker in workers if worker.thread is not None]
            for worker in workers:
                if cancel_queued:
                    refused.extend(worker.take_queued())
                worker.end()
            self.idle.clear()
        return threads, refused

    # Everything below is called with the lock held.

    def worker_for(self, *, permanent: bool) -> LeaseWorker | None:
        """Return a worker that is free, or a new one if the bound allows, or None."""
        if self.idle and not permanent:
            return self.idle.pop()
        if rules.may_start(permanent=permanent, counted=self.counted(), bound=self.bound):
            return self._new(permanent=permanent)
        return None

    def _new(self, *, permanent: bool) -> LeaseWorker:
        worker = LeaseWorker(self)
        worker.permanent = permanent
        self.workers.add(worker)
        try:
            worker.thread = self.names.start(worker.serve)
        except BaseException:  # no thread to be had (memory, interpreter exit)
            self.workers.discard(worker)
            worker.end()  # after Ctrl-C it may have begun all the same
            raise
        self.started += 1
        return worker

    def back(self, worker: LeaseWorker) -> None:
        """Take a worker back that has finished with its lease: for the next in line, for the idle ones, or to end."""
        if rules.is_over(closed=self.closed, counted=self.counted(), bound=self.bound):
            self.workers.discard(worker)  # it no longer counts
            worker.end()
            return
        try:
            lease = self.waiting.popleft()
        except IndexError:  # nobody in line, or no longer
            self.idle.append(worker)
        else:
            lease.bind(worker)

    def recovered(self, worker: LeaseWorker) -> None:
        """The abandoned call of a worker has ended after all."""
        self.abandoned.discard(worker)

    def stand_in_line(self, lease: "WorkerLease") -> None:
        """Let `lease` have a worker when there is one: at once, if one has come free at this very moment."""
        self.waiting.append(lease)
        while self.idle and self.waiting:
            self.back(self.idle.pop())

    def call_up(self) -> None:
        """Give workers to the leases that wait in line, as far as there are any, and threads to be had."""
        with suppress(RuntimeError):
            while self.waiting and (worker := self.worker_for(permanent=False)) is not None:
                self.back(worker)

    def leave_line(self, lease: "WorkerLease") -> None:
        """Stop waiting for a worker."""
        if lease in self.waiting:
            self.waiting.remove(lease)

    def refuse_line(self) -> list[Work]:
        """Take out what the leases in line wait with."""
        refused = [work for lease in tuple(self.waiting) for work in lease.drop_backlog()]
        self.waiting.clear()
        return refused

    def counted(self) -> int:
        """How many workers count towards the bound."""
        workers = sum(not worker.permanent for worker in self.workers.copy())
        return rules.counted(workers, self.left(), self.max_abandoned)

    def left(self) -> int:
        """How many workers, the default one aside, are held by abandoned calls."""
        return sum(not worker.permanent for worker in self.abandoned.copy())

    def stuck(self) -> AbandonedError | None:
        """Return why nobody who waits for a worker may hope for one, or None."""
        if not rules.stuck(self.left(), self.max_abandoned, self.bound):
            return None
        names = sorted(worker.work.name for worker in self.abandoned.copy() if worker.work is not None)
        return AbandonedError(
            f"all {self.bound} workers of the thread-sensitive pool {self.pool!r} are held by abandoned calls: "
            + ", ".join(names)
        )
