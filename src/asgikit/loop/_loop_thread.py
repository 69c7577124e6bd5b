"""One event loop that runs on a worker thread until it is stopped."""

import logging
import os
import threading
from asyncio import AbstractEventLoop
from collections.abc import Callable
from typing import final

from asgikit.executor import WorkerThreadPool
from asgikit.loop._tidy import close, run_to_end, wind_down

__all__ = ("LoopThread",)

_logger = logging.getLogger("asgikit")


@final
class LoopThread:
    """A loop on its way through a thread (`asgikit.protocols.Work`). It takes callbacks from the start."""

    __slots__ = ("_gate", "_process", "_serving", "_stopping", "loop")

    def __init__(self, loop_factory: Callable[[], AbstractEventLoop]) -> None:
        self.loop = loop_factory()
        self._gate = threading.Lock()  # who takes it first, runs the loop or closes it unused
        self._stopping = False
        self._serving = False  # in run_forever, the only place that `stop` may end
        self._process = os.getpid()

    def begin(self, threads: WorkerThreadPool) -> None:
        """Run on one of `threads`, or raise what they refuse with. Any thread."""
        try:
            threads.post(self)
        except BaseException as error:  # closed, or no thread to be had; after Ctrl-C it may run all the same
            self.fail(error)
            raise

    @property
    def name(self) -> str:
        return f"the event loop {self.loop!r}"

    @property
    def usable(self) -> bool:
        """Whether the loop takes calls: not stopped, not closed by somebody, and not the loop of a parent process."""
        return not (self._stopping or self.loop.is_closed()) and self._process == os.getpid()

    def run(self) -> None:
        if not self._gate.acquire(blocking=False):
            return
        loop = self.loop
        try:
            while not self._stopping:
                self._serve()
            run_to_end(loop, wind_down(loop, f"the event loop of thread {threading.current_thread().name!r}"))
        except BaseException:
            _logger.exception("the event loop of thread %r ended badly", threading.current_thread().name)
        finally:
            close(loop)

    def _serve(self) -> None:
        self._serving = True
        try:
            self.loop.run_forever()
        except (KeyboardInterrupt, SystemExit):  # raised by a task, which keeps it as its outcome too
            _logger.exception("a task raised out of the loop of thread %r", threading.current_thread().name)
        finally:
            self._serving = False

    def _stop(self) -> None:
        if self._serving:
            self.loop.stop()

    def deliver(self) -> None:
        """Nobody waits for the outcome of a loop."""

    def fail(self, error: BaseException, /) -> None:
        if self._gate.acquire(blocking=False):
            self.loop.close()
        else:
            self.stop()

    def stop(self) -> None:
        """Have the thread cancel what is left and close the loop. Any thread; never blocks."""
        if self.usable:
            self._stopping = True
            self.loop.call_soon_threadsafe(self._stop)
