"""An executor that does nothing by itself: the test says when each call runs, and on which thread."""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from typing import Generic, ParamSpec, TypeVar, final

from typing_extensions import override

from asgikit.errors import ClosedError, StepTimeoutError
from asgikit.protocols import Work

__all__ = ("ManualExecutor",)

_P = ParamSpec("_P")
_T = TypeVar("_T")


class _Submitted(Generic[_T]):
    """A call that was given to `submit`, as `asgikit.protocols.Work`."""

    __slots__ = ("_call", "future", "name")

    def __init__(self, name: str, call: Callable[[], _T]) -> None:
        self.name: str = name
        self._call = call
        self.future: Future[_T] = Future()

    def run(self) -> None:
        """Make the call, unless its future was cancelled."""
        if not self.future.set_running_or_notify_cancel():
            return
        try:
            result = self._call()
        except BaseException as error:
            self.future.set_exception(error)
        else:
            self.future.set_result(result)

    def deliver(self) -> None:
        """Nothing is left to do: `run` has told the future."""

    def fail(self, error: BaseException, /) -> None:
        """Deliver `error` instead of the call's outcome."""
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)


@final
class ManualExecutor(Executor):
    """A working executor without a thread: it holds what is submitted or posted until the test runs it.

    `submit` and `post` may be called on any thread; `run_next` and `run_all` make the calls on the thread
    that calls them, so the test chooses both the moment and the thread.
    """

    def __init__(self) -> None:
        """Start empty and open."""
        self._held: deque[Work] = deque()
        self._changed = threading.Condition()
        self._closed = False

    @override
    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Hold the call `fn(*args, **kwargs)` and return the future of its result.

        Raises:
            ClosedError: the executor was shut down.
        """
        work = _Submitted(getattr(fn, "__qualname__", repr(fn)), lambda: fn(*args, **kwargs))
        self.post(work)
        return work.future

    def post(self, work: Work, /) -> None:
        """Hold `work`, which delivers its outcome by itself.

        Raises:
            ClosedError: the executor was shut down.
        """
        with self._changed:
            if self._closed:
                message = "this ManualExecutor was shut down: the code under test submits after the end"
                raise ClosedError(message)
            self._held.append(work)
            self._changed.notify_all()

    def pending(self) -> int:
        """Return how many calls are held."""
        with self._changed:
            return len(self._held)

    def wait_for_work(self, count: int = 1, *, timeout: float = 5.0) -> None:
        """Block this thread until at least `count` calls are held.

        `timeout` is in seconds.

        Raises:
            StepTimeoutError: fewer calls arrived in that time.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: len(self._held) >= count, timeout):
                message = f"{len(self._held)} calls were held within {timeout} s, the test waits for {count}"
                raise StepTimeoutError(message)

    def run_next(self, *, timeout: float = 5.0) -> None:
        """Make the oldest held call on this thread; block up to `timeout` seconds for one to arrive.

        Raises:
            StepTimeoutError: no call arrived in that time.
        """
        work = self._take(timeout)
        work.run()
        work.deliver()

    def fail_next(self, error: BaseException, *, timeout: float = 5.0) -> None:
        """Drop the oldest held call and deliver `error` for it, as an executor does whose worker died.

        Raises:
            StepTimeoutError: no call arrived within `timeout` seconds.
        """
        self._take(timeout).fail(error)

    def run_all(self) -> int:
        """Make the held calls on this thread, with those that they submit in turn; return how many ran."""
        count = 0
        while self.pending():
            self.run_next()
            count += 1
        return count

    @override
    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Refuse new calls. Held ones stay for the test to run, unless `cancel_futures`; `wait` is ignored."""
        with self._changed:
            self._closed = True
            dropped = list(self._held) if cancel_futures else []
            if cancel_futures:
                self._held.clear()
        for work in dropped:
            work.fail(CancelledError("the ManualExecutor was shut down before this call ran"))

    def _take(self, timeout: float) -> Work:
        with self._changed:
            self.wait_for_work(timeout=timeout)
            return self._held.popleft()
