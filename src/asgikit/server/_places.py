"""Who has a place for an instance, who is leaving one, who waits in line. Pure: no loop, and time is an argument."""

from collections import OrderedDict
from collections.abc import Hashable
from typing import Generic, TypeVar, final

from asgikit.protocols import InstanceStore
from asgikit.server._decisions import PoolRules, Room
from asgikit.server._instance import Instance
from asgikit.server._mailbox import Mailbox

__all__ = ("Addressee", "Places")

_ScopeT = TypeVar("_ScopeT")
_InT = TypeVar("_InT")
_OutT = TypeVar("_OutT")


@final
class Addressee(Generic[_ScopeT, _InT, _OutT]):
    """A scope that has messages, or an instance, or both. It outlives its instance while messages are left."""

    __slots__ = ("instance", "mailbox", "scope", "scope_id")

    def __init__(self, scope_id: Hashable, scope: _ScopeT, mailbox: Mailbox[_InT]) -> None:
        self.scope_id = scope_id
        self.scope = scope
        self.mailbox = mailbox
        self.instance: Instance[_ScopeT, _InT, _OutT] | None = None


@final
class Places(Generic[_ScopeT, _InT, _OutT]):
    """Says who may start and who has to go; the pool starts and ends them. Belongs to the thread of the pool's loop."""

    __slots__ = ("_rules", "_waiting_since", "ending", "line", "store")

    def __init__(self, *, rules: PoolRules, store: InstanceStore[Hashable, Instance[_ScopeT, _InT, _OutT]]) -> None:
        self._rules = rules
        self._waiting_since = 0.0
        self.store = store
        self.ending: set[Instance[_ScopeT, _InT, _OutT]] = set()
        self.line: OrderedDict[Hashable, Addressee[_ScopeT, _InT, _OutT]] = OrderedDict()

    @property
    def taken(self) -> int:
        """How many instances live, those that are ending included."""
        return len(self.store) + len(self.ending)

    @property
    def at_rest(self) -> bool:
        """Whether nobody waits, nobody is leaving, and every instance is idle."""
        return not self.line and not self.ending and self.store.next_busy() is None

    # The line

    def queue(self, addressee: Addressee[_ScopeT, _InT, _OutT], *, now: float) -> None:
        """Let the scope wait for a place, behind all others."""
        if not self.line:
            self._waiting_since = now
        self.line[addressee.scope_id] = addressee

    def leave_line(self, addressee: Addressee[_ScopeT, _InT, _OutT]) -> bool:
        """Let the scope wait no more; False when it did not."""
        return self.line.pop(addressee.scope_id, None) is not None

    def room_for_first(self) -> Room:
        """Decide what to do for the first in line; there is one."""
        if self.taken < self._rules.max_applications:
            return Room.START
        if len(self.ending) >= len(self.line):
            return Room.WAIT
        return Room.EVICT_BUSY if self.store.next_idle() is None else Room.EVICT_IDLE

    def call_first(self, *, now: float) -> Addressee[_ScopeT, _InT, _OutT]:
        """Remove the first from the line, for whom there is a place; for those behind it the wait begins anew."""
        self._waiting_since = now
        return self.line.popitem(last=False)[1]

    def restart_wait(self, *, now: float) -> None:
        """Grant the grace time anew before a busy instance has to go."""
        self._waiting_since = now

    def impatient_at(self) -> float | None:
        """Return when a busy instance has to go, unless a place becomes free; None while nobody waits."""
        return self._waiting_since + self._rules.grace_time if self.line else None

    # The places

    def tell_to_leave(self, instance: Instance[_ScopeT, _InT, _OutT]) -> None:
        """Count the instance as ending: it holds its place until it has ended, and nobody asks it to go again."""
        self.store.remove(instance.scope_id)
        self.ending.add(instance)

    def free(self, instance: Instance[_ScopeT, _InT, _OutT]) -> None:
        """Take the place of an instance that has ended."""
        self.store.remove(instance.scope_id)
        self.ending.discard(instance)

    def next_to_go(self) -> Instance[_ScopeT, _InT, _OutT] | None:
        """Return the instance that can be spared most easily, be it busy; None when there is none."""
        return self.store.next_idle() or self.store.next_busy()

    def idle_until(self) -> float | None:
        """Return when the longest idle instance has been idle for long enough; None when there is none or no limit."""
        longest = self.store.next_idle()
        if longest is None or self._rules.idle_timeout is None:
            return None
        return longest.idle_since + self._rules.idle_timeout
