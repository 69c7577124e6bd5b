"""What a test may leave behind: nothing.

A `Snapshot` is taken before a test; `leaks` compares the world after it. Threads that are on their way out
are joined first, within one bounded time for all of them. What exists before a test is set aside by
`gc.freeze`, so that collecting garbage after it, and looking for what it left, costs next to nothing.
"""

import asyncio
import gc
import logging
import sys
import threading
import time
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

JOIN_SECONDS = 2.0


@dataclass(frozen=True)
class Snapshot:
    """Which threads there are; whatever else there is, is set aside."""

    threads: frozenset[threading.Thread]

    @classmethod
    def take(cls) -> "Snapshot":
        """Look at the process as it is now."""
        gc.freeze()
        return cls(frozenset(threading.enumerate()))

    def leaks(self) -> list[str]:
        """Say what has appeared since and is still there; collect garbage, so that dropped owners complain."""
        gc.collect()
        threads = still_alive(thread for thread in threading.enumerate() if thread not in self.threads)
        return [*map(describe_thread, threads), *map(describe_loop, open_loops())]


def still_alive(threads: Iterable[threading.Thread], seconds: float = JOIN_SECONDS) -> list[threading.Thread]:
    """Join `threads`, at most `seconds` for all of them together, and return those that are still alive."""
    deadline = time.monotonic() + seconds
    threads = [thread for thread in threads if thread is not threading.current_thread()]
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [thread for thread in threads if thread.is_alive()]


def open_loops() -> Iterator[asyncio.AbstractEventLoop]:
    """Find every event loop that was made since the snapshot and has not been closed."""
    for candidate in gc.get_objects():
        # type(), not isinstance(): proxies run code of their own for the latter
        if issubclass(type(candidate), asyncio.AbstractEventLoop) and not candidate.is_closed():
            yield candidate


def describe_thread(thread: threading.Thread) -> str:
    """Name a thread and show where it is."""
    frame = sys._current_frames().get(thread.ident or 0)
    stack = "".join(traceback.format_stack(frame)) if frame else "(no Python frame)\n"
    return f"leaked thread {thread.name!r} (daemon={thread.daemon}), at\n{stack}"


def describe_loop(loop: asyncio.AbstractEventLoop) -> str:
    """Name a loop and the tasks that wait in it."""
    tasks = "".join(f"\n  {task!r}" for task in asyncio.all_tasks(loop))
    return f"unclosed event loop {loop!r}{tasks and ', with the tasks'}{tasks}"


class AsyncioErrors(logging.Handler):
    """Collects what asyncio can only log: tasks destroyed while pending, exceptions that nobody retrieved."""

    def __init__(self) -> None:
        """Collect nothing yet."""
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record for the end of the test."""
        self.records.append(record)

    def leaks(self) -> list[str]:
        """Say what asyncio complained of."""
        return [f"asyncio logged: {logging.Formatter().format(record)}" for record in self.records]
