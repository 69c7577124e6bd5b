"""Which event loop a cold `async_to_sync` gets, as the bridge sees it."""

from asyncio import AbstractEventLoop, Task
from typing import Protocol

__all__ = ("LoopEntry", "LoopRunner")


class LoopEntry(Protocol):
    """One coroutine call on its way to a loop. It knows by itself which thread waits for it."""

    @property
    def name(self) -> str:
        """What a report calls it, such as `shop.mail.send`."""
        ...

    def expect(self, loop: AbstractEventLoop, /) -> None:
        """`start` has been posted to `loop`: the waiting thread may watch whether that loop still runs."""

    def start(self, loop: AbstractEventLoop, /, *, prompt: bool) -> "Task[None]":
        """Make the task that runs the coroutine. Called once, on the thread of `loop`. The task never raises.

        With `prompt` the waiting thread is released at the coroutine's last step, else only by `finish`.
        """
        ...

    def finish(self) -> None:
        """Release the waiting thread: the task has ended and the loop is tidied up. Any thread; idempotent."""

    def fail(self, error: BaseException, /) -> None:
        """Release the waiting thread with `error`: the task never ran or never will end. Any thread."""


class LoopRunner(Protocol):
    """Gives coroutines an event loop. Implementations: per call, pooled, shared, in the calling thread."""

    def post(self, entry: LoopEntry, /) -> None:
        """Have `entry` started on a running loop and finished afterwards, or failed. May be called on any thread."""

    def scope(self) -> "LoopRunner":
        """Return a runner with one loop, for all calls of a `loop_scope`; whoever asked closes it."""
        ...

    def close(self, grace: float = ..., /) -> None:
        """Cancel what still runs, close the loops and end their threads, waiting at most `grace` seconds."""
