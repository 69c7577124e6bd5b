"""What both pools of threads share: how they end."""

import threading
from concurrent.futures import Executor
from typing import Protocol, TypeVar

from asgikit.errors import ClosedError
from asgikit.executor._owner import Owned, Owner
from asgikit.executor._thread import end_all, wait_for_idle
from asgikit.executor._work import drop
from asgikit.protocols import Work

__all__ = ("PoolState", "ThreadPool")


class PoolState(Owned, Protocol):
    """What the threads of a pool share."""

    def names_running(self) -> list[str]:
        """Name what is running or queued. Takes the lock."""
        ...

    def stop(self, *, cancel_queued: bool) -> tuple[list[threading.Thread], list[Work]]:
        """Have every thread end once it has run what is queued; return the threads, and what will never run."""
        ...


_S = TypeVar("_S", bound=PoolState)


class ThreadPool(Owner[_S], Executor):
    """The shell of a pool. Any thread may call any method."""

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

    def _stop(self, *, cancel_queued: bool = False) -> list[threading.Thread]:
        state = self._here()
        threads, refused = state.stop(cancel_queued=cancel_queued)
        for work in refused:
            drop(work, ClosedError(f"{state.what} was closed before {work.name} could run"), quietly=cancel_queued)
        return threads
