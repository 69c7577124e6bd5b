"""Time that the test owns: nothing here looks at a real clock, except to give up waiting."""

import asyncio
import threading
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import final

from asgikit.errors import StepTimeoutError
from asgikit.protocols import Cancellable

__all__ = ("ManualClock",)


class _Timer:
    """One callback that waits for its moment; called off from any thread."""

    __slots__ = ("_callback", "_context", "_forget", "_loop", "due")

    def __init__(
        self,
        due: float,
        loop: asyncio.AbstractEventLoop,
        callback: Callable[[], object],
        context: Context,
        forget: "Callable[[_Timer], None]",
    ) -> None:
        self.due = due
        self._loop = loop
        self._callback: Callable[[], object] | None = callback
        self._context = context
        self._forget = forget

    def cancel(self) -> None:
        """Call the timer off, also when it is on its way to the loop already. May be called on any thread."""
        self._callback = None
        self._forget(self)

    def post(self) -> bool:
        """Send the callback to its loop; say whether the loop could still take it."""
        try:
            self._loop.call_soon_threadsafe(self._run, context=self._context)
        except RuntimeError:  # the loop has been closed: a real loop drops its timers too
            return False
        return True

    def _run(self) -> None:
        callback, self._callback = self._callback, None
        if callback is not None:
            callback()


@final
class ManualClock:
    """A `asgikit.protocols.Clock` that stands still until the test calls `advance`.

    Every method may be called on any thread. Seconds everywhere.
    """

    def __init__(self, start: float = 0.0) -> None:
        """Start the clock at `start` seconds."""
        self._now = start
        self._timers: list[_Timer] = []
        self._changed = threading.Condition()

    def now(self) -> float:
        """Return the clock's own time in seconds."""
        with self._changed:
            return self._now

    def call_later(
        self, loop: asyncio.AbstractEventLoop, delay: float, callback: Callable[[], object], /
    ) -> Cancellable:
        """Call `callback` on `loop`, in the present context, once the clock has been advanced by `delay` seconds.

        A delay of zero or less fires at the next `advance`, however small; so does every timer: this
        clock never calls anything by itself.
        """
        with self._changed:
            timer = _Timer(self._now + max(delay, 0.0), loop, callback, copy_context(), self._forget)
            self._timers.append(timer)
            self._changed.notify_all()
        return timer

    def advance(self, seconds: float) -> int:
        """Move the time on by `seconds`, and send every callback that is due to its loop, the earliest first.

        Returns how many were sent; they have run when their loops have come round to them. What such a
        callback sets anew, however soon, waits for the next `advance`.

        Raises:
            ValueError: `seconds` is negative; a clock never goes back.
        """
        if seconds < 0:
            message = f"a clock never goes back: advance({seconds}) was asked for; give zero or more seconds"
            raise ValueError(message)
        with self._changed:
            self._now += seconds
            due = sorted((timer for timer in self._timers if timer.due <= self._now), key=lambda timer: timer.due)
            self._timers = [timer for timer in self._timers if timer.due > self._now]
        return sum(timer.post() for timer in due)

    def pending(self) -> int:
        """Return how many timers are set and have neither fired nor been cancelled."""
        with self._changed:
            return len(self._timers)

    def wait_for_timers(self, count: int = 1, *, timeout: float = 5.0) -> None:
        """Block this thread until at least `count` timers are set: the code under test has begun to wait.

        `timeout` is in real seconds. Not for the thread that runs the loop: nothing would set a timer meanwhile.

        Raises:
            StepTimeoutError: fewer timers were set in that time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._timers) >= count, timeout):
                message = f"{len(self._timers)} timers were set within {timeout} s, the test waits for {count}"
                raise StepTimeoutError(message)

    def _forget(self, timer: _Timer) -> None:
        with self._changed:
            if timer in self._timers:
                self._timers.remove(timer)
