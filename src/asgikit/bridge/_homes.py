"""Executors of others, seen as homes for calls: what was given as `executor=` becomes something to post to.

One job object serves threads and processes: called, it runs the call in this process, in the caller's
context; pickled, it becomes the bare function with its arguments, so that only these have to be picklable.
"""

import functools
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from queue import Empty, SimpleQueue
from typing import Any, Protocol, cast, final

from asgikit.errors import ExecutorContractError
from asgikit.protocols import ExecutorLike, Inbox, Work, WorkerHome

__all__ = ("ScopeHome", "SubmitHome", "as_home", "check_executor")


class Remote(Work, Protocol):
    """Work that may also be done elsewhere: the bridge's synchronous calls."""

    @property
    def ran(self) -> bool:
        """Whether `run` was called in this process."""
        ...

    def bare(self) -> "functools.partial[Any]":
        """The user's function and arguments alone."""
        ...

    def outcome(self) -> Any:
        """The result of `run`, or its exception raised."""
        ...

    def adopt(self, value: Any, error: BaseException | None, /) -> None:
        """Take an outcome that was made elsewhere."""


def check_executor(executor: object) -> None:
    """Refuse what has no `submit`.

    Raises:
        ExecutorContractError: there is no `submit` to call, or it is a class, whose `submit` wants an instance.
    """
    if isinstance(executor, type):
        message = f"{executor!r} is a class and no executor: give an instance of it"
    elif not callable(getattr(executor, "submit", None)):
        message = (
            f"{executor!r} is no executor: it has no submit(fn, *args, **kwargs) method;"
            " give a concurrent.futures executor, one of asgikit.executor, or an object with submit"
        )
    else:
        return
    raise ExecutorContractError(message)


def as_home(executor: ExecutorLike) -> WorkerHome:
    """Return `executor` itself if it takes work by the fast lane, else an adapter around its `submit`."""
    if isinstance(executor, WorkerHome):
        return executor
    check_executor(executor)
    return SubmitHome(executor)


@final
class _Job:
    """What `submit` of a user's executor is given."""

    __slots__ = ("_work",)

    def __init__(self, work: Remote) -> None:
        self._work = work

    def __call__(self) -> Any:
        self._work.run()
        return self._work.outcome()

    def __reduce__(self) -> tuple[Any, ...]:
        bare = self._work.bare()
        return (_rebuild, (bare.func, bare.args, bare.keywords))


def _rebuild(function: Callable[..., Any], args: tuple[Any, ...], keywords: dict[str, Any]) -> Any:
    return functools.partial(function, *args, **keywords)


def _submit(executor: ExecutorLike, job: Callable[[], Any]) -> "Future[Any]":
    """Submit to a user's executor, and check that it answered with a future."""
    future: Future[Any] = executor.submit(job)
    if not callable(getattr(future, "add_done_callback", None)):
        message = (
            f"{type(executor).__qualname__}.submit returned {future!r} instead of a concurrent.futures.Future;"
            " the executor has to return the future of the call"
        )
        raise ExecutorContractError(message)
    return future


@final
class SubmitHome:
    """A user's executor as a home for free calls."""

    __slots__ = ("_executor",)

    thread_id: None = None  # no thread of its own that we know
    running: None = None
    progress = 0

    def __init__(self, executor: ExecutorLike) -> None:
        self._executor = executor

    def post(self, work: Work, /) -> None:
        remote = cast("Remote", work)
        _submit(self._executor, _Job(remote)).add_done_callback(functools.partial(_settle, remote))

    def host(self, work: Work, /) -> None:
        """A user's pool is not told; size it for nested calls."""

    def resume(self, work: Work, /) -> None:
        """Nothing was given up."""

    def abandon(self, work: Work, /) -> None:
        """A user's pool is not told."""


def _settle(work: Remote, future: "Future[Any]") -> None:
    """Deliver the outcome of a job. Runs wherever the executor runs callbacks."""
    if not work.ran:
        try:
            error = future.exception()
        except CancelledError as cancelled:
            error = cancelled
        if error is not None and _is_of_pickling(error):
            error.add_note(
                f"{work.name} was given to an executor that works in other processes: the function has to stand at"
                " the top of a module, and its arguments and result have to be picklable"
            )
        work.adopt(None if error is not None else future.result(), error)
    work.deliver()


def _is_of_pickling(error: BaseException) -> bool:
    said = f"{type(error).__name__} {error}".lower()
    return "pickle" in said or "can't get local object" in said  # how CPython 3.13 says it of a local function


@final
class ScopeHome:
    """The executor of a scope as the home of all thread-sensitive work in it.

    Work waits here and not with the executor, which is only asked for its thread, once for each item: so a
    call of the scope that waits in `async_to_sync` can serve what its scope was asked meanwhile.
    """

    __slots__ = ("_inbox", "_taking", "executor", "progress", "running", "thread_id")

    def __init__(self, executor: ExecutorLike) -> None:
        self.executor = executor
        self._inbox: Inbox = SimpleQueue()
        self._taking = threading.Lock()  # no turn finds nothing because all is being looked through
        self.thread_id: int | None = None
        self.running: Work | None = None
        self.progress = 0

    def post(self, work: Work, /) -> None:
        self._inbox.put(work)
        try:
            _submit(self.executor, self._run_one).add_done_callback(functools.partial(self._refused, work))
        except BaseException:
            self._take_back(work)
            raise

    def host(self, work: Work, /) -> Inbox:
        """A call of this scope waits: it serves the scope meanwhile."""
        return self._inbox

    def resume(self, work: Work, /) -> None:
        """Nothing was given up."""

    def abandon(self, work: Work, /) -> None:
        """The scope's executor is the user's: nothing is replaced, later work queues behind the call."""

    def _run_one(self) -> None:
        work: Work | None = None
        with self._taking:
            while work is None:  # a host may have left wake-ups behind
                try:
                    work = self._inbox.get(False)
                except Empty:  # a host has run it
                    return
        self.progress += 1
        self.thread_id, self.running = threading.get_ident(), work
        work.run()
        self.thread_id = self.running = None
        work.deliver()

    def _refused(self, work: Work, future: "Future[Any]") -> None:
        """The executor could not even call `_run_one` (it broke, or it works in other processes)."""
        error = CancelledError() if future.cancelled() else future.exception()
        if error is not None and self._take_back(work):
            work.fail(error)

    def _take_back(self, work: Work) -> bool:
        """Remove `work` from the inbox, unless it is being run."""
        kept: list[Work] = []
        found = False
        with self._taking:
            while True:
                try:
                    item = self._inbox.get(False)
                except Empty:
                    break
                if item is work:
                    found = True
                elif item is not None:
                    kept.append(item)
            for item in kept:
                self._inbox.put(item)
        return found
