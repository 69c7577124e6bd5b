"""Leases: each holds no thread until work is posted to it, and then one until it is released.

Whoever posts never waits: work that finds no free worker stays with its lease, and leases get workers in the
order in which they asked.
"""

import os
import sys
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import ParamSpec, TypeVar, final

from asgikit.errors import AbandonedError, LeaseTimeoutError, ScopeError
from asgikit.executor import _lease_rules as rules
from asgikit.executor._lease_state import LeaseState
from asgikit.executor._lease_worker import LeaseWorker
from asgikit.executor._thread import closed_error
from asgikit.executor._work import FutureWork
from asgikit.protocols import Inbox, Work

__all__ = ("WorkerLease",)

_P = ParamSpec("_P")
_T = TypeVar("_T")


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
        refused: list[Work] | None = None
        with state.lock:
            released = self._released
            if state.closed or released or sys.is_finalizing():
                raise self._refusal()
            worker = self._worker
            if worker is None or worker.abandoned:
                worker = self._other_worker(worker)
            if worker is None:
                self._backlog.append(work)
            else:
                worker.push(work)
            if self._released:  # in the middle of this, by the garbage collector
                refused = self._part()
        if refused:
            self._refuse(refused)

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
            self._state.leave_line(self)
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
            refused = self._part()
        self._refuse(refused)

    @property
    def running(self) -> Work | None:
        worker = self._worker
        return None if worker is None else worker.work

    @property
    def progress(self) -> int:
        worker = self._worker
        return 0 if worker is None else worker.progress

    # What follows, to the next such line, is called with the lock held.

    def bind(self, worker: LeaseWorker) -> None:
        if self._released:  # on the way here
            self._state.back(worker)
            return
        self._worker = worker
        self.thread_id = None if worker.thread is None else worker.thread.ident
        worker.begin()
        while self._backlog:
            worker.push(self._backlog.popleft())

    def drop_backlog(self) -> list[Work]:
        dropped = list(self._backlog)
        self._backlog.clear()
        return dropped

    def _other_worker(self, worker: LeaseWorker | None) -> LeaseWorker | None:
        """Return a worker where there is none yet, or only one held by an abandoned call."""
        if worker is not None and self._state.on_abandon != "wait":
            worker = self._replace(worker)
        return self._ask() if worker is None else worker

    def _ask(self) -> LeaseWorker | None:
        """Get a worker or stand in line."""
        if self._backlog:
            return None  # in line already
        if not self._state.waiting or self._permanent:
            worker = self._state.worker_for(permanent=self._permanent)
            if worker is not None:
                self.bind(worker)
                return self._worker
        stuck = self._state.stuck()
        if stuck is not None:
            raise stuck
        self._state.stand_in_line(self)
        return self._worker

    def _replace(self, stuck: LeaseWorker) -> LeaseWorker | None:
        """Leave the worker with its abandoned call; what waited goes to another.

        Raises:
            AbandonedError: there may be no other, or the system has no thread for it.
        """
        state = self._state
        name = "?" if stuck.work is None else stuck.work.name
        refused = rules.no_replacement(state.on_abandon, name, len(state.abandoned), state.max_abandoned)
        if refused is not None:
            raise AbandonedError(refused)
        try:
            worker = state.worker_for(permanent=self._permanent)
        except RuntimeError as error:
            message = f"the abandoned call {name} holds the thread of this scope, and there is no other: {error}"
            raise AbandonedError(message) from error
        self._worker = self.thread_id = None
        self._backlog.extend(stuck.take_queued())
        stuck.release()
        stuck.permanent = False
        if worker is not None:
            self.bind(worker)
        elif self._backlog:
            state.stand_in_line(self)
        return self._worker

    def _part(self) -> list[Work]:
        """Leave the worker or the line, and return what will not run."""
        worker, self._worker = self._worker, None
        self.thread_id = None
        if worker is None:
            self._state.leave_line(self)
        else:
            worker.release()
        return self.drop_backlog()

    # What follows is called without the lock.

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

    def _refuse(self, works: Iterable[Work]) -> None:
        for work in works:
            work.fail(self._refusal())

    def _refusal(self) -> Exception:
        if self._state.closed or sys.is_finalizing():
            return closed_error(self._state.what)
        return ScopeError("this thread-sensitive scope has ended")
