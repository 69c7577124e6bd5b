"""Leases, and the state of the pool that gives them workers.

A lease holds no thread until work is posted to it. Whoever posts never waits: work that finds no free
worker stays with its lease, and leases get workers in the order in which they asked.
"""

import os
import sys
import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar, final

from asgikit.errors import AbandonedError, LeaseTimeoutError, ScopeError
from asgikit.executor._fork import ForkGuard
from asgikit.executor._lease_worker import Hooks, LeaseWorker
from asgikit.executor._thread import ThreadNames, closed_error
from asgikit.executor._work import FutureWork
from asgikit.protocols import Inbox, Work

__all__ = ("LeaseState", "WorkerLease")

_P = ParamSpec("_P")
_T = TypeVar("_T")


@final
class LeaseState:
    """What leases and workers share. It does not know the pool, so that a forgotten pool can be collected."""

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
        self.lock: threading.Lock = threading.Lock()
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
            return [worker.work.name for worker in self.workers if worker.work is not None]

    def stop(self, *, cancel_queued: bool) -> tuple[list[threading.Thread], list[Work]]:
        """Have every worker end once its inbox is empty; return the threads, and what will never run."""
        with self.lock:
            self.closed = True
            refused = self.refuse_line()
            threads = [worker.thread for worker in self.workers if worker.thread is not None]
            for worker in self.workers:
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
        if self.counted() >= self.bound and not permanent:
            return None
        worker = LeaseWorker(self)
        self.workers.add(worker)
        try:
            worker.thread = self.names.start(worker.serve)
        except BaseException:  # no thread to be had (memory, interpreter exit)
            self.workers.discard(worker)
            raise
        worker.permanent = permanent
        self.started += 1
        return worker

    def back(self, worker: LeaseWorker) -> None:
        """Take a worker back that has finished with its lease: for the next in line, for the idle ones, or to end."""
        if self.closed or self.counted() > self.bound:
            self.workers.discard(worker)  # it no longer counts
            worker.end()
        elif self.waiting:
            self.waiting.popleft().bind(worker)
        else:
            self.idle.append(worker)

    def recovered(self, worker: LeaseWorker) -> None:
        """The abandoned call of a worker has ended after all."""
        self.abandoned.discard(worker)

    def call_up(self) -> None:
        """Give workers to the leases that wait in line, as far as there are any."""
        while self.waiting and (worker := self.worker_for(permanent=False)) is not None:
            self.waiting.popleft().bind(worker)

    def counted(self) -> int:
        """How many workers count towards the bound."""
        return sum(not worker.permanent for worker in self.workers) - min(self.left(), self.max_abandoned)

    def left(self) -> int:
        """How many workers, the default one aside, are held by abandoned calls."""
        return sum(not worker.permanent for worker in self.abandoned)

    def stuck(self) -> AbandonedError | None:
        """Return why nobody who waits for a worker may hope for one, or None."""
        if self.left() - self.max_abandoned < self.bound:
            return None
        names = sorted(worker.work.name for worker in self.abandoned if worker.work is not None)
        return AbandonedError(
            f"all {self.bound} workers of the thread-sensitive pool {self.pool!r} are held by abandoned calls: "
            + ", ".join(names)
        )

    def refuse_line(self) -> list[Work]:
        """Take out what the leases in line wait with."""
        refused = [work for lease in self.waiting for work in lease.drop_backlog()]
        self.waiting.clear()
        return refused


