"""The server itself: what a subclass fills in, and the life cycle around it."""

import asyncio
from abc import ABC, abstractmethod
from asyncio import AbstractEventLoop, CancelledError, get_running_loop
from collections.abc import Callable, Hashable
from contextlib import suppress
from contextvars import copy_context
from functools import partial
from types import TracebackType
from typing import Any, Generic, Self

from typing_extensions import TypeVar

from asgikit.bridge._double import as_single_callable
from asgikit.errors import ClosedError, MailboxFullError, ScopeError
from asgikit.loop import MonotonicClock
from asgikit.protocols import ApplicationLike, Clock, DoubleCallable, InstanceStore
from asgikit.server._counters import ServerCounters, Tally
from asgikit.server._decisions import PoolRules
from asgikit.server._failure import FailureHook, log_failure, logger
from asgikit.server._ledger import Ledger
from asgikit.server._mailbox import Letter, Outcome, QueuePolicy
from asgikit.server._pool import InstancePool
from asgikit.server._run import Run, StoppedEarlyError
from asgikit.server._store import LRUInstanceStore
from asgikit.server._waiting import resolve

__all__ = ("StatelessServer",)

_ScopeT = TypeVar("_ScopeT", default=Any)
_InT = TypeVar("_InT", default=Any)
_OutT = TypeVar("_OutT", default=Any)


