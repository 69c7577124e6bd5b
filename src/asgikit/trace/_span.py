"""One crossing as it was recorded: what the pictures are drawn from."""

from dataclasses import dataclass
from typing import Literal, final

__all__ = ("Span",)


@final
@dataclass(frozen=True, slots=True)
class Span:
    """One crossing as it was recorded. Times are seconds since the first crossing of the trace was asked for.

    Attributes:
        number: counts the crossings in the order in which they were asked for, from 0.
        name: the function that was called.
        direction: `sync_to_async` ran it on a thread, `async_to_sync` on a loop.
        parent: the number of the crossing from inside which this one was made, or None.
        caller: the name of the thread that asked.
        thread: the name of the thread that ran it, or None if it never started.
        queued: when it was asked for.
        started: when it started, or None.
        finished: when it ended, or None.
        error: the type of what it raised, or None.
        abandoned: whether its caller stopped waiting before it had ended.
        report: what was said when it stalled, or None.
    """

    number: int
    name: str
    direction: Literal["sync_to_async", "async_to_sync"]
    parent: int | None
    caller: str
    thread: str | None
    queued: float
    started: float | None
    finished: float | None
    error: str | None
    abandoned: bool
    report: str | None