@final
class WorkerLease:
    """One worker for one scope: see `asgikit.protocols.Lease`."""

    __slots__ = ("_backlog", "_permanent", "_process", "_released", "_state", "_worker", "thread_id")

    def __init__(self, state: LeaseState, *, permanent: bool = False) -> None:
        self._state = state
        self._permanent = permanent
        self._worker: LeaseWorker | None = None
        self._backlog: deque[Work] = deque()
        self._released = False
        self._process = state.fork.process
        self.thread_id: int | None = None

    @property
    def waiting(self) -> bool:
        return bool(self._backlog)

    def post(self, work: Work, /) -> None:
        if self._process != os.getpid():
            self._leave_parent()
        state = self._state
        with state.lock:
            if state.closed or self._released or sys.is_finalizing():
                raise self._refusal()
            worker = self._worker
            if worker is None or worker.abandoned:
                worker = self._other_worker(worker)
            if worker is None:
                self._backlog.append(work)
            else:
                worker.push(work)

    def _other_worker(self, worker: LeaseWorker | None) -> LeaseWorker | None:
        """Return a worker where there is none yet, or only one held by an abandoned call. With the lock held."""
        if worker is not None and self._state.on_abandon != "wait":
            worker = self._replace(worker)
        return self._ask() if worker is None else worker

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        work = FutureWork(fn, *args, **kwargs)
        self.post(work)
        return work.future

    def host(self, work: Work, /) -> Inbox | None:
        """Work of the same scope may run while a call of it waits; unrelated work on the default worker may not."""
        return None if self._permanent else self._worker

    def resume(self, work: Work, /) -> None:
        """Nothing was given up."""

    def abandon(self, work: Work, /) -> None:
        state = self._state
        refused: list[Work] = []
        refusal: AbandonedError | None = None
        with state.lock:
            worker = self._worker
            if worker is None or worker.work is not work or worker.abandoned:
                return
            worker.abandoned = True
            state.abandoned.add(worker)
            if worker.queued and state.on_abandon != "wait":  # others wait for this thread
                try:
                    self._replace(worker)
                except AbandonedError as error:
                    refused, refusal = worker.take_queued(), error
            state.call_up()
            if state.waiting and (stuck := state.stuck()) is not None:
                refused, refusal = refused + state.refuse_line(), stuck
        for waiting in refused:
            if refusal is not None:
                waiting.fail(refusal)

    def expire(self) -> None:
        with self._state.lock:
            if self._worker is not None or not self._backlog:
                return
            self._leave_line()
            refused = self.drop_backlog()
        bound = self._state.bound
        for work in refused:
            work.fail(LeaseTimeoutError(f"no worker of {bound} became free in time for {work.name}"))

    def release(self) -> None:
        state = self._state
        with state.lock:
            if self._released:
                return
            self._released = True
            worker, self._worker = self._worker, None
            self.thread_id = None
            refused = self.drop_backlog()
            if worker is None:
                self._leave_line()
            else:
                worker.release()
        for work in refused:
            work.fail(self._refusal())

    @property
    def running(self) -> Work | None:
        worker = self._worker
        return None if worker is None else worker.work

    @property
    def progress(self) -> int:
        worker = self._worker
        return 0 if worker is None else worker.progress

    def bind(self, worker: LeaseWorker) -> None:
        """Take `worker` and hand it what has been posted. Called with the lock held."""
        self._worker = worker
        self.thread_id = None if worker.thread is None else worker.thread.ident
        worker.begin()
        while self._backlog:
            worker.push(self._backlog.popleft())

    def drop_backlog(self) -> list[Work]:
        """Take out what waits for a worker. Called with the lock held."""
        dropped = list(self._backlog)
        self._backlog.clear()
        return dropped

    def _ask(self) -> LeaseWorker | None:
        """Get a worker or stand in line. Called with the lock held."""
        if self._backlog:
            return None  # in line already
        if not self._state.waiting or self._permanent:
            worker = self._state.worker_for(permanent=self._permanent)
            if worker is not None:
                self.bind(worker)
                return worker
        stuck = self._state.stuck()
        if stuck is not None:
            raise stuck
        self._state.waiting.append(self)
        return None

    def _replace(self, stuck: LeaseWorker) -> LeaseWorker | None:
        """Leave the worker with its abandoned call; what waited goes to another. Called with the lock held."""
        state = self._state
        name = "?" if stuck.work is None else stuck.work.name
        refused = (
            "" if state.on_abandon == "replace" else f"the thread of this scope is held by the abandoned call {name}"
        )
        if len(state.abandoned) > state.max_abandoned:
            refused = (
                f"{len(state.abandoned)} abandoned calls hold threads, more than the {state.max_abandoned} allowed"
            )
        if refused:
            raise AbandonedError(f"{refused}; it began to run and nobody waits for it any more")
        self._worker = self.thread_id = None
        self._backlog.extend(stuck.take_queued())
        stuck.release()
        stuck.permanent = False
        worker = state.worker_for(permanent=self._permanent)
        if worker is not None:
            self.bind(worker)
        elif self._backlog:
            state.waiting.append(self)
        return worker

    def _leave_parent(self) -> None:
        """In a forked child: forget the parent's worker, which does not exist here."""
        state = self._state
        state.fork.renew(state.reset)
        with state.lock:
            if self._process == state.fork.process:
                return  # another thread was faster
            self._worker = self.thread_id = None
            self._process = state.fork.process
            self._backlog.clear()
            if self._permanent and state.default is None:
                state.default = self

    def _leave_line(self) -> None:
        if self in self._state.waiting:
            self._state.waiting.remove(self)

    def _refusal(self) -> Exception:
        if self._state.closed or sys.is_finalizing():
            return closed_error(f"the thread-sensitive pool {self._state.pool!r}")
        return ScopeError("this thread-sensitive scope has ended")
