"""The instances of one running server: started, evicted, ended. Completion comes by callback, never by polling."""

from asyncio import AbstractEventLoop, CancelledError, Future, Task
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from contextvars import Context
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from asgikit.protocols import ApplicationLike, Clock, InstanceStore
from asgikit.server._counters import Tally
from asgikit.server._deadline import MovingDeadline
from asgikit.server._decisions import Room, is_spent, room_for_next
from asgikit.server._failure import ApplicationFailure, FailureHook, logger, tell
from asgikit.server._instance import Instance
from asgikit.server._mailbox import Letter, Mailbox, Outcome, QueuePolicy
from asgikit.server._named import create_named_task
from asgikit.server._waiting import resolve, wait_all

__all__ = ("InstancePool", "PoolRules")

_ScopeT = TypeVar("_ScopeT")
_InT = TypeVar("_InT")
_OutT = TypeVar("_OutT")


@dataclass(frozen=True, slots=True, kw_only=True)
class PoolRules:
    """The numbers that a server was given."""

    max_applications: int
    queue_size: int
    queue_policy: QueuePolicy
    max_deliveries: int
    idle_timeout: float | None
    grace_time: float


class _Seat(Generic[_ScopeT, _InT, _OutT]):
    """A scope that has messages, or an instance, or both. It outlives its instance while messages are left."""

    __slots__ = ("instance", "mailbox", "scope", "scope_id")

    def __init__(self, scope_id: Hashable, scope: _ScopeT, mailbox: Mailbox[_InT]) -> None:
        self.scope_id = scope_id
        self.scope = scope
        self.mailbox = mailbox
        self.instance: Instance[_ScopeT, _InT, _OutT] | None = None


