"""The namespace that never crosses: values of one thread, and of one task on that thread."""

import threading
from asyncio import _get_running_loop as loop_or_none  # documented; raises nothing
from collections.abc import Callable
from reprlib import recursive_repr
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self, final

from asgikit.local._base import detached, no_attribute, refuse_copy, representation
from asgikit.local._values import Key, replace, visible

__all__ = ("ThreadCriticalLocal", "clear_here", "values_here")

_plain_read: Final = object.__getattribute__


class _Side:
    """What one thread holds: a dict for its sync code, a key for the values of its tasks. Dies with the thread."""

    __slots__ = ("__weakref__", "key", "plain")

    def __init__(self) -> None:
        self.plain: dict[str, Any] = {}
        self.key = Key(self)


class _Sides(threading.local):
    def __init__(self) -> None:
        self.side = _Side()  # the language calls this once on each thread that looks


@final
class ThreadCriticalLocal:
    """A namespace whose values never leave their thread, for objects that must not: connections, cursors, handles.

    In sync code it is `threading.local`. On a thread that is running an event loop, the values belong to the running
    context *and* that thread: tasks see what their parent had set and keep their own from siblings. No crossing
    carries them, neither a bridge nor `asyncio.to_thread`, and the sync code of a thread does not see what the tasks
    of its event loop set.

    May be used on any thread; reading takes no lock. The values die with the namespace, the thread, or the last
    context that holds them. Source: the truth table in the documentation.

    Raises:
        AttributeError: an attribute is read or deleted where no value is visible.
        LocalCopyError: it is copied or pickled.
        TypeError: it is subclassed.
    """

    __slots__ = ("__weakref__", "_sides")

    def __new__(cls) -> Self:
        """Make an empty namespace, on any thread. Takes no arguments: values belong to threads."""
        self = super().__new__(cls)
        _set_sides(self, _Sides())
        return self

    if TYPE_CHECKING:

        def __getattr__(self, name: str, /) -> Any: ...
        def __setattr__(self, name: str, value: Any, /) -> None: ...
        def __delattr__(self, name: str, /) -> None: ...

    else:

        def __getattribute__(self, name: str) -> Any:
            side = _sides_of(self).side
            try:
                if loop_or_none() is None:
                    return side.plain[name]
                return visible(side.key)[name]
            except KeyError:
                pass
            return _plain_read(self, name)

        def __setattr__(self, name: str, value: Any) -> None:
            side = _sides_of(self).side
            if loop_or_none() is None:
                side.plain[name] = value
            else:
                replace(side.key, visible(side.key) | {name: value})

        def __delattr__(self, name: str) -> None:
            values = values_here(self)
            if name not in values:
                raise no_attribute(self, name)
            side = _sides_of(self).side
            if loop_or_none() is None:
                del side.plain[name]
            else:
                replace(side.key, {other: value for other, value in values.items() if other != name})

    def __init_subclass__(cls) -> None:
        """Refuse: values here have no defaults or methods that a subclass could add."""
        raise TypeError("ThreadCriticalLocal cannot be subclassed: keep one as an attribute of your own class")

    def __dir__(self) -> list[str]:
        return sorted({*dir(type(self)), *values_here(self)})

    @recursive_repr()
    def __repr__(self) -> str:
        return representation(self, values_here(self))

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        refuse_copy(self)


_slot: Final = detached(ThreadCriticalLocal, "_sides")
_sides_of: Final[Callable[[ThreadCriticalLocal], _Sides]] = _slot.__get__
_set_sides: Final[Callable[[ThreadCriticalLocal, _Sides], None]] = _slot.__set__


def values_here(local: ThreadCriticalLocal) -> dict[str, Any]:
    """Return the values visible to the running code; not to be changed."""
    side = _sides_of(local).side
    return side.plain if loop_or_none() is None else visible(side.key)


def clear_here(local: ThreadCriticalLocal) -> None:
    """Drop the values visible to the running code."""
    side = _sides_of(local).side
    if loop_or_none() is None:
        side.plain = {}
    else:
        replace(side.key, {})
