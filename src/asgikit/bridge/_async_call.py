"""One coroutine call made from sync code, from the loop to its outcome: the work of `async_to_sync`.

The calling thread makes it and then hosts: it runs what comes for it until the outcome is there. The loop's
thread runs the coroutine in a task. A look every tenth of a second finds loops that have gone away.
"""

import logging
import threading
from asyncio import AbstractEventLoop, CancelledError, Task, current_task
from collections.abc import Awaitable, Callable
from contextlib import suppress
from contextvars import Context, copy_context
from inspect import isawaitable
from types import CoroutineType
from typing import Any, Final, final

from asgikit.bridge import _chain
from asgikit.bridge._context import changed, write_back
from asgikit.bridge._links import HostLink
from asgikit.bridge._step import create_task, start_task
from asgikit.bridge._watch import Watch
from asgikit.errors import LoopUnavailableError, WrapError
from asgikit.executor import CurrentThreadExecutor, name_of, without_this_frame
from asgikit.loop import start_on
from asgikit.protocols import Clock

__all__ = ("AsyncCall",)

LOOK_EVERY: Final = 0.1
STOPPED_LOOKS: Final = 10  # a loop may stop for a moment, between two run_until_complete

_logger = logging.getLogger("asgikit")
_UNSET: Final = object()


