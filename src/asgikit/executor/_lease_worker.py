"""One worker thread that is leased: its inbox, its hooks, and the moment at which it is free again.

Orders to the thread (a lease begins, a lease ends, end) are marks set under the pool's lock, followed by
a wake-up; they are never items of the inbox, because a host nested in a call reads that inbox too.
"""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Protocol, final

from asgikit.protocols import Work

__all__ = ("Hooks", "LeaseWorker", "WorkerOwner")

_logger = logging.getLogger("asgikit")


@final
@dataclass(frozen=True, slots=True)
class Hooks:
    """What a pool's user wants to run on the worker threads; None costs nothing."""

    worker_start: Callable[[], object] | None = None
    lease_start: Callable[[], object] | None = None
    lease_end: Callable[[], object] | None = None
    worker_end: Callable[[], object] | None = None


class WorkerOwner(Protocol):
    """The pool, as its workers see it."""

    lock: threading.RLock
    hooks: Hooks
    workers: "set[LeaseWorker]"

    def back(self, worker: "LeaseWorker", /) -> None:
        """`worker` has ended its lease and may have another. Called with the lock held."""

    def recovered(self, worker: "LeaseWorker", /) -> None:
        """The abandoned call of `worker` has ended after all. Called with the lock held."""


@final
class LeaseWorker:
    """A worker thread and its inbox (`asgikit.protocols.Inbox`; hosts on this thread read it too)."""

    __slots__ = (
        "_begun",
        "_busy",
        "_ended",
        "_ending",
        "_owner",
        "_posted",
        "_queue",
        "_releasing",
        "_starting",
        "_taken",
        "abandoned",
        "permanent",
        "thread",
        "work",
    )

    def __init__(self, owner: WorkerOwner) -> None:
        self._owner = owner
        self._queue: SimpleQueue[Work | None] = SimpleQueue()
        self._posted = 0  # items put in; changed under the lock
        self._taken = 0  # items taken out; changed by the worker thread alone
        self._busy = False
        self._begun = False  # the hook of a lease has run; the worker thread's own mark
        self._starting = self._ended = self._releasing = self._ending = False
        self.abandoned: bool = False
        self.permanent: bool = False  # it serves the default lease, and does not count towards the bound
        self.thread: threading.Thread | None = None
        self.work: Work | None = None

    def put(self, item: Work | None, /) -> None:
        """Append an item, or wake the reader with None. Any thread; takes the lock."""
        if item is not None:
            with self._owner.lock:
                self._posted += 1
        self._queue.put(item)

    def get(self, block: bool = True, timeout: float | None = None) -> Work | None:
        """Take the oldest item. Called on the worker thread only."""
        item = self._queue.get(block, timeout)
        if item is not None:
            self._busy = True  # before `_taken` catches up: at no moment may a busy worker look idle
            self._taken += 1
        return item

    def serve(self) -> None:
        """Run work and follow orders until told to end. Runs on the worker thread."""
        hooks = self._owner.hooks
        _call(hooks.worker_start)
        queue = self._queue
        while True:
            work = queue.get()
            if work is not None:  # as in `get`
                self._busy = True
                self._taken += 1
            if self._starting or self._ended or self._releasing:
                self._turn_over()
            if work is not None:
                self._run(work)
                del work  # an idle worker keeps nothing of its last call
            if self._ending and self._queue.empty():
                break
        if self._begun:
            _call(hooks.lease_end)
        _call(hooks.worker_end)
        with self._owner.lock:
            self._owner.workers.discard(self)

    def _run(self, work: Work) -> None:
        self.work = work
        work.run()
        owner = self._owner
        with owner.lock:  # before anybody hears of the outcome and posts again
            self.work = None
            self._busy = False
            if self.abandoned:
                self.abandoned = False
                owner.recovered(self)
        work.deliver()
        del work  # this frame is part of an error's traceback, which must not lead back to it (invariant I2)
        if self._releasing:
            self._turn_over()

    def _turn_over(self) -> None:
        """Run the hooks of a lease that ended and of one that begins."""
        owner = self._owner
        with owner.lock:
            free = self._releasing and not self._occupied()
            ended = self._ended or free
            starting = self._starting
            self._ended = self._starting = False
            self._releasing = self._releasing and not free
        if ended and self._begun:
            self._begun = False
            _call(owner.hooks.lease_end)
        if starting:
            self._begun = True
            _call(owner.hooks.lease_start)
        if free:
            with owner.lock:
                owner.back(self)

    # What follows is called with the lock held.

    def _occupied(self) -> bool:
        return self._busy or self._posted != self._taken

    @property
    def progress(self) -> int:
        """How many items have been taken out."""
        return self._taken

    @property
    def queued(self) -> bool:
        """Whether items wait behind the running one."""
        return self._posted != self._taken

    def push(self, work: Work) -> None:
        """Append an item; the lock is held."""
        self._posted += 1
        self._queue.put(work)

    def begin(self) -> None:
        """A lease takes this worker."""
        self._starting = True

    def release(self) -> None:
        """The lease posts no more: the worker is free now, or once it has run what it has."""
        if self._occupied():
            self._releasing = True  # the worker gives itself back
        else:
            self._ended = True  # the worker still has to run the hook, but the next lease may queue behind it
            self._owner.back(self)
        if self._owner.hooks.lease_end is not None:
            self._queue.put(None)

    def end(self) -> None:
        """End the thread once the inbox is empty."""
        self._ending = True
        self._queue.put(None)

    def take_queued(self) -> list[Work]:
        """Take out what waits behind the running item."""
        taken: list[Work] = []
        while True:
            try:
                item = self._queue.get(block=False)
            except Empty:
                return taken
            if item is not None:
                taken.append(item)
                self._posted -= 1


def _call(hook: Callable[[], object] | None) -> None:
    """Call a user's hook; its failure must not take the worker down."""
    if hook is None:
        return
    try:
        hook()
    except BaseException:  # SystemExit too, which would end the thread and leave its callers waiting
        _logger.exception("the hook %r failed on thread %r", hook, threading.current_thread().name)
