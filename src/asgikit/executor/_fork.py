"""What belongs to one process and begins anew in a forked child: once, whichever of its threads comes first."""

import os
import threading
from collections.abc import Callable
from typing import final

__all__ = ("ForkGuard",)


@final
class ForkGuard:
    """Says whether an object still belongs to a parent process, and lets one thread begin it anew."""

    __slots__ = ("_locks", "process")

    def __init__(self) -> None:
        self.process: int = os.getpid()
        self._locks: dict[int, threading.Lock] = {}

    @property
    def inherited(self) -> bool:
        """Whether the object was begun in a parent process. Any thread."""
        return self.process != os.getpid()

    def renew(self, begin: Callable[[], object]) -> None:
        """Call `begin` unless that was done in this process already. Any thread; returns when it is done.

        Each process has a lock of its own: that of the parent may be held for ever by a thread that is not there.
        """
        process = os.getpid()
        with self._locks.setdefault(process, threading.Lock()):
            if self.process != process:
                begin()
                self.process = process  # last: until then nobody takes what is there for this process's own