@final
class AsyncCall:
    """A call of a coroutine function on its way (`asgikit.protocols.LoopEntry`)."""

    __slots__ = (
        "_after",
        "_args",
        "_before",
        "_begun",
        "_cancelled",
        "_clock",
        "_deadline",
        "_ended",
        "_error",
        "_fn",
        "_grace",
        "_kwargs",
        "_loop",
        "_process",
        "_stopped",
        "_timed_out",
        "_timeout",
        "_value",
        "_writes_back",
        "done",
        "hidden_loop",
        "hidden_task",
        "host",
        "insists",
        "link",
        "outer_host",
        "task",
        "watch",
    )

    def __init__(
        self,
        fn: Callable[..., Awaitable[Any]],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        link: HostLink,
        clock: Clock,
        timeout: float | None,
        grace: float,
        *,
        writes_back: bool,
    ) -> None:
        self._fn = fn
        self._args = args
        self._kwargs = kwargs
        self.link: HostLink = link
        self.host: CurrentThreadExecutor = link.home
        self._clock = clock
        self._timeout = timeout
        self._grace = grace
        self._writes_back = writes_back
        self._deadline = None if timeout is None else clock.now() + timeout
        self._before: Context = copy_context()
        self._before.run(_chain.current.set, link)
        self._after: Context | None = None
        self._process = _chain.process.token
        self._loop: AbstractEventLoop | None = None
        self.task: Task[None] | None = None
        self._value: Any = _UNSET
        self._error: BaseException | None = None
        self._begun = False  # the task is being made, which may take its first step at once, or is there
        self._cancelled = False  # the task is to be cancelled, and has not been yet
        self._timed_out = False
        self._ended = False  # the coroutine is over; the loop may still be tidied up
        self._stopped = 0
        self.done: bool = False
        self.hidden_loop: AbstractEventLoop | None = None  # the calling thread's own, standing still meanwhile
        self.hidden_task: Task[Any] | None = None  # the task that was running on it
        self.outer_host: CurrentThreadExecutor | None = None
        self.insists: bool = False  # to run, although nobody may wait for its caller any more
        self.watch: Watch | None = None  # None: nobody wants to know

    @property
    def name(self) -> str:
        return name_of(self._fn)

    @property
    def ended(self) -> bool:
        """Whether the coroutine is over, though the loop may still be tidied up."""
        return self._ended

    # On the thread of the loop

    def expect(self, loop: AbstractEventLoop, /) -> None:
        self._loop = loop

    def start(self, loop: AbstractEventLoop, /, *, prompt: bool) -> "Task[None]":
        self._loop = loop
        self._begun = True
        if threading.get_ident() == self.host.thread_id:
            self.link.hosting = False  # that thread runs the loop itself, and cannot watch the time
            if self._deadline is not None:
                self._clock.call_later(loop, self._deadline - self._clock.now(), self._expire)
        coroutine = self._main(prompt=prompt)
        try:
            if not self._cancelled and current_task(loop) is None:
                self.task = task = start_task(loop, coroutine, self._before)
            else:
                # Not `context=`: task factories written before 3.11 do not take it.
                self.task = task = self._before.run(create_task, loop, coroutine)
        except BaseException:
            coroutine.close()
            raise
        self._cancel_task(None)
        return task

    async def _main(self, *, prompt: bool) -> None:
        watch = self.watch
        try:
            if watch is not None:
                watch.started()
            awaitable = self._fn(*self._args, **self._kwargs)
            if type(awaitable) is not CoroutineType:
                _check_awaitable(self._fn, awaitable)
            self._value = await awaitable
        except BaseException as error:
            self._error = without_this_frame(error)
        if watch is not None:
            self._tell_end(watch)
        self._after = copy_context()
        self._ended = True
        if prompt and not self.done:
            self.finish()
        elif self.done and self._error is not None and not isinstance(self._error, CancelledError | GeneratorExit):
            _logger.error("%s failed after its caller had stopped waiting", self.name, exc_info=self._error)

    def _tell_end(self, watch: Watch) -> None:
        try:
            watch.finished(self._error)
        except BaseException as error:  # Ctrl-C in an observer is the outcome, as it is in the coroutine
            self._error = without_this_frame(error)

    def _cancel_task(self, missed: Callable[[], object] | None) -> None:
        task = self.task
        if task is None or not self._cancelled:
            return  # not started, and `start` will see the mark; or it has, and nobody is cancelled twice for one call
        if task.cancel():
            self._cancelled = False
        elif missed is not None:
            missed()

    def _expire(self) -> None:
        if not self._ended:
            self._timed_out = True
            self.cancel()

    # On any thread

    def post_to(self, loop: AbstractEventLoop) -> None:
        """Run on `loop`, which runs on another thread.

        Raises:
            LoopUnavailableError: it is closed.
        """
        self._loop = loop
        try:
            loop.call_soon_threadsafe(start_on, loop, self)
        except RuntimeError as closed:
            message = f"the event loop that {self.name} would run on is closed"
            raise LoopUnavailableError(message) from closed

    def finish(self) -> None:
        if not self.done:
            self.done = True
            self.host.wake()

    def fail(self, error: BaseException, /) -> None:
        # What ends a loop outweighs the cancellation that it caused, and SystemExit outweighs any outcome.
        if not self._ended or isinstance(self._error, CancelledError) or not isinstance(error, Exception):
            self._error = error
            self._ended = True
        self.finish()

    def cancel(self, missed: Callable[[], object] | None = None) -> None:
        """Cancel the coroutine; `missed` is called if it had ended already."""
        self._cancelled = True
        loop = self._loop
        if loop is None:
            return  # not posted yet: `start` will see the mark
        try:
            loop.call_soon_threadsafe(self._cancel_task, missed)
        except RuntimeError:  # closed
            if missed is not None:
                missed()

    def forsake(self) -> None:
        """Cancel a coroutine whose caller will never listen again; what it asks of that thread goes elsewhere.

        May run in the garbage collector, at any point of any thread: so it takes no lock.
        """
        over, self.done = self.done, True
        self.link.close()
        if over:
            return
        if self._loop is not None:
            with suppress(RuntimeError):  # closed
                self._loop.call_soon_threadsafe(self.host.close)
        self.cancel()

    # On the calling thread

    def host_until(self, ready: Callable[[], object]) -> None:
        """Host until there is something to go on with, or the outcome is there. May be called again."""
        try:
            while not self.done and not ready():
                if not self.host.run_one(LOOK_EVERY):
                    self._look()
        except BaseException:  # Ctrl-C
            self.interrupt()
            raise

    def _settled(self) -> bool:
        """Whether another thread has set `done` meanwhile."""
        return self.done

    def wait(self) -> bool:
        """Host until the outcome is there; False if the time-out came first."""
        try:
            while not self.done:
                if not self.host.run_one(self._patience()):
                    self._look()
                if self._settled() or self._deadline is None or self._clock.now() < self._deadline:
                    continue
                if self._timed_out:
                    break  # its clean-up takes longer than the grace period
                self._timed_out = True
                self._deadline = self._clock.now() + self._grace  # before the clean-up takes its time
                self.cancel()
        except BaseException:  # Ctrl-C; what hosted work raises goes to those who await it
            self.interrupt()
            raise
        finally:
            self.done = True
        return not self._timed_out

    def interrupt(self) -> None:
        """Cancel after Ctrl-C, and host until a coroutine that has begun has cleaned up; a second one does not wait."""
        if self._process is not _chain.process.token:
            return
        self.cancel()
        while not self.done:
            if not self.host.run_one(LOOK_EVERY):
                if not self._begun or (self._ended and self._loop is not None and self._loop.is_closed()):
                    return  # it has not begun, and sees the mark when it would; or it is over
                self._look()

    def _patience(self) -> float:
        if self._deadline is None:
            return LOOK_EVERY
        return max(0.0, min(LOOK_EVERY, self._deadline - self._clock.now()))

    def _look(self) -> None:
        """Release this thread if the loop has gone away."""
        loop = self._loop
        if loop is None:
            return
        if self._ended:
            if loop.is_closed():  # and whoever closed it may not have heard of this call
                self.finish()
        elif self.task is not None and self.task.done():  # cancelled before its first step (invariant A1)
            self.fail(CancelledError(f"{self.name} was cancelled before its first step"))
        elif loop.is_closed():
            self._give_up("was closed")
        elif loop.is_running():
            self._stopped = 0
        else:
            self._stopped += 1
            if self._stopped >= STOPPED_LOOKS:
                self._give_up("has stopped")

    def _give_up(self, what: str) -> None:
        message = (
            f"the event loop that {self.name} was running on {what} before it had ended;"
            " keep the loop running until the synchronous code that it called has returned"
        )
        self.cancel()  # lest it go on behind its caller's back, should the loop be resumed
        self.fail(LoopUnavailableError(message))

    def take(self) -> tuple[Any, BaseException | None]:
        """Write changed context variables back and hand the outcome over."""
        if self._writes_back and self._after is not None and changed(self._before, self._after):
            write_back(self._before, self._after)
        if self._error is None and self._value is _UNSET:
            return None, CancelledError(f"{self.name} was cancelled before its first step")
        value, error = self._value, self._error
        self._value = self._error = None  # the error's frames lead here, and must not lead back (invariant I2)
        return value, error

    def timeout_error(self) -> TimeoutError:
        """Say what took too long, from the error that its clean-up raised, if any."""
        error = TimeoutError(f"{self.name} did not end within {self._timeout} seconds and was cancelled")
        if not isinstance(self._error, CancelledError):
            error.__cause__ = self._error
        return error


def _check_awaitable(fn: object, value: object) -> None:
    if not isawaitable(value):
        message = (
            f"async_to_sync called {name_of(fn)}, which returned {value!r} and no awaitable; give an async function"
        )
        raise WrapError(message)
