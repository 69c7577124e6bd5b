"""All thread-sensitive work on one named thread: that of the test, so that it sees the test's database transaction."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, ParamSpec, TypeVar, final

from asgikit.executor import CurrentThreadExecutor
from asgikit.protocols import Inbox, Lease, Work

__all__ = ("OwnThreadPool",)

_P = ParamSpec("_P")
_T = TypeVar("_T")


@final
class _OwnThread:
    """The one home: a thread that is not the pool's, and that no scope can give back."""

    def __init__(self) -> None:
        self._host = CurrentThreadExecutor()

    @property
    def thread_id(self) -> int:
        return self._host.thread_id

    @property
    def waiting(self) -> bool:
        return False

    @property
    def running(self) -> Work | None:
        return self._host.running

    @property
    def progress(self) -> int:
        return self._host.progress

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        return self._host.submit(fn, *args, **kwargs)

    def post(self, work: Work, /) -> None:
        self._host.post(work)  # of another thread's loop: the bridge runs that of a loop on this thread by itself

    def host(self, work: Work, /) -> Inbox:
        return self._host.host(work)

    def resume(self, work: Work, /) -> None:
        self._host.resume(work)

    def abandon(self, work: Work, /) -> None:
        self._host.abandon(work)

    def expire(self) -> None:
        """Nothing waits for a worker here."""

    def release(self) -> None:
        """The thread is the test's, before and after."""

    def run_until_future(self, future: "Future[_T]") -> None:
        self._host.run_until_future(future)

    def close(self) -> None:
        self._host.close()


@final
class OwnThreadPool:
    """A `SensitivePool` for tests: every scope, and all work outside scopes, gets the thread that made the pool.

        bridge = Bridge(sensitive_pool=OwnThreadPool())

    A call from a loop that runs on that thread runs there and then, and blocks the loop meanwhile; code in it does
    not see the loop, as it would not see it on a worker. A call from another thread's loop runs as soon as
    the thread waits in `async_to_sync` of the same chain, or in `run_until_future`.
    """

    def __init__(self) -> None:
        """Name the calling thread."""
        self._home = _OwnThread()
        self.thread: Final = threading.current_thread()

    @property
    def lease_timeout(self) -> None:
        """None: a scope never waits for this thread."""

    def default(self) -> Lease:
        """Return the thread, for work outside any scope."""
        return self._home

    def lease(self) -> Lease:
        """Return the thread, for a scope; scopes do not keep each other out here."""
        return self._home

    def run_until_future(self, future: "Future[_T]", /) -> None:
        """Run what other threads' loops ask of this thread until `future` is done; the pool is closed then.

        Raises:
            RuntimeError: called on another thread than the one that made the pool.
        """
        self._home.run_until_future(future)

    def close(self, grace: float = 0.0, /) -> None:
        """Refuse further work, and fail what waits."""
        self._home.close()
