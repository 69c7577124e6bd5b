"""The bridge: what users make and close. It owns the parts; what can be done with them stands in the views."""

import asyncio
from types import TracebackType
from typing import Self, final

from asgikit.bridge._checks import check_part
from asgikit.bridge._exit import Closable
from asgikit.bridge._options import ContextPolicy, Options
from asgikit.bridge._parts import Parts
from asgikit.bridge._resources import Resources
from asgikit.bridge._view import BridgeView
from asgikit.executor import ThreadSensitivePool, WorkerThreadPool
from asgikit.loop import MonotonicClock, PerCallLoopRunner
from asgikit.protocols import Clock, ExecutorLike, LoopRunner, Observer, SensitivePool

__all__ = ("Bridge",)


@final
class Bridge(BridgeView):
    """The owner of the parts that carry calls between synchronous and asynchronous code.

    Making one starts nothing. Close it where you made it (`close`, `aclose`, `with` or `async with`); one at
    module level closes silently at interpreter exit. Parts that are given are not closed with it: who made them
    closes them. Interpreter exit waits for calls under way in pools made and given alike, and closes none; loops that
    are kept between calls (`PooledLoopRunner`, `SharedLoopRunner`) and pools of others see to that themselves.

    Args:
        sensitive_pool: leases the threads of thread-sensitive scopes.
        worker_pool: runs calls with `thread_sensitive=False`; any executor.
        loop_runner: gives loops to calls of `async_to_sync` that have none above them.
        clock: tells the time to time-outs, reports and observers.
        observer: is told of every crossing; see also `observe`.
        context_policy: see `options`.
        stall_report_after: a call that has waited this many seconds for a thread on which no call has ended
            meanwhile is reported once, to the logger and the observers; None reports none.
        shutdown_grace: seconds that closing, interpreter exit and the clean-up after a time-out may take.

    Raises:
        PartContractError: a part is not what it was given as.
        ExecutorContractError: `worker_pool` has no `submit`.
        ValueError: no such context policy.
    """

    __slots__ = ()

    def __init__(
        self,
        *,
        sensitive_pool: SensitivePool | None = None,
        worker_pool: ExecutorLike | None = None,
        loop_runner: LoopRunner | None = None,
        clock: Clock | None = None,
        observer: Observer | None = None,
        context_policy: ContextPolicy = "propagate",
        stall_report_after: float | None = 10.0,
        shutdown_grace: float = 2.0,
    ) -> None:
        check_part("sensitive_pool", sensitive_pool)
        check_part("loop_runner", loop_runner)
        check_part("clock", clock)
        check_part("observer", observer)
        owned: list[Closable] = []
        if sensitive_pool is None:
            sensitive_pool = ThreadSensitivePool()
            owned.append(sensitive_pool)
        if worker_pool is None:
            worker_pool = WorkerThreadPool()
            owned.append(worker_pool)
        if loop_runner is None:
            loop_runner = PerCallLoopRunner()
            owned.append(loop_runner)
        resources = Resources(
            sensitive_pool,
            worker_pool,
            loop_runner,
            clock or MonotonicClock(),
            () if observer is None else (observer,),
            stall_report_after,
            shutdown_grace,
            tuple(owned),
        )
        super().__init__(Parts(resources), Options().over(Options(context_policy=context_policy)))

    def close(self) -> None:
        """Refuse new calls and close the parts that this bridge made, waiting at most `shutdown_grace` seconds.

        Calls under way go on; idempotent. Do not call it on the thread of an event loop: `aclose` is for that.
        """
        self._parts.to_threads.let_go()
        self._parts.resources.close(self._parts.resources.shutdown_grace)

    async def aclose(self) -> None:
        """Close as `close` does, without blocking the event loop."""
        await asyncio.get_running_loop().run_in_executor(None, self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()
