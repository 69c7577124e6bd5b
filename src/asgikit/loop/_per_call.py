"""A fresh event loop for every cold call: nothing survives the call but the thread."""

import asyncio
import contextlib
import math
from asyncio import AbstractEventLoop, Task
from collections.abc import Callable
from typing import final

from asgikit.errors import LoopUnavailableError
from asgikit.executor import WorkerThreadPool
from asgikit.loop._shared import SharedLoopRunner
from asgikit.loop._tidy import close, has_leftovers, run_to_end, wind_down
from asgikit.protocols import LoopEntry

__all__ = ("PerCallLoopRunner", "run_and_tidy")


def run_and_tidy(entry: LoopEntry, loop: AbstractEventLoop) -> None:
    """Run `entry` on `loop`, and leave nothing behind on it. Runs on the thread that shall run the loop.

    Raises:
        LoopUnavailableError: somebody stopped the loop.
        BaseException: what a task or a callback raises out of the loop: KeyboardInterrupt and SystemExit.
    """
    try:
        _run(entry, loop)
    except BaseException:
        with contextlib.suppress(BaseException):  # the first error counts
            run_to_end(loop, wind_down(loop, None))
        raise
    if has_leftovers(loop):
        run_to_end(loop, wind_down(loop, f"async_to_sync({entry.name})"))


def _run(entry: LoopEntry, loop: AbstractEventLoop) -> None:
    """Run `loop` until the task of `entry` has ended."""
    started: list[Task[None]] = []

    def stop(_: object) -> None:
        loop.stop()

    def start() -> None:
        try:
            task = entry.start(loop, prompt=False)
        except Exception as error:  # of a task factory
            entry.fail(error)
            loop.stop()
            return
        started.append(task)
        if task.done():
            loop.stop()
        else:
            task.add_done_callback(stop)

    loop.call_soon(start)  # not in a task: there the coroutine takes its first step at once
    try:
        loop.run_forever()
    finally:
        for task in started:
            task.remove_done_callback(stop)  # lest its clean-up, cancelled, stop the loop once more
    if not all(task.done() for task in started):
        message = f"the event loop of {entry.name} was stopped before it had ended; let it end by itself"
        raise LoopUnavailableError(message)


@final
class _FreshLoop:
    """One call on a new loop, as work for a pool."""

    __slots__ = ("_entry", "_loop_factory")

    def __init__(self, entry: LoopEntry, loop_factory: Callable[[], AbstractEventLoop]) -> None:
        self._entry = entry
        self._loop_factory = loop_factory

    @property
    def name(self) -> str:
        return self._entry.name

    def run(self) -> None:
        try:
            loop = self._loop_factory()
        except BaseException as error:
            self._entry.fail(error)
            return
        try:
            run_and_tidy(self._entry, loop)
        except BaseException as error:
            self._entry.fail(error)
        finally:
            close(loop)

    def deliver(self) -> None:
        self._entry.finish()

    def fail(self, error: BaseException, /) -> None:
        self._entry.fail(error)


@final
class PerCallLoopRunner:
    """A fresh loop per call, on a thread that is reused; tasks left over are cancelled and named in a warning.

    Any thread may call any method.

    Args:
        loop_factory: makes the loops; `uvloop.new_event_loop` fits.
        reuse_threads: False starts a thread per call, for those whose `threading.local` values must not stay.
    """

    def __init__(
        self,
        *,
        loop_factory: Callable[[], AbstractEventLoop] = asyncio.new_event_loop,
        reuse_threads: bool = True,
    ) -> None:
        self._loop_factory = loop_factory
        # Without a bound: each caller waits on a thread of its own already.
        self._threads = WorkerThreadPool(math.inf, name="loop", reuse_threads=reuse_threads)

    @property
    def loop_factory(self) -> Callable[[], AbstractEventLoop]:
        """What makes the loops. At interpreter exit, when no thread can be started, the bridge makes one with it."""
        return self._loop_factory

    def post(self, entry: LoopEntry, /) -> None:
        """Run `entry` on a fresh loop. May be called on any thread.

        Raises:
            ClosedError: the runner is closed.
        """
        self._threads.post(_FreshLoop(entry, self._loop_factory))

    def scope(self) -> SharedLoopRunner:
        """Return a runner with one loop from the same factory."""
        return SharedLoopRunner(loop_factory=self._loop_factory, name="loop-scope")

    @property
    def started(self) -> bool:
        """Whether there are threads."""
        return self._threads.started

    def drain(self, grace: float, /) -> None:
        """Wait at most `grace` seconds for calls under way, and log the names of those that go on."""
        self._threads.drain(grace)

    def close(self, grace: float = 2.0, /) -> None:
        """End the threads, waiting at most `grace` seconds for calls under way. Idempotent."""
        self._threads.close(grace)