class InstancePool(Generic[_ScopeT, _InT, _OutT]):
    """Gives each scope its instance, in the order asked, and never lives with more than the limit.

    Every method runs on the thread of `loop`. `changed`, `took` and `settle` are for the instances.
    """

    def __init__(
        self,
        *,
        application: ApplicationLike[_ScopeT, _InT, _OutT],
        send: Callable[[_ScopeT, _OutT], Awaitable[None]],
        rules: PoolRules,
        store: InstanceStore[Hashable, Instance[_ScopeT, _InT, _OutT]],
        clock: Clock,
        loop: AbstractEventLoop,
        context: Context,
        tally: Tally,
        on_failure: FailureHook,
    ) -> None:
        """Start nothing. Each instance runs in a copy of `context`."""
        self._application = application
        self._send = send
        self._rules = rules
        self._store = store
        self._clock = clock
        self._loop = loop
        self._context = context
        self._tally = tally
        self._on_failure = on_failure
        self._seats: dict[Hashable, _Seat[_ScopeT, _InT, _OutT]] = {}
        self._waiting: OrderedDict[Hashable, _Seat[_ScopeT, _InT, _OutT]] = OrderedDict()
        self._ending: set[Instance[_ScopeT, _InT, _OutT]] = set()
        self._waiting_since = 0.0
        self._patience = MovingDeadline(clock=clock, loop=loop, due=self._impatient_at, reached=self._lose_patience)
        self._idle_end = MovingDeadline(clock=clock, loop=loop, due=self._idle_until, reached=self._end_idle)
        self._quiet: Future[None] | None = None

    @property
    def instances(self) -> int:
        """How many instances live, those that are ending included."""
        return len(self._store) + len(self._ending)

    @property
    def waiting(self) -> int:
        """How many scopes wait for a place."""
        return len(self._waiting)

    # What the server asks for

    def post(self, scope_id: Hashable, scope: _ScopeT, letter: Letter[_InT]) -> bool:
        """Give the letter to the scope's instance or to the next one; False while it waits for a place.

        Raises:
            MailboxFullError: the queue is full, and the policy is `reject`.
        """
        seat = self._seats.get(scope_id)
        if seat is None:
            mailbox: Mailbox[_InT] = Mailbox(size=self._rules.queue_size, policy=self._rules.queue_policy)
            seat = self._seats[scope_id] = _Seat(scope_id, scope, mailbox)
        seat.scope = scope
        has_place = not seat.mailbox.full or self._rules.queue_policy == "drop_oldest"
        dropped = seat.mailbox.put(letter)
        if dropped is not None:
            self.settle(dropped, Outcome.DROPPED)
        self._attend(seat)
        return has_place and seat.instance is not None and not seat.instance.ending

    def full(self, scope_id: Hashable) -> bool:
        """Whether the next letter for this scope would find no place in the queue."""
        seat = self._seats.get(scope_id)
        return seat is not None and seat.mailbox.full

    def withdraw(self, scope_id: Hashable, letter: Letter[_InT]) -> None:
        """Take back a letter, unless an application has it already."""
        seat = self._seats.get(scope_id)
        if seat is None or not seat.mailbox.withdraw(letter):
            return
        self.settle(letter, Outcome.DISCARDED)
        if not seat.mailbox and seat.instance is None:
            self._waiting.pop(scope_id, None)
            del self._seats[scope_id]
            self._pump()

    def scope_ids(self) -> list[Hashable]:
        """Return the ids of all scopes that have an instance or messages."""
        return list(self._seats)

    async def discard(self, scope_ids: list[Hashable], *, again: bool = False) -> bool:
        """End the instances of these scopes, give up their messages, and wait for the grace time.

        False when one lives on. `again` cancels once more those that are ending already.
        """
        tasks: list[Task[BaseException | None]] = []
        for scope_id in scope_ids:
            seat = self._seats.get(scope_id)
            if seat is None:
                continue
            self._give_up(seat)
            if seat.instance is not None:
                if again and seat.instance.ending:
                    self._cancel(seat.instance)
                self._evict(seat.instance)
                self._give_up_in_hand(seat.instance)
                tasks += [seat.instance.task] if seat.instance.task is not None else []
        return await wait_all(tasks, seconds=self._rules.grace_time, clock=self._clock)

    async def drain(self, *, seconds: float) -> bool:
        """Wait until every message is handled and every instance idle, or the time is over (False)."""
        self._quiet = self._loop.create_future()
        self._look_quiet()
        return self._quiet.done() or (seconds > 0 and await wait_all([self._quiet], seconds=seconds, clock=self._clock))

    async def end(self) -> None:
        """End everything: cancel all instances and wait for them, a second time if need be; name those that stay."""
        if not await self.discard(self.scope_ids()):
            await self.discard(self.scope_ids(), again=True)
        self._patience.cancel()
        self._idle_end.cancel()
        for instance in self._ending:
            logger.error(
                "The application for scope %r swallows its cancellation and is left running", instance.scope_id
            )

    # What the instances tell

    def changed(self, instance: Instance[_ScopeT, _InT, _OutT], /) -> None:
        """Note whether the instance is idle now."""
        if instance.ending or instance.over:
            return
        if not instance.idle:
            self._store.mark_busy(instance.scope_id)
            return
        instance.idle_since = self._clock.now()
        self._store.mark_idle(instance.scope_id)
        self._idle_end.watch()
        if self._waiting:
            self._pump()
        if self._quiet is not None:
            self._look_quiet()

    def took(self) -> None:
        """Count a message that was taken."""
        self._tally.delivered += 1

    def settle(self, letter: Letter[_InT], outcome: Outcome, /) -> None:
        """Count what became of a letter, and tell the one who delivered it; an error of theirs is logged."""
        if outcome is Outcome.HANDLED:
            self._tally.handled += 1
        else:
            self._tally.lost += 1
        try:
            letter.settle(outcome)
        except Exception:
            logger.exception("A `done` callback failed; it was told %s", outcome)

    # Starting

    def _attend(self, seat: _Seat[_ScopeT, _InT, _OutT]) -> None:
        if seat.instance is not None:
            self.changed(seat.instance)
            seat.instance.wake()
        elif seat.scope_id not in self._waiting:
            self._wait_for_place(seat)
            self._pump()

    def _wait_for_place(self, seat: _Seat[_ScopeT, _InT, _OutT]) -> None:
        if not self._waiting:
            self._waiting_since = self._clock.now()
        self._waiting[seat.scope_id] = seat

    def _pump(self) -> None:
        while self._waiting:
            room = room_for_next(
                running=len(self._store),
                ending=len(self._ending),
                waiting=len(self._waiting),
                limit=self._rules.max_applications,
                idle=self._store.next_idle() is not None,
            )
            if room is Room.START:
                self._start(self._waiting.popitem(last=False)[1])
            elif room is Room.EVICT_IDLE:
                self._evict(self._store.next_idle())
            else:
                self._patience.watch()
                return
        self._patience.cancel()

    def _start(self, seat: _Seat[_ScopeT, _InT, _OutT]) -> None:
        seat.instance = instance = Instance(
            scope_id=seat.scope_id, scope=seat.scope, mailbox=seat.mailbox, send=self._send, owner=self
        )
        self._store.add(seat.scope_id, instance)
        self._tally.started += 1
        if self._waiting:
            self._waiting_since = self._clock.now()  # others wait too, and for them it begins anew
        for letter in seat.mailbox:
            letter.admit()
        # Not `create_task(context=...)`: a loop may have a task factory that does not know it.
        task = self._context.copy().run(self._create_task, instance)
        instance.task = task
        task.add_done_callback(partial(self._after, seat, instance))
        if instance.ending:  # an eager task factory ran it already, and it came to rest and had to go
            self._cancel(instance)

    def _create_task(self, instance: Instance[_ScopeT, _InT, _OutT]) -> "Task[BaseException | None]":
        return create_named_task(self._loop, instance.run(self._application), f"asgikit-instance-{instance.scope_id}")

    # Ending

    def _evict(self, instance: Instance[_ScopeT, _InT, _OutT] | None) -> None:
        if instance is None or instance.ending:
            return
        self._store.remove(instance.scope_id)
        self._ending.add(instance)
        if instance.over:  # it has just ended by itself, and `_after` is on its way
            return
        instance.ending = True
        self._tally.evicted += 1
        self._cancel(instance)

    def _cancel(self, instance: Instance[_ScopeT, _InT, _OutT]) -> None:
        if instance.task is not None:
            instance.task.cancel(f"the server ends the instance for scope {instance.scope_id!r}")

    def _impatient_at(self) -> float | None:
        return self._waiting_since + self._rules.grace_time if self._waiting else None

    def _lose_patience(self) -> None:
        """For the grace time no place has become free: tell those that should have ended again, and one more to end."""
        self._waiting_since = self._clock.now()
        for instance in self._ending:
            logger.warning("The application for scope %r does not end; it is cancelled again", instance.scope_id)
            self._cancel(instance)
        self._evict(self._store.next_idle() or self._store.next_busy())
        self._pump()

    def _after(
        self,
        seat: _Seat[_ScopeT, _InT, _OutT],
        instance: Instance[_ScopeT, _InT, _OutT],
        task: "Task[BaseException | None]",
    ) -> None:
        self._store.remove(instance.scope_id)
        self._ending.discard(instance)
        instance.over = True
        instance.wake()
        seat.instance = None
        error = _error_of(task)
        self._account(instance, error)
        if error is None:
            instance.confirm()
        else:
            self._retry_or_give_up(seat, instance.in_hand)
        if not instance.taken and not instance.ending:
            self._charge_untaken(seat)
        if seat.mailbox:
            self._wait_for_place(seat)
        else:
            del self._seats[seat.scope_id]
        self._pump()
        if self._quiet is not None:
            self._look_quiet()

    def _account(self, instance: Instance[_ScopeT, _InT, _OutT], error: BaseException | None) -> None:
        if error is None:
            self._tally.finished += 1
        elif not (instance.ending and isinstance(error, CancelledError)):
            self._tally.failed += 1
            tell(self._on_failure, ApplicationFailure(instance.scope_id, instance.scope, error))

    def _retry_or_give_up(self, seat: _Seat[_ScopeT, _InT, _OutT], letters: list[Letter[_InT]]) -> None:
        again: list[Letter[_InT]] = []
        for letter in letters:
            if is_spent(deliveries=letter.deliveries, max_deliveries=self._rules.max_deliveries):
                self.settle(letter, Outcome.FAILED)
            else:
                again.append(letter)
        self._tally.retried += len(again)
        seat.mailbox.put_back(again)

    def _charge_untaken(self, seat: _Seat[_ScopeT, _InT, _OutT]) -> None:
        """An application that ends without taking anything would be started for the same message for ever."""
        if seat.mailbox:
            letter, moved = seat.mailbox.take()
            letter.deliveries += 1
            self._retry_or_give_up(seat, [letter])
            if moved is not None:
                moved.admit()

    def _give_up(self, seat: _Seat[_ScopeT, _InT, _OutT]) -> None:
        for letter in seat.mailbox.empty():
            self.settle(letter, Outcome.DISCARDED)
        if self._waiting.pop(seat.scope_id, None) is not None:
            del self._seats[seat.scope_id]

    def _give_up_in_hand(self, instance: Instance[_ScopeT, _InT, _OutT]) -> None:
        letters, instance.in_hand = instance.in_hand, []
        for letter in letters:
            self.settle(letter, Outcome.DISCARDED)

    # Rest

    def _look_quiet(self) -> None:
        if self._quiet is not None and not self._waiting and not self._ending and self._store.next_busy() is None:
            resolve(self._quiet)

    def _idle_until(self) -> float | None:
        oldest = self._store.next_idle()
        if oldest is None or self._rules.idle_timeout is None:
            return None
        return oldest.idle_since + self._rules.idle_timeout

    def _end_idle(self) -> None:
        self._evict(self._store.next_idle())


def _error_of(task: "Task[BaseException | None]") -> BaseException | None:
    """Return how the instance ended; a task cancelled before its first step never ran `Instance.run`."""
    if task.cancelled():
        return CancelledError()
    return task.exception() or task.result()
