"""The clock of the operating system."""

import time
from asyncio import AbstractEventLoop, TimerHandle
from collections.abc import Callable
from typing import final

__all__ = ("MonotonicClock",)


@final
class MonotonicClock:
    """`time.monotonic` and the timers of the event loop: the clock of every part that is given none."""

    def now(self) -> float:
        """Return `time.monotonic()`, in seconds. Any thread."""
        return time.monotonic()

    def call_later(self, loop: AbstractEventLoop, delay: float, callback: Callable[[], object], /) -> TimerHandle:
        """Call `callback` on `loop` in `delay` seconds. Called on the thread that runs `loop`."""
        return loop.call_later(delay, callback)
