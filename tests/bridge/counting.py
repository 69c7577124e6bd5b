"""Counts what asgikit does instead of timing it: a profile function on every thread sees each call.

Counted are calls that asgikit's own code makes, plus every start of a thread and every wake-up of a loop.
"""

import sys
import threading
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, Final

import asgikit

__all__ = ("COLUMNS", "Count", "counting")

COLUMNS: Final = ("queue puts", "loop wake-ups", "context copies", "threads started")

_OURS: Final = str(Path(asgikit.__file__).parent)
_BY_ASGIKIT: Final = {
    "SimpleQueue.put": "queue puts",
    "deque.append": "queue puts",
    "copy_context": "context copies",
    "Context.copy": "context copies",
}
_BY_ANYBODY: Final = {
    "BaseEventLoop.call_soon_threadsafe": "loop wake-ups",
    "Thread.start": "threads started",
}


class Count:
    """What was seen between `begin` and `end`."""

    def __init__(self) -> None:
        self._seen: list[str] = []  # appended to by all threads
        self._open = False
        self._left_out: set[int] = set()

    def begin(self) -> None:
        """Count from here on; what came before was warming up."""
        self._seen.clear()
        self._open = True

    def end(self) -> None:
        """Count no more."""
        self._open = False

    def leave_out_this_thread(self) -> None:
        """Count from here on only what other threads do."""
        self._left_out.add(threading.get_ident())

    def per(self, calls: int) -> dict[str, float]:
        """Return how many there were of each column for one of `calls` calls."""
        totals = Counter(self._seen)
        return {column: totals[column] / calls for column in COLUMNS}

    def profile(self, frame: FrameType, event: str, argument: Any) -> None:
        """See one event of the interpreter. Runs on every thread."""
        if not self._open or threading.get_ident() in self._left_out:
            return
        column = None
        if event == "c_call" and frame.f_code.co_filename.startswith(_OURS):
            column = _BY_ASGIKIT.get(argument.__qualname__)
        elif event == "call":
            column = _BY_ANYBODY.get(frame.f_code.co_qualname)
        if column is not None:
            self._seen.append(column)


@contextmanager
def counting() -> Generator[Count]:
    """Watch this thread and all that are started in the block."""
    count = Count()
    before, before_in_threads = sys.getprofile(), threading.getprofile()
    threading.setprofile(count.profile)
    sys.setprofile(count.profile)
    try:
        yield count
    finally:
        sys.setprofile(before)
        threading.setprofile(before_in_threads)
