"""Where calls run, as the bridge sees it: executors, leases and the pool that gives them."""

from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, Protocol, TypeAlias, TypeVar, runtime_checkable

__all__ = ("ExecutorLike", "HostExecutor", "SupportsPost", "SupportsSubmit", "SupportsSubmitArgs", "Work")

_P = ParamSpec("_P")
_T = TypeVar("_T")


class SupportsSubmit(Protocol):
    """Anything that runs a call elsewhere and answers with a future."""

    def submit(self, fn: Callable[[], _T], /) -> Future[_T]:
        """Have `fn` run, and return the future of its result. May be called on any thread."""
        ...


class SupportsSubmitArgs(Protocol):
    """The same with arguments, as `concurrent.futures.Executor` spells it."""

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Have `fn(*args, **kwargs)` run, and return the future of its result. May be called on any thread."""
        ...


ExecutorLike: TypeAlias = SupportsSubmit | SupportsSubmitArgs
"""What `executor=` takes: asgikit's own executors, every `concurrent.futures.Executor`, and whatever else has `submit`."""


class Work(Protocol):
    """One call on its way to a thread. It knows by itself whom to tell of its outcome."""

    def run(self) -> None:
        """Make the call on this thread and deliver the outcome. Called once; never raises."""

    def fail(self, error: BaseException, /) -> None:
        """Deliver `error` instead: the call will never run. Called at most once, and not after `run`."""


@runtime_checkable
class SupportsPost(Protocol):
    """The fast lane of an executor: takes work that delivers its own outcome, so no future is made."""

    def post(self, work: Work, /) -> None:
        """Have `work.run()` called once on a thread of this executor, or raise. May be called on any thread."""


class HostExecutor(Protocol):
    """An executor of the thread that waits: work submitted meanwhile runs right there."""

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Queue the call for the hosting thread. May be called on any other thread."""
        ...

    def run_until_future(self, future: "Future[object]", /) -> None:
        """Run submitted work on the calling thread, which must be the owner, until `future` is done."""
