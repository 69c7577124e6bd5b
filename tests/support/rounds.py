"""An event loop that tells of every round it takes, so that a test can wait for a condition without looking in vain.

A loop at rest waits in its selector. So whatever changes on it, changes in a round that begins there.
"""

import asyncio
import selectors
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable

__all__ = ("loop_that_tells", "until")


class _Telling(selectors.DefaultSelector):
    """Wakes whoever waits for the next round."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[Future[None]] = []

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(timeout)
        waiting, self.waiting = self.waiting, []
        for future in waiting:
            if not future.done():
                future.set_result(None)
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
    """Wait until `condition` holds, looking once for each round of the loop in which something else ran.

    There is no limit of time here: the test has one.
    """
    loop = asyncio.get_running_loop()
    assert isinstance(loop, _Loop), "run the test on a loop_that_tells"
    while not condition():
        round_begins: Future[None] = loop.create_future()
        loop.telling.waiting.append(round_begins)
        await round_begins
