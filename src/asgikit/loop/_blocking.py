"""Calling async code from a thread whose own event loop is running: notebooks, callbacks, async tests."""

from typing import final

from asgikit.protocols import LoopEntry, LoopRunner

__all__ = ("BlockingLoopRunner",)


@final
class BlockingLoopRunner:
    """Lets `async_to_sync` be called on a thread that runs an event loop, and blocks that loop (invariant F2).

    The coroutine runs on a loop of `runner`, on another thread; the calling thread's own loop stands still
    until it has ended. A coroutine that comes back to the loop standing still through `loop=` gets a
    DeadlockError; one that waits for it in a way of its own waits for ever, which is why this is no default.

    Args:
        runner: gives the loops; whoever made it closes it.
    """

    blocks_running_loop = True

    def __init__(self, runner: LoopRunner) -> None:
        self._runner = runner

    def post(self, entry: LoopEntry, /) -> None:
        """Run `entry` on a loop of the inner runner. May be called on any thread."""
        self._runner.post(entry)

    def scope(self) -> LoopRunner:
        """Return what the inner runner returns."""
        return self._runner.scope()

    def close(self, grace: float = 2.0, /) -> None:
        """The inner runner is not this one's to close."""