class StatelessServer(ABC, Generic[_ScopeT, _InT, _OutT]):
    """Serves applications that no connection keeps alive: a chat network, a radio feed, a queue.

    A subclass reads its stream in `handle`, names the scope of each message and hands it over with
    `deliver`; what applications send arrives in `application_send`. The server keeps one application
    instance per scope id, never more than `max_applications`, and starts a new one for a message whose
    instance has ended. Nothing that an application does stops the server.

    Everything runs on the thread of one event loop, the one on which the server is entered.
    """

    def __init__(
        self,
        application: ApplicationLike[_ScopeT, _InT, _OutT] | DoubleCallable[_ScopeT, _InT, _OutT],
        max_applications: int = 1000,
        *,
        queue_size: int = 100,
        queue_policy: QueuePolicy = "wait",
        max_deliveries: int = 1,
        idle_timeout: float | None = None,
        drain_timeout: float = 5.0,
        grace_time: float = 2.0,
        clock: Clock | None = None,
        store: Callable[[], InstanceStore[Hashable, Any]] = LRUInstanceStore[Hashable, Any],
        on_failure: FailureHook = log_failure,
        double_callable: bool = False,
    ) -> None:
        """Take the parts; start nothing.

        `queue_size` messages may wait for one scope's application, and `queue_policy` says what happens to one
        more: it waits, the oldest goes, or `deliver` raises. A message whose application fails is handed over
        `max_deliveries` times at most. An instance that has waited for a message for `idle_timeout` seconds is
        evicted. At the stop, applications have `drain_timeout` seconds to handle what they were given;
        whoever is cancelled has `grace_time` seconds to end. `store` makes the store that decides who is evicted.
        `double_callable` declares an ASGI 2 application.

        Raises:
            ValueError: a number makes no sense.
        """
        self.application: ApplicationLike[_ScopeT, _InT, _OutT] = as_single_callable(
            application, double=double_callable
        )
        self.clock: Clock = MonotonicClock() if clock is None else clock
        self._rules = PoolRules(
            max_applications=max_applications,
            queue_size=queue_size,
            queue_policy=queue_policy,
            max_deliveries=max_deliveries,
            idle_timeout=idle_timeout,
            grace_time=grace_time,
        )
        self._drain_timeout = drain_timeout
        self._make_store = store
        self._tally = Tally()
        self._ledger = Ledger[_InT](tally=self._tally, max_deliveries=max_deliveries, on_failure=on_failure)
        self._run: Run[_ScopeT, _InT, _OutT] | None = None

    # What a subclass fills in

    @abstractmethod
    async def handle(self) -> None:
        """Read the outside stream and `deliver` its messages; the end of this is the end of the server.

        Runs beside everything else on the loop, and is cancelled when the server stops.
        """

    @abstractmethod
    async def application_send(self, scope: _ScopeT, message: _OutT, /) -> None:
        """Take a message that the application of this scope sent; what is raised here is raised by its `send`."""

    async def startup(self) -> None:
        """Open what `handle` and `application_send` need. Does nothing unless overridden; an error ends the start."""

    async def cleanup(self) -> None:
        """Close what `startup` opened, when no instance lives any more. Does nothing unless overridden."""

    # What a subclass calls

    async def deliver(
        self,
        scope_id: Hashable,
        scope: _ScopeT,
        message: _InT,
        /,
        *,
        done: Callable[[Outcome], object] | None = None,
    ) -> None:
        """Hand a message to the application instance of this scope, and start one with `scope` if none lives.

        Messages of one scope are taken in the order of the calls. Waits while the scope's queue is full (unless
        the policy says otherwise), and while the scope waits for a place among `max_applications`. A call that
        is cancelled while it waits has delivered nothing. `done` is called on the loop, once, with what became of
        the message, whether or not this returns.

        Raises:
            ClosedError: the server is not running, or stops or discards the scope meanwhile.
            MailboxFullError: the scope's queue is full, and the policy is `reject`.
        """
        pool = self._open_pool()
        letter = Letter(message, done)
        if pool.post(scope_id, scope, letter) or letter.deliveries:  # an eager application may be through with it
            return
        place = get_running_loop().create_future()
        letter.admitted = partial(resolve, place)
        try:
            await place
        except CancelledError:
            pool.withdraw(scope_id, letter)
            raise
        if letter.outcome is Outcome.DISCARDED:
            raise ClosedError(f"The message for scope {scope_id!r} was not delivered: the scope was discarded")

    def deliver_nowait(
        self,
        scope_id: Hashable,
        scope: _ScopeT,
        message: _InT,
        /,
        *,
        done: Callable[[Outcome], object] | None = None,
    ) -> None:
        """Do the same without waiting.

        Raises:
            ClosedError: the server is not running.
            MailboxFullError: the scope's queue is full, and the policy is not `drop_oldest`.
        """
        pool = self._open_pool()
        if self._rules.queue_policy == "wait" and pool.full(scope_id):
            raise MailboxFullError(
                f"{self._rules.queue_size} messages wait for the application of scope {scope_id!r} already:"
                " use `await deliver(...)`, or raise queue_size"
            )
        pool.post(scope_id, scope, Letter(message, done))

    async def discard(self, *scope_ids: Hashable) -> bool:
        """End the instances of these scopes and give up their messages (outcome `DISCARDED`).

        Waits for the instances at most the grace time; False when one lives on.
        """
        return self._run is None or await self._run.pool.discard(list(scope_ids))

    def scope_ids(self) -> list[Hashable]:
        """Return the ids of all scopes that have an instance or a message."""
        return [] if self._run is None else self._run.pool.scope_ids()

    # Life cycle

    @property
    def counters(self) -> ServerCounters:
        """What the server has done so far; readable at any time."""
        if self._run is None:
            return self._tally.snapshot(instances=0, waiting=0)
        return self._tally.snapshot(instances=self._run.pool.instances, waiting=self._run.pool.waiting)

    def run(self, *, loop_factory: Callable[[], AbstractEventLoop] | None = None) -> None:
        """Serve on an event loop of its own until `handle` ends or `stop` is called; Ctrl-C is a stop too.

        Blocks the calling thread. Raises what `handle` raised. A second Ctrl-C does not wait for the applications.
        """
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            try:
                runner.run(self.arun())
            except KeyboardInterrupt:
                logger.info("The server was stopped by Ctrl-C")

    async def arun(self) -> None:
        """Serve on the running loop until `handle` ends or `stop` is called; raises what `handle` raised.

        Afterwards no task of the server lives. Cancelling it stops the server in the same way.
        """
        with suppress(StoppedEarlyError):
            async with self:
                await self.wait_stopped()

    async def wait_stopped(self) -> None:
        """Wait until `handle` has ended or `stop` was called. The server is still open then: leaving it drains it."""
        if self._run is not None:
            await self._run.stopping.wait()

    def stop(self) -> None:
        """Have the server stop; returns at once. From another thread: `loop.call_soon_threadsafe(server.stop)`."""
        if self._run is not None:
            self._run.stop()

    async def __aenter__(self) -> Self:
        """Start serving: `handle` runs beside the block.

        Raises:
            ScopeError: the server runs already.
            ClosedError: `stop` was called before `startup` had ended.
        """
        if self._run is not None:
            raise ScopeError("The server runs already: enter it once at a time, or make one server per loop")
        self._run = run = Run(server=type(self).__name__, pool=self._new_pool(), clock=self.clock)
        try:
            await run.start_up(self.startup)
        except BaseException:
            self._run = None
            raise
        run.read(self.handle)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        """Stop: end `handle`, let applications handle what they have, end them, clean up; raise its error."""
        run = self._run
        if run is None:
            return
        self.stop()
        try:
            await run.end(grace_time=self._rules.grace_time, drain_timeout=self._drain_timeout)
        finally:
            self._run = None
            await self.cleanup()
        run.report(raises=error is None)

    def _new_pool(self) -> InstancePool[_ScopeT, _InT, _OutT]:
        """Make the pool of one run, whose instances see the context in which the server was entered."""
        return InstancePool(
            application=self.application,
            send=self.application_send,
            rules=self._rules,
            store=self._make_store(),
            clock=self.clock,
            loop=get_running_loop(),
            context=copy_context(),
            ledger=self._ledger,
        )

    def _open_pool(self) -> InstancePool[_ScopeT, _InT, _OutT]:
        if self._run is None or not self._run.takes_messages:
            raise ClosedError(
                f"{type(self).__name__} does not run or is stopping, so it takes no messages: deliver inside"
                " `async with server:` or while `arun()` runs"
            )
        return self._run.pool
