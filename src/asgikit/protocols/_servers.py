"""Servers without connections, as others see them: the applications they run, their store, and the server itself."""

from collections.abc import Awaitable, Callable, Hashable, Iterator
from typing import Any, Protocol, TypeAlias

from typing_extensions import TypeVar

__all__ = ("ApplicationLike", "DoubleCallable", "InstanceStore", "ServerLike")

_ScopeT = TypeVar("_ScopeT", default=Any)
_InT = TypeVar("_InT", default=Any)
_OutT = TypeVar("_OutT", default=Any)
_KeyT_contra = TypeVar("_KeyT_contra", bound=Hashable, contravariant=True, default=Hashable)
_InstanceT = TypeVar("_InstanceT", default=Any)

ApplicationLike: TypeAlias = Callable[
    [_ScopeT, Callable[[], Awaitable[_InT]], Callable[[_OutT], Awaitable[None]]], Awaitable[object]
]
"""An ASGI 3 application: takes a scope, a `receive` of incoming and a `send` of outgoing messages."""

DoubleCallable: TypeAlias = Callable[
    [_ScopeT], Callable[[Callable[[], Awaitable[_InT]], Callable[[_OutT], Awaitable[None]]], Awaitable[object]]
]
"""An ASGI 2 application: called with the scope, it answers with what takes `receive` and `send`."""


class InstanceStore(Protocol[_KeyT_contra, _InstanceT]):
    """Keeps the instances that run, by scope id, and says whose turn it is to go.

    Every method is called on the thread of the server's loop, none may block, and each should cost
    the same however many instances there are. An instance is *idle* while it waits for a message.
    """

    def __len__(self) -> int:
        """Return how many instances are kept."""
        ...

    def __iter__(self) -> Iterator[_InstanceT]:
        """Go through all instances kept; the store is not changed meanwhile."""
        ...

    def add(self, scope_id: _KeyT_contra, instance: _InstanceT, /) -> None:
        """Keep a new instance, busy and used just now. The id is not in the store yet."""

    def remove(self, scope_id: _KeyT_contra, /) -> None:
        """Forget the instance of this id; does nothing for an unknown one."""

    def mark_busy(self, scope_id: _KeyT_contra, /) -> None:
        """Note that the instance is being used and works; does nothing for an unknown id."""

    def mark_idle(self, scope_id: _KeyT_contra, /) -> None:
        """Note that the instance has done all its work and waits; does nothing for an unknown id."""

    def next_idle(self) -> _InstanceT | None:
        """Return the idle instance to evict next (it stays in the store), or None when none is idle."""
        ...

    def next_busy(self) -> _InstanceT | None:
        """Return the busy instance to evict when none is idle, or None when none is busy."""
        ...


class ServerLike(Protocol):
    """A server as a framework's command line sees it. Implementation: `asgikit.server.StatelessServer`."""

    def run(self) -> None:
        """Serve on an event loop of its own until the server stops. Blocks the calling thread."""

    async def arun(self) -> None:
        """Serve on the running loop until the server stops."""

    def stop(self) -> None:
        """Ask the server to stop; returns at once. Called on the thread of the server's loop."""
