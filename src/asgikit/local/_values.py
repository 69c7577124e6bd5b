"""Where the values of a namespace live: in the running context, and nowhere else.

A `ContextVar` can never be taken out of a context again, so one per namespace would stay in every long-lived task
that ever used it. Here a fixed number of context variables, the shards, serve all namespaces; they are the only
process state of this room, `Final`, and their values are never changed in place:

- Each value is a `Cell`: the attributes of the namespace written last, and a dict with those of the others that share
  the shard. With fewer namespaces than shards the second part is mostly empty, and a write copies one small dict.
- A write makes new dicts and sets a new cell. Whoever holds a copy of the context keeps the old ones, so neither
  a read nor a write needs a lock, and a write is never seen in a sibling or a parent.
- A namespace stands in the cells as a weak `Key`. When it dies, its values leave the context that runs at that moment
  at once, and other contexts when the next namespace new to them arrives there and the count is a power of two.

This file knows attribute names and values, not the classes that users see, and no thread or event loop.
"""

from contextvars import Context, ContextVar
from typing import Any, Final, Self, TypeAlias, TypeVar, cast
from weakref import ref

__all__ = ("SHARDS", "Cell", "Key", "discard", "merged", "moved_to_front", "replace", "visible", "written_back")

_T = TypeVar("_T")

Values: TypeAlias = dict[str, Any]
"""The attributes of one namespace as one context sees them. Never changed once it stands in a cell."""

Cell: TypeAlias = "tuple[Key | None, Values, dict[Key, Values]]"
"""The namespace written last, its values, and the values of the others. Nothing in it is ever changed."""

_EMPTY: Final[Cell] = (None, {}, {})

SHARDS: Final[tuple[ContextVar[Cell], ...]] = tuple(
    ContextVar(f"asgikit.local.{number}", default=_EMPTY) for number in range(61)
)
"""A prime number of variables, so that addresses, which are multiples of 16, spread over all of them."""

_ALL: Final[frozenset[object]] = frozenset(SHARDS)


class Key(ref[object]):
    """Stands for one namespace in the cells without keeping it alive. Equal to itself alone."""

    __slots__ = ("var",)

    var: ContextVar[Cell]

    # The hash of a weak reference is that of its referent, and a user's subclass may have none.
    __hash__ = object.__hash__
    __eq__ = object.__eq__
    __ne__ = object.__ne__

    def __new__(cls, owner: object) -> Self:
        """Make the key of `owner`, which must keep it."""
        self = super().__new__(cls, owner, discard)
        self.var = SHARDS[id(self) // 16 % len(SHARDS)]
        return self


def visible(key: Key) -> Values:
    """Return the values of the namespace in the running context; not to be changed."""
    front, values, others = key.var.get()
    return values if front is key else others.get(key, {})


def moved_to_front(key: Key) -> tuple[Values, dict[Key, Values]]:
    """Return the last two parts of a cell that has `key` in front, where another one stands now."""
    front, values, others = key.var.get()
    rest = others.copy()
    if front is not None:
        rest[front] = values
    if key in rest:
        return rest.pop(key), rest
    if len(rest) & len(rest) - 1 == 0:
        rest = {key: values for key, values in rest.items() if key() is not None}
    return {}, rest


def replace(key: Key, values: Values) -> None:
    """Make `values` all that the namespace holds in the running context."""
    _, others = moved_to_front(key)
    key.var.set((key, values, others) if values else _without_front(others))


def discard(key: Key) -> None:
    """Drop all values of the namespace from the running context. Also called when the namespace dies, on any thread."""
    front, values, others = key.var.get()
    if front is key:
        key.var.set(_without_front(others))
    elif key in others:
        others = others.copy()
        del others[key]
        key.var.set((front, values, others))


def _without_front(others: dict[Key, Values]) -> Cell:
    return (None, {}, others) if others else _EMPTY


def written_back(variable: ContextVar[_T], before: Context, after: Context) -> _T:
    """Return what `variable` must become in the running context to carry what changed from `before` to `after`.

    That is `after[variable]`, except for the variables of this room, each of which holds many values: of those, what
    others set in the running context meanwhile stays. For whoever writes contexts back, as the bridge does.
    """
    value = after[variable]
    if variable in _ALL:
        shard = cast("ContextVar[Cell]", variable)
        return cast("_T", merged(before.get(shard, _EMPTY), after[shard], shard.get()))
    return value


def merged(before: Cell, after: Cell, now: Cell) -> Cell:
    """Return `now` with what changed between `before` and `after`, attribute by attribute."""
    if now is before:
        return after
    old, new, result = _by_key(before), _by_key(after), _by_key(now)
    for key in old.keys() | new.keys():
        result[key] = _changed(old.get(key, {}), new.get(key, {}), result.get(key, {}))
    return None, {}, {key: values for key, values in result.items() if values}


def _by_key(cell: Cell) -> dict[Key, Values]:
    front, values, others = cell
    return others.copy() if front is None else {**others, front: values}


def _changed(old: Values, new: Values, now: Values) -> Values:
    """Return `now` with the differences from `old` to `new`. By identity: `==` is users' code."""
    kept = {name: value for name, value in now.items() if name in new or name not in old}
    return kept | {name: value for name, value in new.items() if name not in old or old[name] is not value}
