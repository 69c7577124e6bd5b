"""The calls that tasks of one loop are waiting for, looked at once in a while: stalls are reported, cycles broken."""

import asyncio
import logging
import threading
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Final, final

from asgikit.bridge._waits import awaiting_stack, find_cycle, thread_stack
from asgikit.errors import DeadlockError
from asgikit.protocols import Clock

if TYPE_CHECKING:
    from asgikit.bridge._async_call import AsyncCall
    from asgikit.bridge._sync_call import SyncCall

__all__ = ("StallPolicy", "WaitingCalls")

LOOK_EVERY: Final = 1.0

_logger = logging.getLogger("asgikit")


@final
class StallPolicy:
    """When a call counts as stalled, and where to find all that wait."""

    __slots__ = ("all_waiting", "clock", "look_every", "report_after")

    def __init__(
        self, clock: Clock, report_after: float | None, all_waiting: "Callable[[], Iterable[SyncCall]]"
    ) -> None:
        self.clock: Clock = clock
        self.report_after: float | None = report_after
        self.look_every: float = LOOK_EVERY if report_after is None else min(LOOK_EVERY, report_after / 4)
        self.all_waiting: "Callable[[], Iterable[SyncCall]]" = all_waiting


@final
class WaitingCalls:
    """What one loop waits for. Used on the thread of that loop."""

    __slots__ = ("_looking", "_policy", "_queued", "_reported", "calls")

    def __init__(self, policy: StallPolicy) -> None:
        self._policy = policy
        self._looking = False
        self.calls: set[SyncCall] = set()
        self._queued: dict[SyncCall, tuple[int, float]] = {}  # the progress of its home, and since when
        self._reported: set[SyncCall] = set()

    def add(self, call: "SyncCall", loop: AbstractEventLoop) -> None:
        """A task begins to wait."""
        self.calls.add(call)
        if not self._looking:
            self._looking = True
            self._policy.clock.call_later(loop, self._policy.look_every, self._look)

    def _look(self) -> None:
        """Find the calls whose home has taken nothing up since the last look."""
        now = self._policy.clock.now()
        before, self._queued = self._queued, {}
        self._reported &= self.calls
        for call in tuple(self.calls):
            home = call.home
            if call.ran or home is None:
                continue
            progress, since = before.get(call, (-1, now))
            if progress == home.progress:
                self._stuck(call, now - since)
            else:
                since = now
            self._queued[call] = (home.progress, since)
        self._looking = bool(self.calls)
        if self._looking:
            self._policy.clock.call_later(asyncio.get_running_loop(), self._policy.look_every, self._look)

    def _stuck(self, call: "SyncCall", seconds: float) -> None:
        by_waiter = {id(waiting.waiter): waiting for waiting in self._policy.all_waiting()}

        def call_of(future: "Future[Any]") -> "SyncCall | None":
            return by_waiter.get(id(future))

        cycle = find_cycle(call, call_of)
        if cycle is not None:
            call.fail(DeadlockError(_describe(cycle)))
            return
        after = self._policy.report_after
        if after is not None and seconds >= after and call not in self._reported:
            self._reported.add(call)
            report = _report(call, seconds)
            _logger.warning("%s", report)
            if call.watch is not None:
                call.watch.stalled(report)


def _thread_name(thread_id: int | None) -> str:
    for thread in threading.enumerate():
        if thread.ident == thread_id:
            return repr(thread.name)
    return "of a pool"


def _home_thread(call: "SyncCall") -> str:
    return _thread_name(None if call.home is None else call.home.thread_id)


def _describe(cycle: "list[tuple[SyncCall, SyncCall, AsyncCall]]") -> str:
    steps = [
        f"{waiting.name} waits for the thread {_home_thread(waiting)}, which runs"
        f" {holder.name}, which waits in async_to_sync for {coroutine.name}, which awaits "
        for waiting, holder, coroutine in cycle
    ]
    remedy = "; give one of them thread_sensitive=False or a thread_sensitive_scope of its own"
    return "deadlock: " + "".join(steps) + cycle[0][0].name + remedy


def _report(call: "SyncCall", seconds: float) -> str:
    home = call.home
    thread_id = None if home is None else home.thread_id
    running = None if home is None else home.running
    text = f"{call.name} has waited {seconds:.1f} s for the thread {_thread_name(thread_id)}"
    text += ", where no call has ended meanwhile" if running is None else f", which is still running {running.name}"
    stacks = [("the thread", thread_stack(thread_id))]
    if call.loop is not None:
        stacks.append(("the task that waits", awaiting_stack(call.loop, call.waiter)))
    return text + "".join(f"\nStack of {what}:\n{stack}" for what, stack in stacks if stack)
