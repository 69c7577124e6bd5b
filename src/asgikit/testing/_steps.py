"""An interleaving written down and forced: numbered steps that threads and tasks take in order.

One object, one counter: step 1, then step 2, and so on, whichever thread or task takes them. A step is
*reached* when every step before it is done; it is *done* when the block under it has ended. Whoever waits
too long breaks the whole sequence, so that a test ends with one clear error instead of many.
"""

import asyncio
import threading
from types import TracebackType
from typing import final

from asgikit.errors import StepTimeoutError

__all__ = ("Step", "Steps")


@final
class Steps:
    """Numbered steps, starting with 1, that threads and tasks take strictly in order.

    A thread and the test, for example::

        def worker() -> None:
            steps.reach(2)

        steps.reach(1)
        with steps(3):
            ...  # the worker has passed its step; step 4 is not reached before this block ends

    `reach` and `with` block the thread, `areach` and `async with` only the task. Any thread, any loop.
    """

    def __init__(self, *, timeout: float = 5.0) -> None:
        """Give up after `timeout` seconds of waiting for one step."""
        self._timeout = timeout
        self._changed = threading.Condition()
        self._done = 0
        self._waiting: dict[int, str] = {}
        self._sleepers: dict[int, tuple[asyncio.AbstractEventLoop, asyncio.Event]] = {}
        self._taken: dict[int, str] = {}
        self._broken: str | None = None

    def __call__(self, number: int) -> "Step":
        """Return step `number` as a block for `with` or `async with`."""
        return Step(self, number)

    def reach(self, number: int) -> None:
        """Block this thread until every step before `number` is done, then count `number` as done.

        Raises:
            StepTimeoutError: an earlier step is missing; the message says which, and who waits for what.
            ValueError: the step was taken already, or is not a positive number.
        """
        with self(number):
            pass

    async def areach(self, number: int) -> None:
        """Do as `reach` does, without blocking the loop.

        Raises:
            StepTimeoutError: an earlier step is missing; the message says which, and who waits for what.
            ValueError: the step was taken already, or is not a positive number.
        """
        async with self(number):
            pass

    def done(self) -> int:
        """Return the number of the last step that is done; 0 when there is none."""
        with self._changed:
            return self._done

    def _enter(self, number: int) -> None:
        with self._changed:
            self._announce(number, f"thread {threading.current_thread().name!r}")
            self._changed.wait_for(lambda: self._may_take(number), self._timeout)
            self._settle(number)

    async def _aenter(self, number: int) -> None:
        woken = asyncio.Event()
        with self._changed:
            self._announce(number, _task_name())
            if not self._may_take(number):
                self._sleepers[number] = (asyncio.get_running_loop(), woken)
            else:
                woken.set()
        try:
            async with asyncio.timeout(self._timeout):
                await woken.wait()
        except TimeoutError:
            pass  # _settle finds the step out of reach and says so
        except asyncio.CancelledError:
            self._leave(number)
            raise
        with self._changed:
            self._settle(number)

    def _finish(self, number: int) -> None:
        with self._changed:
            self._done = number
            self._wake()

    def _announce(self, number: int, who: str) -> None:
        if number < 1:
            message = f"steps are numbered from 1: {number} was asked for"
            raise ValueError(message)
        if number in self._taken:
            message = f"step {number} was taken already, by {self._taken[number]}; now {who} wants it"
            raise ValueError(message)
        self._taken[number] = self._waiting[number] = who

    def _may_take(self, number: int) -> bool:
        return self._broken is not None or self._done == number - 1

    def _settle(self, number: int) -> None:
        """End the wait for `number`: it is reached, or the sequence is broken."""
        self._sleepers.pop(number, None)
        if self._broken is None and self._done != number - 1:
            self._broken = self._report(number)
            self._wake()
        self._waiting.pop(number)
        if self._broken is not None:
            raise StepTimeoutError(self._broken)

    def _leave(self, number: int) -> None:
        with self._changed:
            self._sleepers.pop(number, None)
            self._waiting.pop(number)
            self._taken.pop(number)

    def _wake(self) -> None:
        self._changed.notify_all()
        for number, (loop, woken) in list(self._sleepers.items()):
            if self._may_take(number) and not loop.is_closed():
                loop.call_soon_threadsafe(woken.set)

    def _report(self, number: int) -> str:
        missing = self._done + 1
        taker = self._taken.get(missing)
        fault = f"{taker} took it and has not left its block" if taker else "nobody has come for it"
        waiting = ", ".join(f"step {step}: {who}" for step, who in sorted(self._waiting.items()))
        passed = ", ".join(f"step {step}: {who}" for step, who in sorted(self._taken.items()) if step <= self._done)
        return (
            f"step {number} was not reached within {self._timeout} s, because step {missing} is missing: {fault}."
            f" Waiting are {waiting}. Done are {passed or 'none'}."
        )


@final
class Step:
    """One step of `Steps` as a block: entered when its turn has come, done when the block ends."""

    __slots__ = ("_number", "_steps")

    def __init__(self, steps: Steps, number: int) -> None:
        """Belong to `steps`; made by calling it."""
        self._steps = steps
        self._number = number

    def __enter__(self) -> None:
        """Block this thread until the step is reached.

        Raises:
            StepTimeoutError: an earlier step is missing.
            ValueError: the step was taken already, or is not a positive number.
        """
        self._steps._enter(self._number)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Count the step as done, also after an error in the block."""
        self._steps._finish(self._number)

    async def __aenter__(self) -> None:
        """Wait in this task until the step is reached.

        Raises:
            StepTimeoutError: an earlier step is missing.
            ValueError: the step was taken already, or is not a positive number.
        """
        await self._steps._aenter(self._number)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Count the step as done, also after an error in the block."""
        self._steps._finish(self._number)


def _task_name() -> str:
    task = asyncio.current_task()
    return f"task {task.get_name()!r} on thread {threading.current_thread().name!r}" if task else "a callback"
