"""Leased worker threads: one thread for all that one scope runs, reused by the next scope."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import Literal, ParamSpec, TypeVar, final

from asgikit.executor._counters import PoolCounters
from asgikit.executor._lease import WorkerLease
from asgikit.executor._lease_state import LeaseState
from asgikit.executor._lease_worker import Hooks
from asgikit.executor._thread import bound_of
from asgikit.executor._thread_pool import ThreadPool
from asgikit.executor._work import FutureWork

__all__ = ("ThreadSensitivePool",)

_P = ParamSpec("_P")
_T = TypeVar("_T")


@final
class ThreadSensitivePool(ThreadPool[LeaseState]):
    """Leases one worker thread to each scope, at most `max_workers` at a time, and reuses them.

    Args:
        max_workers: how many workers, leased and idle; None means `min(32, cpus + 4)`. Scopes beyond it wait
            in the order in which they asked. The default worker, which serves all work outside scopes, is
            not counted.
        name: the middle of the thread names, `asgikit-<name>-<n>`.
        lease_timeout: seconds that a scope waits for a worker before its calls fail with `LeaseTimeoutError`.
        on_abandon: what happens to a worker held by a call that nobody waits for any more when other calls
            of its scope want to run: `replace` gives them a fresh worker, `wait` queues them behind the call,
            `fail` refuses them with `AbandonedError`.
        max_abandoned: how many such workers do not count towards `max_workers`; beyond it calls that would
            need a further one are refused with `AbandonedError`.
        on_worker_start, on_lease_start, on_lease_end, on_worker_end: called without arguments on the worker
            thread itself, for what belongs to a thread (a database connection). What they raise is logged.

    Raises:
        ValueError: `max_workers` is less than 1, or `on_abandon` is no such word.

    Any thread may call any method. A pool that is forgotten while it has threads is a ResourceWarning.
    """

    def __init__(
        self,
        max_workers: int | None = None,
        *,
        name: str = "sensitive",
        lease_timeout: float | None = None,
        on_abandon: Literal["replace", "wait", "fail"] = "replace",
        max_abandoned: int = 32,
        on_worker_start: Callable[[], object] | None = None,
        on_lease_start: Callable[[], object] | None = None,
        on_lease_end: Callable[[], object] | None = None,
        on_worker_end: Callable[[], object] | None = None,
    ) -> None:
        if on_abandon not in {"replace", "wait", "fail"}:
            message = f"on_abandon must be 'replace', 'wait' or 'fail', not {on_abandon!r}"
            raise ValueError(message)
        self._lease_timeout = lease_timeout
        hooks = Hooks(on_worker_start, on_lease_start, on_lease_end, on_worker_end)
        super().__init__(LeaseState(name, bound_of(max_workers), max_abandoned, on_abandon, hooks))

    @property
    def lease_timeout(self) -> float | None:
        """Seconds that a scope waits for a free worker; None waits without limit."""
        return self._lease_timeout

    def default(self) -> WorkerLease:
        """Return the one lease shared by all work outside any scope; its worker is not counted."""
        state = self._here()
        with state.lock:
            if state.default is None:
                state.default = WorkerLease(state, permanent=True)
            return state.default

    def lease(self) -> WorkerLease:
        """Return a new lease, which holds no worker until work is posted to it."""
        return WorkerLease(self._here())

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Have `fn(*args, **kwargs)` run on the default worker, and return the future of its result.

        Raises:
            ClosedError: the pool is closed.
            AbandonedError: an abandoned call holds the default worker and may not be replaced.
        """
        work = FutureWork(fn, *args, **kwargs)
        self.default().post(work)
        return work.future

    @property
    def counters(self) -> PoolCounters:
        """How many workers there are and what they are doing, at this moment."""
        state = self._here()
        with state.lock:
            return PoolCounters(
                started=state.started,
                busy=len(state.workers) - len(state.idle) - len(state.abandoned),
                idle=len(state.idle),
                abandoned=len(state.abandoned),
                queued=len(state.waiting),
            )
