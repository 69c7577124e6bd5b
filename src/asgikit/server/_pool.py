"""The instances of one running server: started, evicted, ended. Completion comes by callback, never by polling."""

from asyncio import AbstractEventLoop, CancelledError, Future, Task
from collections.abc import Awaitable, Callable, Hashable
from contextvars import Context
from functools import partial
from typing import Generic, TypeVar, final

from asgikit.protocols import ApplicationLike, Clock, InstanceStore
from asgikit.server._deadline import MovingDeadline
from asgikit.server._decisions import PoolRules, Room
from asgikit.server._failure import logger
from asgikit.server._instance import Instance
from asgikit.server._ledger import Ledger
from asgikit.server._mailbox import Letter, Mailbox, Outcome
from asgikit.server._named import create_named_task
from asgikit.server._places import Addressee, Places
from asgikit.server._waiting import resolve, wait_all

__all__ = ("InstancePool",)

_ScopeT = TypeVar("_ScopeT")
_InT = TypeVar("_InT")
_OutT = TypeVar("_OutT")


@final
class InstancePool(Generic[_ScopeT, _InT, _OutT]):
    """Gives each scope its instance, in the order asked, and never lives with more than the limit.

    Every method runs on the thread of `loop`.
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
        ledger: Ledger[_InT],
    ) -> None:
        """Start nothing. Each instance runs in a copy of `context`."""
        self._application = application
        self._send = send
        self._rules = rules
        self._clock = clock
        self._loop = loop
        self._context = context
        self._ledger = ledger
        self._addressees: dict[Hashable, Addressee[_ScopeT, _InT, _OutT]] = {}
        self._places = places = Places(rules=rules, store=store)
        self._patience = MovingDeadline(clock=clock, loop=loop, due=places.impatient_at, reached=self._lose_patience)
        self._idle_end = MovingDeadline(clock=clock, loop=loop, due=places.idle_until, reached=self._end_idle)
        self._quiet: Future[None] | None = None

    @property
    def instances(self) -> int:
        """How many instances live, those that are ending included."""
        return self._places.taken

    @property
    def waiting(self) -> int:
        """How many scopes wait for a place."""
        return len(self._places.line)

    # What the server asks for

    def post(self, scope_id: Hashable, scope: _ScopeT, letter: Letter[_InT]) -> bool:
        """Give the letter to the scope's instance or to the next one; False while it waits for a place.

        Raises:
            MailboxFullError: the queue is full, and the policy is `reject`.
        """
        addressee = self._addressees.get(scope_id)
        if addressee is None:
            mailbox: Mailbox[_InT] = Mailbox(size=self._rules.queue_size, policy=self._rules.queue_policy)
            addressee = self._addressees[scope_id] = Addressee(scope_id, scope, mailbox)
        addressee.scope = scope
        has_place = addressee.mailbox.takes_next
        dropped = addressee.mailbox.put(letter)
        if dropped is not None:
            self._ledger.settle(dropped, Outcome.DROPPED)
        self._attend(addressee)
        return has_place and addressee.instance is not None and not addressee.instance.ending

    def full(self, scope_id: Hashable) -> bool:
        """Whether the next letter for this scope would find no place in the queue."""
        addressee = self._addressees.get(scope_id)
        return addressee is not None and addressee.mailbox.full

    def withdraw(self, scope_id: Hashable, letter: Letter[_InT]) -> None:
        """Take back a letter, unless an application has it already."""
        addressee = self._addressees.get(scope_id)
        if addressee is None or not addressee.mailbox.withdraw(letter):
            return
        self._ledger.settle(letter, Outcome.DISCARDED)
        if addressee.instance is not None and not addressee.instance.ending:
            self._admit_all(addressee.mailbox)  # the line has moved up
        if not addressee.mailbox and addressee.instance is None:
            self._places.leave_line(addressee)
            del self._addressees[scope_id]
            self._pump()

    def scope_ids(self) -> list[Hashable]:
        """Return the ids of all scopes that have an instance or messages."""
        return list(self._addressees)

    async def discard(self, scope_ids: list[Hashable], *, again: bool = False) -> bool:
        """End the instances of these scopes, give up their messages, and wait for the grace time.

        False when one lives on. `again` cancels once more those that are ending already.
        """
        tasks = [task for scope_id in scope_ids if (task := self._give_up(scope_id, again=again)) is not None]
        return await wait_all(tasks, seconds=self._rules.grace_time, clock=self._clock)

    async def drain(self, *, seconds: float) -> bool:
        """Wait until every message is handled and every instance idle, or the time is over (False)."""
        self._quiet = quiet = self._loop.create_future()
        self._look_quiet(quiet)
        return quiet.done() or (seconds > 0 and await wait_all([quiet], seconds=seconds, clock=self._clock))

    async def end(self) -> None:
        """End everything: cancel all instances and wait for them, a second time if need be; name those that stay."""
        if not await self.discard(self.scope_ids()):
            await self.discard(self.scope_ids(), again=True)
        self._patience.cancel()
        self._idle_end.cancel()
        for instance in self._places.ending:
            logger.error(
                "The application for scope %r swallows its cancellation and is left running", instance.scope_id
            )

    # Starting

    def _attend(self, addressee: Addressee[_ScopeT, _InT, _OutT]) -> None:
        if addressee.instance is not None:
            self._changed(addressee.instance)
            addressee.instance.wake()
        elif addressee.scope_id not in self._places.line:
            self._places.queue(addressee, now=self._clock.now())
            self._pump()

    def _pump(self) -> None:
        """Start or evict instances until nobody waits, or there is nothing to do but wait."""
        while self._places.line:
            room = self._places.room_for_first()
            if room is Room.START:
                self._start(self._places.call_first(now=self._clock.now()))
            elif room is Room.EVICT_IDLE:
                self._evict(self._places.store.next_idle())
            else:
                self._patience.watch()
                return
        self._patience.cancel()

    def _start(self, addressee: Addressee[_ScopeT, _InT, _OutT]) -> None:
        addressee.instance = instance = Instance(
            scope_id=addressee.scope_id,
            scope=addressee.scope,
            mailbox=addressee.mailbox,
            send=self._send,
            ledger=self._ledger,
            changed=self._changed,
        )
        self._places.store.add(addressee.scope_id, instance)
        self._ledger.started()
        self._admit_all(addressee.mailbox)
        # Not `create_task(context=...)`: a loop may have a task factory that does not know it.
        task = self._context.copy().run(self._create_task, instance)
        instance.task = task
        task.add_done_callback(partial(self._after, addressee, instance))
        if instance.ending:  # an eager task factory ran it already, and it came to rest and had to go
            instance.cancel()

    def _create_task(self, instance: Instance[_ScopeT, _InT, _OutT]) -> "Task[BaseException | None]":
        return create_named_task(self._loop, instance.run(self._application), f"asgikit-instance-{instance.scope_id}")

    def _admit_all(self, mailbox: Mailbox[_InT]) -> None:
        for letter in mailbox:
            letter.admit()

    # Ending

    def _evict(self, instance: Instance[_ScopeT, _InT, _OutT] | None) -> None:
        if instance is None or instance.ending:
            return
        self._places.tell_to_leave(instance)
        if instance.over:  # it has just ended by itself, and `_after` is on its way
            return
        instance.ending = True
        self._ledger.evicted()
        instance.cancel()

    def _end_idle(self) -> None:
        self._evict(self._places.store.next_idle())

    def _lose_patience(self) -> None:
        """For the grace time no place has become free: tell those that should have ended again, and one more to end."""
        self._places.restart_wait(now=self._clock.now())
        for instance in self._places.ending:
            logger.warning("The application for scope %r does not end; it is cancelled again", instance.scope_id)
            instance.cancel()
        self._evict(self._places.next_to_go())
        self._pump()

    def _after(
        self,
        addressee: Addressee[_ScopeT, _InT, _OutT],
        instance: Instance[_ScopeT, _InT, _OutT],
        task: "Task[BaseException | None]",
    ) -> None:
        """The instance has ended: account for it, and start the next one."""
        self._places.free(instance)
        instance.over = True
        instance.wake()
        addressee.instance = None
        self._account(addressee.mailbox, instance, _error_of(task))
        if addressee.mailbox:
            self._places.queue(addressee, now=self._clock.now())
        else:
            del self._addressees[addressee.scope_id]
        self._pump()
        if self._quiet is not None:
            self._look_quiet(self._quiet)

    def _account(
        self, mailbox: Mailbox[_InT], instance: Instance[_ScopeT, _InT, _OutT], error: BaseException | None
    ) -> None:
        """Note how the instance ended, and what becomes of the messages that it leaves behind."""
        self._ledger.ended(instance.scope_id, instance.scope, error, evicted=instance.ending)
        if error is None:
            instance.confirm()
        else:
            self._ledger.try_again(instance.in_hand, mailbox)
        if not instance.taken and not instance.ending:
            self._ledger.charge_untaken(mailbox)

    def _give_up(self, scope_id: Hashable, *, again: bool) -> "Task[BaseException | None] | None":
        """Give up the messages of a scope and evict its instance; return the task of that one."""
        addressee = self._addressees.get(scope_id)
        if addressee is None:
            return None
        self._ledger.settle_all(addressee.mailbox.empty(), Outcome.DISCARDED)
        if self._places.leave_line(addressee):
            del self._addressees[scope_id]
        instance = addressee.instance
        if instance is None:
            return None
        if again and instance.ending:
            instance.cancel()
        self._evict(instance)
        self._ledger.settle_all(instance.let_go(), Outcome.DISCARDED)
        return instance.task

    # Rest

    def _changed(self, instance: Instance[_ScopeT, _InT, _OutT]) -> None:
        """Note whether the instance is idle now, which may make room for another."""
        if instance.ending or instance.over:
            return
        if not instance.idle:
            self._places.store.mark_busy(instance.scope_id)
            return
        instance.idle_since = self._clock.now()
        self._places.store.mark_idle(instance.scope_id)
        self._idle_end.watch()
        if self._places.line:
            self._pump()
        if self._quiet is not None:
            self._look_quiet(self._quiet)

    def _look_quiet(self, quiet: "Future[None]") -> None:
        if self._places.at_rest:
            resolve(quiet)


def _error_of(task: "Task[BaseException | None]") -> BaseException | None:
    """Return how the instance ended; a task cancelled before its first step never ran `Instance.run`."""
    if task.cancelled():
        return CancelledError()
    return task.exception() or task.result()
