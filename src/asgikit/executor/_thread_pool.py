"""What both pools of threads share: how they end, and what happens when their owner forgets them."""

import sys
import threading
import warnings
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Generic, Protocol, TypeVar

from asgikit.errors import ClosedError
from asgikit.executor._fork import ForkGuard
from asgikit.executor._thread import end_all, wait_for_idle
from asgikit.executor._work import drop
from asgikit.protocols import Work

__all__ = ("PoolState", "ThreadPool")


class PoolState(Protocol):
    """What the threads of a pool share. It does not know the pool, so that a forgotten pool can be collected."""

    closed: bool
    fork: ForkGuard

    @property
    def what(self) -> str:
        """What messages call the pool."""
        ...

    def reset(self) -> None:
        """Start empty: at birth, and in a forked child, where none of the parent's threads exists."""

    def populated(self) -> bool:
        """Whether there are threads."""
        ...

    def names_running(self) -> list[str]:
        """Name what is running or queued. Takes the lock."""
        ...

    def stop(self, *, cancel_queued: bool) -> tuple[list[threading.Thread], list[Work]]:
        """Have every thread end once it has run what is queued; return the threads, and what will never run."""
        ...


_S = TypeVar("_S", bound=PoolState)


class ThreadPool(Executor, Generic[_S]):
    """The shell of a pool. A pool that is forgotten while it has threads is a ResourceWarning."""

    def __init__(self, state: _S) -> None:
        self._state: _S = state

    @property
    def started(self) -> bool:
        """Whether there are threads."""
        return self._here().populated()

    def close(self, grace: float = 2.0, /) -> None:
        """Refuse new work, run what is queued, and end the threads, waiting at most `grace` seconds. Idempotent."""
        end_all(self._stop(), grace, self._here().names_running)

    def drain(self, grace: float, /) -> None:
        """Wait at most `grace` seconds until nothing is queued or running, and log the names of what still is."""
        wait_for_idle(self._here().names_running, grace)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the threads as `concurrent.futures.Executor` says; with `wait`, without limit of time."""
        threads = self._stop(cancel_queued=cancel_futures)
        if wait:
            end_all(threads, threading.TIMEOUT_MAX, self._here().names_running)

    def _here(self) -> _S:
        """Return the state, begun anew in a forked child."""
        state = self._state
        if state.fork.inherited:
            state.fork.renew(state.reset)
        return state

    def _stop(self, *, cancel_queued: bool = False) -> list[threading.Thread]:
        state = self._here()
        threads, refused = state.stop(cancel_queued=cancel_queued)
        for work in refused:
            drop(work, ClosedError(f"{state.what} was closed before {work.name} could run"), quietly=cancel_queued)
        return threads

    def __del__(self, _finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        if _finalizing():  # bound early: this module's names may be gone by then
            return
        state: PoolState | None = getattr(self, "_state", None)
        if state is None or state.closed or state.fork.inherited or not state.populated():
            return
        warnings.warn(f"{state.what} was never closed", ResourceWarning, source=self, stacklevel=2)
        self._stop()
