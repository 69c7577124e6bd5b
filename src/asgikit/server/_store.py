"""Which instance goes first. Pure: no loop, no clock; every method is one or two moves in a linked list."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator
from itertools import chain
from typing import Generic, TypeVar, final

__all__ = ("LRUInstanceStore",)

_KeyT = TypeVar("_KeyT", bound=Hashable)
_InstanceT = TypeVar("_InstanceT")


@final
class LRUInstanceStore(Generic[_KeyT, _InstanceT]):
    """Evicts the idle instance that has not been used for longest; of busy ones, the longest busy.

    Two ordered maps, one per state, each with the least recently used first. `OrderedDict` and not
    `dict`: taking the first key of a `dict` walks over the holes that earlier removals left. Not locked: it
    belongs to one server, on one event-loop thread.
    """

    def __init__(self) -> None:
        """Start empty."""
        self._idle: OrderedDict[_KeyT, _InstanceT] = OrderedDict()
        self._busy: OrderedDict[_KeyT, _InstanceT] = OrderedDict()

    def __len__(self) -> int:
        """Return how many instances are kept."""
        return len(self._idle) + len(self._busy)

    def __iter__(self) -> Iterator[_InstanceT]:
        """Go through all instances, the idle ones first, the next to go first."""
        return chain(self._idle.values(), self._busy.values())

    def add(self, scope_id: _KeyT, instance: _InstanceT, /) -> None:
        """Keep a new instance, busy and used just now."""
        self._busy[scope_id] = instance

    def remove(self, scope_id: _KeyT, /) -> None:
        """Forget the instance of this id; does nothing for an unknown one."""
        self._idle.pop(scope_id, None)
        self._busy.pop(scope_id, None)

    def mark_busy(self, scope_id: _KeyT, /) -> None:
        """Move the instance to the end of the busy ones, unless it is one of them already."""
        _move(scope_id, self._idle, self._busy)

    def mark_idle(self, scope_id: _KeyT, /) -> None:
        """Move the instance to the end of the idle ones, unless it is one of them already."""
        _move(scope_id, self._busy, self._idle)

    def next_idle(self) -> _InstanceT | None:
        """Return the instance that has been idle for longest, or None when none is idle."""
        return next(iter(self._idle.values()), None)

    def next_busy(self) -> _InstanceT | None:
        """Return the instance that has been busy for longest, or None when none is busy."""
        return next(iter(self._busy.values()), None)


def _move(scope_id: _KeyT, source: OrderedDict[_KeyT, _InstanceT], target: OrderedDict[_KeyT, _InstanceT]) -> None:
    if scope_id in source:
        target[scope_id] = source.pop(scope_id)
