"""Starting daemon threads with names that say whose they are, and joining them within a time."""

import contextvars
import itertools
import logging
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from typing import TypeVar, final

from asgikit.errors import ClosedError, InterpreterExitError, UnsupportedRuntimeError

__all__ = ("ThreadNames", "bound_of", "closed_error", "end_all", "wait_for_idle")

_Count = TypeVar("_Count", bound=float)

_logger = logging.getLogger("asgikit")


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

        Raises:
            UnsupportedRuntimeError: gevent has replaced threads by greenlets (invariant L1).
            InterpreterExitError: the interpreter is exiting; Python 3.12 starts no threads for exit handlers.
            RuntimeError: the system has no thread to give.
        """
        _refuse_greenlets()
        thread = threading.Thread(target=target, name=f"asgikit-{self._pool}-{next(self._numbers)}", daemon=True)
        try:
            contextvars.Context().run(thread.start)  # 3.14 may let threads inherit their starter's context
        except RuntimeError as error:
            if "interpreter shutdown" in str(error):  # CPython says it in no other way
                raise _exiting(f"pool {self._pool!r}", "no new threads can be started") from error
            raise
        return thread


def _refuse_greenlets() -> None:
    """Refuse to take greenlets for threads: all of them share one thread, which can run but one event loop."""
    monkey = sys.modules.get("gevent.monkey")
    if monkey is not None and monkey.is_module_patched("threading"):
        message = (
            "gevent.monkey.patch_all() has replaced threads by greenlets, and asgikit needs threads: patch with"
            " patch_all(thread=False), or run this program without gevent"
        )
        raise UnsupportedRuntimeError(message)


def closed_error(what: str) -> ClosedError:
    """Return the error for work that comes too late: `what` is closed, or the interpreter is going down."""
    if sys.is_finalizing():
        return _exiting(what, "its threads are gone")
    return ClosedError(f"{what} is closed")


def _exiting(what: str, why: str) -> InterpreterExitError:
    return InterpreterExitError(
        f"the interpreter is exiting, and {why} for {what}; cross before, or once at least, so that there is a thread"
    )


def bound_of(max_workers: _Count | None) -> _Count | int:
    """Return how many threads a pool may have: by default `min(32, cpus + 4)`.

    Raises:
        ValueError: it may have none.
    """
    if max_workers is None:
        return min(32, (os.cpu_count() or 1) + 4)
    if max_workers < 1:
        message = f"max_workers must be at least 1, not {max_workers!r}"
        raise ValueError(message)
    return max_workers


def end_all(threads: Iterable[threading.Thread], grace: float, running: Callable[[], Iterable[str]]) -> None:
    """Join each thread but the calling one, all together within `grace` seconds; name what keeps the others."""
    deadline = time.monotonic() + grace
    left: list[str] = []
    for thread in threads:
        if thread is threading.current_thread():
            continue
        thread.join(max(0.0, min(deadline - time.monotonic(), threading.TIMEOUT_MAX)))
        if thread.is_alive():
            left.append(thread.name)
    if left and grace > 0:
        _logger.warning("left busy after %.1f s: %s, running %s", grace, ", ".join(left), ", ".join(running()))


def wait_for_idle(running: Callable[[], Iterable[str]], grace: float) -> None:
    """Wait until nothing is `running`, at most `grace` seconds, and name what still is. For interpreter exit."""
    deadline = time.monotonic() + grace
    while left := list(running()):
        if time.monotonic() >= deadline:
            _logger.warning("interpreter exit leaves these calls behind: %s", ", ".join(left))
            return
        time.sleep(0.005)  # nothing on the hot path shall pay for a notification that only exit needs
