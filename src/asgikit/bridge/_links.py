"""The links of a chain: what encloses a piece of running code, innermost first.

A link is kept alive by every task that descends from it, so it holds nothing but what routing needs,
lets go of that when it ends, and then leads to the nearest ancestor that is still live: what a task
can reach does not depend on how many crossings came before it (invariant E8).
"""

from asyncio import AbstractEventLoop
from typing import TYPE_CHECKING, final

from asgikit.bridge._chain import process
from asgikit.errors import ScopeError
from asgikit.executor import CurrentThreadExecutor
from asgikit.protocols import Crossing, Lease, LoopRunner

if TYPE_CHECKING:
    from asgikit.bridge._homes import ScopeHome

__all__ = ("ExecutorScopeLink", "HostLink", "LeaseScopeLink", "Link", "LoopScopeLink")


class Link:
    """One enclosing crossing or scope."""

    __slots__ = ("_open", "_process", "parent")

    def __init__(self, parent: "Link | None") -> None:
        self.parent: Link | None = _nearest_live(parent)
        self._open = True
        self._process = process.token

    @property
    def live(self) -> bool:
        """Whether what the link stands for still goes on, in this process."""
        return self._open and self._process is process.token

    @property
    def here(self) -> bool:
        """Whether it belongs to this process, and not to the parent of a forked child."""
        return self._process is process.token

    def close(self) -> None:
        """End; tasks that live on go to the next live link from now on."""
        self._open = False
        self.parent = _nearest_live(self.parent)


def _nearest_live(link: Link | None) -> Link | None:
    """Pass over what has ended, but for a scope with an executor: a task that outlived it has to hear of it."""
    while link is not None and not link.live:
        if isinstance(link, ExecutorScopeLink) and link.here:
            return link
        link = link.parent
    return link


@final
class HostLink(Link):
    """A thread that waits in `async_to_sync`, and runs what comes meanwhile."""

    __slots__ = ("blocks", "crossing", "home", "hosting")

    def __init__(self, parent: Link | None, host: CurrentThreadExecutor) -> None:
        super().__init__(parent)
        self.home: CurrentThreadExecutor = host
        self.hosting: bool = True  # False when that thread runs the event loop itself
        self.blocks: AbstractEventLoop | None = None  # a loop that stands still until this ends
        self.crossing: Crossing | None = None  # what observers call it

    def close(self) -> None:
        super().close()
        self.hosting = False
        self.blocks = None


@final
class LeaseScopeLink(Link):
    """A thread-sensitive scope with a leased worker."""

    __slots__ = ("home",)

    def __init__(self, parent: Link | None, lease: Lease) -> None:
        super().__init__(parent)
        self.home: Lease = lease

    def release(self) -> None:
        """End, and give the worker back. Any thread; idempotent."""
        self.close()
        self.home.release()


@final
class ExecutorScopeLink(Link):
    """A thread-sensitive scope that was given an executor."""

    __slots__ = ("_home",)

    def __init__(self, parent: Link | None, home: "ScopeHome") -> None:
        super().__init__(parent)
        self._home: "ScopeHome | None" = home

    @property
    def home(self) -> "ScopeHome":
        """Where the work of the scope goes.

        Raises:
            ScopeError: the scope has ended.
        """
        if self._home is None or not self.live:
            message = (
                "the thread-sensitive scope that this task was started in has exited, and its executor with it;"
                " await the task inside the scope, or start it outside"
            )
            raise ScopeError(message)
        return self._home

    def close(self) -> None:
        """End, for good: nothing that lies above is reached any more."""
        super().close()
        self._home = self.parent = None


@final
class LoopScopeLink(Link):
    """A region whose cold `async_to_sync` calls share one event loop."""

    __slots__ = ("runner",)

    def __init__(self, parent: Link | None, runner: LoopRunner) -> None:
        super().__init__(parent)
        self.runner: LoopRunner = runner
