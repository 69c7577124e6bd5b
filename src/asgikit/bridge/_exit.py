"""What happens at interpreter exit: calls under way get a moment to end, and the process goes.

Worker threads are daemons, so nothing waits for them unless this hook does (invariant C2). It holds bridges
weakly, and closes none: exit handlers that run after it may still call through them (invariant C3). For the same
reason it waits for the parts that a bridge was given as for those that it made: waiting takes nothing from anybody.
"""

import atexit
import time
from typing import Final, Protocol, final, runtime_checkable
from weakref import WeakSet

__all__ = ("Closable", "at_exit")


@runtime_checkable
class Closable(Protocol):
    """A part with threads: a bridge closes those that it made, and waits for all at exit."""

    @property
    def started(self) -> bool:
        """Whether it has threads."""
        ...

    def close(self, grace: float, /) -> None:
        """End its threads, waiting at most `grace` seconds."""

    def drain(self, grace: float, /) -> None:
        """Wait at most `grace` seconds for busy threads, and name in a warning those that stay busy."""


class Waiter(Protocol):
    """A bridge, as the exit hook sees it."""

    shutdown_grace: float

    def wait_at_exit(self, grace: float, /) -> None:
        """Wait at most `grace` seconds for calls under way."""


@final
class _AtExit:
    """The bridges that are open."""

    __slots__ = ("_open",)

    def __init__(self) -> None:
        self._open: WeakSet[Waiter] = WeakSet()

    def add(self, bridge: Waiter) -> None:
        """Wait for this one at exit."""
        self._open.add(bridge)

    def discard(self, bridge: Waiter) -> None:
        """It is closed."""
        self._open.discard(bridge)

    def wait(self) -> None:
        """Wait for all of them together, no longer than the longest grace period. Runs at interpreter exit."""
        bridges = list(self._open)
        deadline = time.monotonic() + max((bridge.shutdown_grace for bridge in bridges), default=0.0)
        for bridge in bridges:
            bridge.wait_at_exit(max(0.0, deadline - time.monotonic()))


at_exit: Final = _AtExit()
atexit.register(at_exit.wait)
