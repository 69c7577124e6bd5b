"""What one bridge works with, from its making to its end: pools, runner, clock and observers."""

import sys
import threading
import time
import warnings
from collections.abc import Callable
from typing import final

from asgikit.bridge import _chain
from asgikit.bridge._exit import Closable, at_exit
from asgikit.bridge._homes import as_home
from asgikit.bridge._options import Options
from asgikit.errors import ClosedError, LoopUnavailableError
from asgikit.executor import ForkGuard
from asgikit.protocols import Clock, ExecutorLike, LoopRunner, Observer, SensitivePool, WorkerHome

__all__ = ("Resources",)


@final
class Resources:
    """Pools, runner, clock and observers of one bridge; closes what came with it."""

    def __init__(
        self,
        sensitive_pool: SensitivePool,
        worker_pool: ExecutorLike,
        loop_runner: LoopRunner,
        clock: Clock,
        observers: tuple[Observer, ...],
        stall_report_after: float | None,
        shutdown_grace: float,
        owned: tuple[Closable, ...],
    ) -> None:
        self.sensitive_pool: SensitivePool = sensitive_pool
        self.free_home: WorkerHome = as_home(worker_pool)
        self.loop_runner: LoopRunner = loop_runner
        self.clock: Clock = clock
        self.observers: tuple[Observer, ...] = observers
        self.shutdown_grace: float = shutdown_grace
        self.stall_report_after: float | None = stall_report_after
        self.closed: bool = False
        self._owned = owned
        parts = sensitive_pool, worker_pool, loop_runner
        self._awaited = tuple(part for part in parts if isinstance(part, Closable))
        self._fork = ForkGuard()
        self._begin_process()
        self._process = _chain.process.token
        at_exit.add(self)

    def home_for(self, options: Options) -> WorkerHome | None:
        """Return where calls with these options go; None leaves it to the chain: they are thread-sensitive."""
        if options.executor is not None:
            return as_home(options.executor)
        return self.free_home if options.thread_sensitive is False else None

    def check_open(self) -> None:
        """Say why no crossing can begin any more.

        Raises:
            ClosedError: the bridge is closed.
            LoopUnavailableError: the interpreter is shutting down.
        """
        if self.closed:
            raise ClosedError("this bridge is closed; make a new one, or keep it open as long as it is used")
        if sys.is_finalizing():
            message = "the interpreter is shutting down and its threads are gone; cross before, in an atexit handler"
            raise LoopUnavailableError(message)

    def observe(self, observer: Observer) -> None:
        """Tell `observer` of all crossings that begin from now on."""
        with self._here():
            self.observers = (*self.observers, observer)

    def stop_observing(self, observer: Observer) -> None:
        """Tell `observer` of no more crossings; those under way are told to their end."""
        with self._here():
            place = [known is observer for known in self.observers].index(True)  # one may equal another
            self.observers = self.observers[:place] + self.observers[place + 1 :]

    def _here(self) -> threading.Lock:
        """Return the lock of this process: in a forked child, that of the parent may be held for ever."""
        if self._fork.inherited:
            self._fork.renew(self._begin_process)
        return self._lock

    def _begin_process(self) -> None:
        self._lock = threading.Lock()

    def close(self, grace: float) -> None:
        """Refuse new crossings and close the parts that came with this bridge, all within `grace` seconds."""
        self.closed = True
        at_exit.discard(self)
        deadline = time.monotonic() + grace
        for part in self._owned:
            part.close(max(0.0, deadline - time.monotonic()))

    def wait_at_exit(self, grace: float) -> None:
        """Let calls under way end, for at most `grace` seconds, and name those that do not; close nothing."""
        deadline = time.monotonic() + min(grace, self.shutdown_grace)
        for part in self._awaited:
            part.drain(max(0.0, deadline - time.monotonic()))

    def __del__(self, _finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        if _finalizing():  # bound early: this module's names may be gone by then
            return
        if getattr(self, "closed", True) or self._process is not _chain.process.token:
            return
        if any(part.started for part in self._owned):
            warnings.warn("a bridge was never closed; close it where it was made", ResourceWarning, stacklevel=2)
        self.close(0)
