"""How a request gets its thread: a pool of the adapter's own, an executor that was given, or a bridge."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Future
from typing import Final, ParamSpec, Protocol, TypeVar

from asgikit.errors import ClosedError, ExecutorContractError
from asgikit.executor import WorkerThreadPool
from asgikit.protocols import ExecutorLike, SupportsPost, WorkerHome
from asgikit.wsgi._worker import WsgiCall

__all__ = ("Dispatch", "SupportsRunSync", "choose_dispatch")

_P = ParamSpec("_P")
_R = TypeVar("_R")

_THREADS: Final = 32


class Dispatch(Protocol):
    """Starts calls. Used on event-loop threads."""

    def start(self, call: WsgiCall) -> None:
        """Have `call` run on some thread; what goes wrong later reaches `call.fail`. Raises if it cannot start."""

    def abandon(self, call: WsgiCall) -> None:
        """Nobody waits for `call` any more, though it may still run."""

    async def release(self) -> None:
        """End what this object made, without blocking the event loop; it is made anew when it is needed again."""

    def close(self, grace: float) -> None:
        """End what this object made for good, waiting at most `grace` seconds."""


class SupportsRunSync(Protocol):
    """A bridge, as far as this room needs one."""

    async def run_sync(self, func: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Call `func` on the thread of the chain's thread-sensitive work. Called on an event-loop thread."""
        ...


class OwnPool:
    """A `WorkerThreadPool` made at the first request, ended by `release` (and made anew) or by `close` (for good)."""

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._lock = threading.Lock()
        self._pool: WorkerThreadPool | None = None
        self._closed = False

    def start(self, call: WsgiCall) -> None:
        with self._lock:  # so that nobody closes the pool in between
            if self._closed:
                raise ClosedError("this WsgiToAsgi is closed: make a new one to serve further requests")
            if self._pool is None:
                self._pool = WorkerThreadPool(self._threads, name="wsgi")
            self._pool.post(call)

    def abandon(self, call: WsgiCall) -> None:
        pool = self._pool
        if pool is not None:
            pool.abandon(call)

    async def release(self) -> None:
        with self._lock:
            pool, self._pool = self._pool, None
        if pool is None:
            return
        if pool.counters.busy or pool.counters.queued:
            await asyncio.to_thread(pool.close)
        else:
            pool.close()

    def close(self, grace: float) -> None:
        with self._lock:
            self._closed = True
            pool, self._pool = self._pool, None
        if pool is not None:
            pool.close(grace)


class _Borrowed:
    """The part of a dispatch to something that was given: whoever made it ends it."""

    async def release(self) -> None:
        """Nothing was made here."""

    def close(self, grace: float) -> None:
        """Nothing was made here."""


class PostDispatch(_Borrowed):
    """An executor with the fast lane."""

    def __init__(self, executor: SupportsPost) -> None:
        self._executor = executor

    def start(self, call: WsgiCall) -> None:
        self._executor.post(call)

    def abandon(self, call: WsgiCall) -> None:
        if isinstance(self._executor, WorkerHome):
            self._executor.abandon(call)


class ExecutorDispatch(_Borrowed):
    """Any other executor."""

    def __init__(self, executor: ExecutorLike) -> None:
        self._executor = executor

    def start(self, call: WsgiCall) -> None:
        future = self._executor.submit(call.run_and_deliver)
        if not hasattr(future, "add_done_callback"):
            raise ExecutorContractError(
                f"{type(self._executor).__name__}.submit returned {future!r}: that is no future"
            )

        def settle(settled: "Future[None]") -> None:
            error = CancelledError() if settled.cancelled() else settled.exception()
            if error is not None:
                call.fail(ClosedError(f"the executor did not run the WSGI application: {error!r}"))

        future.add_done_callback(settle)

    def abandon(self, call: WsgiCall) -> None:
        """Nothing: an executor that was given has no word for it."""


class SensitiveDispatch(_Borrowed):
    """Thread-sensitive through a bridge: the thread that the caller's other synchronous code runs on."""

    def __init__(self, bridge: SupportsRunSync) -> None:
        self._bridge = bridge

    def start(self, call: WsgiCall) -> None:
        bridge = self._bridge

        async def cross() -> None:
            try:
                await bridge.run_sync(call.run_and_deliver)
            except BaseException as error:
                call.fail(error)
                if not isinstance(error, Exception):
                    raise

        call.crossing = asyncio.get_running_loop().create_task(cross())

    def abandon(self, call: WsgiCall) -> None:
        if call.crossing is not None:
            call.crossing.cancel()


def choose_dispatch(
    executor: ExecutorLike | None, bridge: SupportsRunSync | None, threads: int | None
) -> tuple[Dispatch, bool]:
    """Return how calls are started, and whether they are known to run one at a time.

    Raises:
        TypeError: more than one was given.
        ValueError: there would be no thread.
        ExecutorContractError: the executor has no `submit`.
    """
    if threads is not None and threads < 1:
        raise ValueError("threads is a number of threads: at least 1")
    if (executor is not None) + (bridge is not None) + (threads is not None) > 1:
        raise TypeError("WsgiToAsgi takes one of executor=, bridge= and threads=: each says where the application runs")
    if bridge is not None:
        return SensitiveDispatch(bridge), False
    if executor is None:
        return OwnPool(_THREADS if threads is None else threads), threads == 1
    if isinstance(executor, SupportsPost):
        return PostDispatch(executor), False
    if not callable(getattr(executor, "submit", None)):
        raise ExecutorContractError(f"{executor!r} is no executor: it has no submit()")
    return ExecutorDispatch(executor), False
