"""An event loop that tells when it is about to rest, so that a test can wait for a condition without looking in vain.

What changes on a loop, changes before it rests in its selector: no earlier and no later need anybody look.
"""

import asyncio
import math
import selectors
import time
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from typing import Final

__all__ = ("loop_that_tells", "until")

RESOLUTION: Final = 0.001  # of the loop's clock and of this one


class _Telling(selectors.DefaultSelector):
    """Lets those who wait look once more before the loop rests, if anything may have run since they looked."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Future[None]] = []
        self._unseen = True
        self._next_timer = math.inf

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        about_to_rest = timeout is None or timeout > 0
        self._unseen = self._unseen or time.monotonic() >= self._next_timer
        if not (about_to_rest and self.waiting and self._unseen):
            self._unseen = True
            return super().select(timeout)
        waiting, self.waiting = self.waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)
        self._next_timer = math.inf if timeout is None else time.monotonic() + timeout - RESOLUTION
        events = super().select(0)
        self._unseen = bool(events)  # else this round is theirs alone, unless a timer is due in it
        return events


class _Loop(asyncio.SelectorEventLoop):
    """The loop that `until` asks."""

    def __init__(self) -> None:
        self.telling = _Telling()
        super().__init__(self.telling)


def loop_that_tells() -> AbstractEventLoop:
    """Return a new loop on which `until` can be awaited: a `loop_factory` for `asyncio.Runner`."""
    return _Loop()


async def until(condition: Callable[[], bool]) -> None:
    """Wait until `condition` holds, looking whenever the loop is about to rest. The time limit is the test's own."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, _Loop), "run the test on a loop_that_tells"
    while not condition():
        rest: Future[None] = loop.create_future()
        loop.telling.waiting.append(rest)
        await rest
