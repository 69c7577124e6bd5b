"""A call that the test holds: it says when it has begun, and ends when the test lets it go."""

import threading
from collections.abc import Callable
from types import TracebackType
from typing import Generic, Self, TypeVar

from asgikit.executor._work import FutureWork

_T = TypeVar("_T")

SECONDS = 5.0  # nothing here takes this long unless it is broken


class Held:
    """Call it on one or more threads; each stays inside until `let_go`, at the latest at the end of its `with`."""

    def __init__(self) -> None:
        """Hold whoever comes."""
        self.threads: list[int] = []
        self._begun = threading.Semaphore(0)
        self._go = threading.Event()
        self._lock = threading.Lock()
        self._inside = 0
        self.most = 0

    def __call__(self) -> str:
        """Stay until let go, and return the name of the thread."""
        with self._lock:
            self.threads.append(threading.get_ident())
            self._inside += 1
            self.most = max(self.most, self._inside)
        self._begun.release()
        assert self._go.wait(SECONDS), "nobody let this call go"
        with self._lock:
            self._inside -= 1
        return threading.current_thread().name

    def wait(self, count: int = 1) -> None:
        """Block until `count` more calls have begun."""
        for _ in range(count):
            assert self._begun.acquire(timeout=SECONDS), "the call did not begin"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.let_go()

    def let_go(self) -> None:
        """Let all calls end, also later ones."""
        self._go.set()


class WatchedWork(FutureWork[_T], Generic[_T]):
    """Work with a future, that knows itself while it runs: for pools that are told what their work is doing."""

    def __init__(self, call: Callable[["WatchedWork[_T]"], _T]) -> None:
        """Run `call(self)`."""
        super().__init__(lambda: call(self))

    def result(self) -> _T:
        """Wait for the outcome."""
        return self.future.result(SECONDS)
