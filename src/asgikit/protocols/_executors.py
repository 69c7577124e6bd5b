"""Where calls run, as the rooms above see it: executors, the work they take, leases and the pool that gives them.

`ExecutorLike` is all that a user's executor has to keep. The rest is the fast lane between our own
rooms: work that delivers its own outcome, so that no future and no lock of one is paid for.
"""

from collections.abc import Callable
from concurrent.futures import Future
from typing import ParamSpec, Protocol, TypeAlias, TypeVar, runtime_checkable

__all__ = (
    "ExecutorLike",
    "HostExecutor",
    "Inbox",
    "Lease",
    "SensitivePool",
    "SupportsPost",
    "SupportsSubmit",
    "SupportsSubmitArgs",
    "Work",
    "WorkerHome",
)

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
"""What `executor=` takes: asgikit's own executors, every `concurrent.futures.Executor`, whatever else has `submit`."""


class Work(Protocol):
    """One call on its way to a thread. It knows by itself whom to tell of its outcome."""

    @property
    def name(self) -> str:
        """What a report calls it, such as `shop.views.checkout`."""
        ...

    def run(self) -> None:
        """Make the call on this thread and keep the outcome. Called at most once; never raises."""

    def deliver(self) -> None:
        """Hand the outcome to whoever waits for it. Called once after `run`, on its thread; short, and never raises."""

    def fail(self, error: BaseException, /) -> None:
        """Deliver `error` instead: the call will never run. Called at most once, and never after `run`."""


class Inbox(Protocol):
    """A queue of work with one reader; `None` in it only wakes the reader. `queue.SimpleQueue` is one."""

    def put(self, item: Work | None, /) -> None:
        """Append. May be called on any thread; never blocks."""

    def get(self, block: bool = True, timeout: float | None = None) -> Work | None:
        """Take the oldest item, waiting at most `timeout` seconds, or raise `queue.Empty`. Called by the reader."""
        ...


@runtime_checkable
class SupportsPost(Protocol):
    """The fast lane of an executor: takes work that delivers its own outcome, so no future is made."""

    def post(self, work: Work, /) -> None:
        """Have `work.run()` and then `work.deliver()` called on a thread of this executor, or raise.

        May be called on any thread.
        """


@runtime_checkable
class WorkerHome(SupportsPost, Protocol):
    """An executor that wants to know what its running work is doing, to keep its bounds honest."""

    @property
    def thread_id(self) -> int | None:
        """The `threading.get_ident()` of the one thread that runs everything here; None if there is no such thread."""
        ...

    @property
    def running(self) -> Work | None:
        """The work that the one thread is running, or None."""
        ...

    @property
    def progress(self) -> int:
        """A number that changes whenever work is taken up here."""
        ...

    def host(self, work: Work, /) -> Inbox | None:
        """`work`, running on this thread, starts to wait for a coroutine and hosts meanwhile.

        Returns the inbox that the host has to serve beside its own chain, or None.
        """
        ...

    def resume(self, work: Work, /) -> None:
        """`work`, running on this thread, has its coroutine's outcome and goes on."""

    def abandon(self, work: Work, /) -> None:
        """Nobody waits for `work` any more, and its thread may be busy for long. May be called on any thread."""


class HostExecutor(Protocol):
    """An executor of the thread that waits: work submitted meanwhile runs right there."""

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Queue the call for the hosting thread. May be called on any other thread."""
        ...

    def run_until_future(self, future: "Future[_T]", /) -> None:
        """Run submitted work on the calling thread, which must be the owner, until `future` is done."""


class Lease(WorkerHome, Protocol):
    """One worker thread held for one scope. The worker is taken at the first `post`, not before."""

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Have the call run on the worker, and return the future of its result. May be called on any thread."""
        ...

    @property
    def waiting(self) -> bool:
        """Whether posted work waits for a worker to become free."""
        ...

    def expire(self) -> None:
        """Stop waiting for a worker: posted work fails with `LeaseTimeoutError`. Nothing if there is a worker."""

    def release(self) -> None:
        """Give the worker back once it has run what was posted. Never blocks; idempotent; any thread."""


class SensitivePool(Protocol):
    """Gives scopes their worker threads."""

    @property
    def lease_timeout(self) -> float | None:
        """Seconds that a scope waits for a free worker; None waits without limit."""
        ...

    def default(self) -> Lease:
        """Return the one lease shared by all work outside any scope. It does not count towards the bound."""
        ...

    def lease(self) -> Lease:
        """Return a new lease, which holds no worker yet."""
        ...

    def close(self, grace: float = ..., /) -> None:
        """Stop every worker, waiting at most `grace` seconds for busy ones. Idempotent."""
