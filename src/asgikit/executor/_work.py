"""The outcome of `submit` as work: what the fast lane carries when somebody wants a future."""

import logging
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from typing import Any, Generic, ParamSpec, TypeVar

from asgikit.protocols import Work

__all__ = ("FutureWork", "drop", "name_of", "without_this_frame")

_P = ParamSpec("_P")
_T = TypeVar("_T")
_logger = logging.getLogger("asgikit")


def name_of(function: object) -> str:
    """Return `module.qualname` of a callable, looking through partials; its type's name when it has none."""
    while isinstance(function, partial):
        function = function.func
    inner = getattr(function, "__func__", function)
    qualname = getattr(inner, "__qualname__", None) or type(inner).__qualname__
    module = getattr(inner, "__module__", None) or type(inner).__module__
    return f"{module}.{qualname}"


def without_this_frame(error: BaseException) -> BaseException:
    """Take the catching frame off the traceback: it would hold arguments, and close a cycle through the future."""
    traceback = error.__traceback__
    return error if traceback is None else error.with_traceback(traceback.tb_next)


class FutureWork(Generic[_T]):
    """One `fn(*args, **kwargs)` whose outcome goes to a `concurrent.futures.Future`."""

    __slots__ = ("_args", "_fn", "_kwargs", "future")

    def __init__(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> None:
        self.future: Future[_T] = Future()
        self._fn: Callable[..., _T] | None = fn
        self._args: tuple[Any, ...] = args
        self._kwargs: dict[str, Any] = kwargs

    @property
    def name(self) -> str:
        return name_of(self._fn)

    def run(self) -> None:
        fn, args, kwargs = self._fn, self._args, self._kwargs
        self._args, self._kwargs = (), {}  # but not the function, which has a name to tell while it runs
        if fn is None or not self.future.set_running_or_notify_cancel():
            return
        # Callbacks of the future are user code and may take long, so they belong to `run`, not to `deliver`.
        try:
            result = fn(*args, **kwargs)
        except BaseException as error:
            _tell(self.future.set_exception, without_this_frame(error))
            # The frames below are the error's: none may lead back to it (invariant I2).
            del self, fn, args, kwargs
        else:
            self._fn = None
            _tell(self.future.set_result, result)

    def cancel(self) -> None:
        """Drop the call: its future is cancelled, as `concurrent.futures.Executor.shutdown` has it."""
        self._fn, self._args, self._kwargs = None, (), {}
        self.future.cancel()
        self.future.set_running_or_notify_cancel()

    def deliver(self) -> None:
        """Nothing is left to do: `run` has told the future."""

    def fail(self, error: BaseException, /) -> None:
        self._fn, self._args, self._kwargs = None, (), {}
        if self.future.set_running_or_notify_cancel():
            self.future.set_exception(error)


def _tell(settle: Callable[[_T], object], outcome: _T) -> None:
    """Settle a future. A callback of it that raises SystemExit must not take the thread from others' calls."""
    try:
        settle(outcome)
    except KeyboardInterrupt:  # Ctrl-C on a hosting main thread
        raise
    except BaseException:
        _logger.exception("a callback of a future raised out of it")
    del outcome  # as in `run`


def drop(work: Work, error: BaseException, *, quietly: bool) -> None:
    """Refuse work at the end of its pool: fail it with `error`, or `quietly` cancel its future if it has one."""
    if quietly and isinstance(work, FutureWork):
        work.cancel()
    else:
        work.fail(error)
