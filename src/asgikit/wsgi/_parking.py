"""How a worker thread waits for the event loop: with a bound on waiting for a loop that is gone."""

import asyncio
import threading
from typing import Final

from asgikit.errors import LoopUnavailableError, UnsupportedRuntimeError

__all__ = ("Parking",)

_LOOK_EVERY: Final = 0.5  # seconds; a loop seen stopped twice in a row is not coming back


class Parking:
    """Where the workers of one loop wait."""

    __slots__ = ("_loop", "_thread")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._thread = threading.get_ident()

    def wait(self, gate: threading.Lock) -> None:
        """Block until somebody releases `gate`. Called on a worker thread.

        Raises LoopUnavailableError once the loop has closed, or has stood still for a second;
        UnsupportedRuntimeError on the loop's own thread, which would wait for itself.
        """
        if threading.get_ident() == self._thread:
            raise UnsupportedRuntimeError(
                "the WSGI application waits for its client on the event-loop thread, so it would wait for ever: "
                "its executor runs calls inline; give WsgiToAsgi an executor with threads"
            )
        stopped = 0
        while not gate.acquire(timeout=_LOOK_EVERY):
            stopped = 0 if self._loop.is_running() else stopped + 1
            if self._loop.is_closed() or stopped > 1:
                raise LoopUnavailableError("the event loop of this request is gone, so its client cannot be reached")
