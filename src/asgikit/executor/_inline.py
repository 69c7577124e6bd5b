"""The executor that has no thread: for platforms without threads, and for tests that want no concurrency."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar, final

from asgikit.errors import ClosedError
from asgikit.executor._work import FutureWork
from asgikit.protocols import Work

__all__ = ("InlineExecutor",)

_P = ParamSpec("_P")
_T = TypeVar("_T")


@final
class InlineExecutor(Executor):
    """Runs every call at once, on the thread that submits it.

    Given to a `Bridge`, synchronous functions block its event loop: right where there are no threads
    (Pyodide), wrong on a server.
    """

    def __init__(self) -> None:
        self._closed = False

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Run `fn(*args, **kwargs)` now, on the calling thread; the returned future is done.

        Raises:
            ClosedError: it was shut down.
        """
        self._check_open()
        work = FutureWork(fn, *args, **kwargs)
        del fn, args, kwargs
        work.run()
        try:
            return work.future
        finally:
            del work  # this frame is part of an error's traceback, which must not lead back to it (invariant I2)

    def post(self, work: Work, /) -> None:
        """Run `work` now, on the calling thread; raises as `submit` does."""
        self._check_open()
        work.run()
        work.deliver()
        del work  # as above

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Refuse new work; there is no thread to wait for, and nothing is ever queued. Any thread; idempotent."""
        self._closed = True

    def _check_open(self) -> None:
        if self._closed:
            message = "this inline executor was shut down"
            raise ClosedError(message)

    @property
    def thread_id(self) -> None:
        """None: work here runs wherever it is posted."""

    @property
    def running(self) -> None:
        """None: nobody can ask while something runs."""

    @property
    def progress(self) -> int:
        """Always 0: nothing ever waits here."""
        return 0

    def host(self, work: Work, /) -> None:
        """Nothing is given up."""

    def resume(self, work: Work, /) -> None:
        """Nothing was given up."""

    def abandon(self, work: Work, /) -> None:
        """Nothing runs here that could be left."""
