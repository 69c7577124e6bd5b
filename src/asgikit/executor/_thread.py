"""Starting daemon threads with names that say whose they are, and joining them within a time."""

import contextvars
import itertools
import threading
import time
from collections.abc import Callable, Iterable
from typing import final

__all__ = ("ThreadNames", "default_bound", "join_all")


@final
class ThreadNames:
    """Starts the threads of one pool, named `asgikit-<pool>-<n>` with n counting up."""

    __slots__ = ("_numbers", "_pool")

    def __init__(self, pool: str) -> None:
        self._pool = pool
        self._numbers = itertools.count(1)

    def start(self, target: Callable[[], None]) -> threading.Thread:
        """Start a daemon thread on `target`, in an empty context: a pool must not keep its first caller's values.

        Daemon, because interpreter exit must not wait for a stuck call (invariant C2).
        """
        thread = threading.Thread(target=target, name=f"asgikit-{self._pool}-{next(self._numbers)}", daemon=True)
        contextvars.Context().run(thread.start)  # 3.14 may let threads inherit their starter's context
        return thread


def default_bound() -> int:
    """Return how many threads a pool has by default: `min(32, cpus + 4)`."""
    import os  # noqa: PLC0415 - asked once per pool

    return min(32, (os.cpu_count() or 1) + 4)


def join_all(threads: Iterable[threading.Thread], grace: float) -> list[threading.Thread]:
    """Join each thread but the calling one, all together within `grace` seconds; return those still alive."""
    deadline = time.monotonic() + grace
    left: list[threading.Thread] = []
    for thread in threads:
        if thread is threading.current_thread():
            continue
        thread.join(max(0.0, deadline - time.monotonic()))
        if thread.is_alive():
            left.append(thread)
    return left
