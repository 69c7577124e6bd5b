"""A fresh event loop in the calling thread itself: for coroutines that need the main thread."""

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import final

from asgikit.loop._per_call import run_and_tidy
from asgikit.loop._shared import SharedLoopRunner
from asgikit.protocols import LoopEntry

__all__ = ("CallingThreadLoopRunner",)


@final
class CallingThreadLoopRunner:
    """A fresh loop per call, run by the calling thread as `asyncio.run` does (invariant C4).

    On the main thread the coroutine may install signal handlers and watch child processes. The thread cannot
    host meanwhile, so thread-sensitive calls go to a leased or the default worker.

    Args:
        loop_factory: makes the loops; `uvloop.new_event_loop` fits.
    """

    runs_on_calling_thread = True

    def __init__(self, *, loop_factory: Callable[[], AbstractEventLoop] = asyncio.new_event_loop) -> None:
        self._loop_factory = loop_factory

    def post(self, entry: LoopEntry, /) -> None:
        """Run `entry` to its end, on the calling thread.

        Raises:
            KeyboardInterrupt: Ctrl-C came; the coroutine was cancelled and has cleaned up.
            LoopUnavailableError: the loop was stopped; likewise.
        """
        loop = self._loop_factory()
        try:
            run_and_tidy(entry, loop)
        finally:
            try:
                loop.close()
            finally:  # a loop of others may refuse, and that is told to the caller, who has to hear of the end too
                entry.finish()

    def scope(self) -> SharedLoopRunner:
        """Return a runner with one loop from the same factory, on a thread of its own."""
        return SharedLoopRunner(loop_factory=self._loop_factory, name="loop-scope")

    def close(self, grace: float = 2.0, /) -> None:
        """Nothing is kept between calls."""
