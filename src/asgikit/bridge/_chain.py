"""The one piece of process state: which crossings lie above the running code.

That is a fact of the program and not of one bridge, so it stands here once for all of them:

- `current`, a context variable, says which link of the chain encloses the running code. Tasks inherit it,
  so it also reaches tasks that outlive what the link stands for; links know whether they are still live.
- `here.thread` says what this thread is doing: the synchronous call it is running and the host that serves it.
  Contexts travel to other threads (`asyncio.to_thread`), this does not.
- `process` changes in a forked child, where every link and every call of the parent is dead.

Nothing else belongs here, and no other file of the package has state outside an object that somebody made.
"""

import os
import threading
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final, final

if TYPE_CHECKING:
    from asgikit.bridge._links import Link
    from asgikit.bridge._sync_call import SyncCall
    from asgikit.executor import CurrentThreadExecutor

__all__ = ("ThreadState", "current", "here", "process")


@final
class ThreadState:
    """What one thread is doing."""

    __slots__ = ("call", "host")

    def __init__(self) -> None:
        self.call: SyncCall | None = None
        self.host: CurrentThreadExecutor | None = None


@final
class _Here(threading.local):
    """The state of the running thread: one look-up, after which its parts cost nothing."""

    def __init__(self) -> None:
        self.thread = ThreadState()


@final
class _Process:
    """Which process this is; `token` is another object in a forked child."""

    __slots__ = ("token",)

    def __init__(self) -> None:
        self.token = object()

    def forked(self) -> None:
        """Start anew. Runs in the child, on the one thread that it has."""
        self.token = object()
        here.thread.call = here.thread.host = None


current: Final[ContextVar["Link | None"]] = ContextVar("asgikit.bridge.current", default=None)
here: Final = _Here()
process: Final = _Process()

if hasattr(os, "register_at_fork"):  # not on Windows
    os.register_at_fork(after_in_child=process.forked)
