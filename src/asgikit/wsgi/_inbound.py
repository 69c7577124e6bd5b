"""The request body on its way from the event loop to the worker, with a bound on what waits."""

import asyncio
import threading
from collections.abc import Callable
from typing import Final

from asgikit.errors import ClientDisconnectedError, LoopUnavailableError, RequestBodyTooLargeError
from asgikit.wsgi._mailbox import Mailbox
from asgikit.wsgi._parking import Parking

__all__ = ("Inbound",)

_OVERFULL: Final = 4  # times the capacity, and events: one can be larger than any capacity


class Inbound:
    """One request body. `take` and `check` belong to the worker, everything else to the event-loop thread."""

    __slots__ = (
        "_capacity",
        "_chunks",
        "_demand",
        "_ended",
        "_error",
        "_gate",
        "_held",
        "_length",
        "_limit",
        "_lock",
        "_mailbox",
        "_parking",
        "_received",
        "_room",
        "_truncated",
    )

    def __init__(
        self,
        *,
        length: int | None,
        limit: int | None,
        capacity: int,
        mailbox: Mailbox,
        parking: Parking,
        demand: Callable[[], None],
    ) -> None:
        self._length = length
        self._limit = limit
        self._capacity = capacity
        self._mailbox = mailbox
        self._parking = parking
        self._demand = demand  # called by the worker, with nothing held, when it waits for a body
        self._lock = threading.Lock()
        self._chunks: list[bytes] = []
        self._held = 0
        self._received = 0
        self._ended = length == 0
        self._truncated = False
        self._error: OSError | None = None
        self._gate: threading.Lock | None = None
        self._room: asyncio.Future[None] | None = None

    @property
    def ended(self) -> bool:
        """Whether no more bytes will come, because all are here or because they never will be."""
        return self._ended or self._error is not None

    @property
    def failed(self) -> bool:
        """Whether the body can never be whole."""
        return self._error is not None

    @property
    def received(self) -> int:
        """Bytes that came so far."""
        return self._received

    @property
    def truncated(self) -> bool:
        """Whether the server said that the body was over before all of its announced bytes had come."""
        return self._truncated

    @property
    def too_large(self) -> bool:
        """Whether the body went beyond the operator's limit."""
        return isinstance(self._error, RequestBodyTooLargeError)

    def feed(self, data: bytes, *, more: bool) -> None:
        """Take what `receive` gave. Bytes beyond Content-Length are left out, as PEP 3333 asks."""
        with self._lock:
            if self.ended:
                return
            if self._length is not None:
                data = data[: self._length - self._received]
            self._received += len(data)
            if self._limit is not None and self._received > self._limit:
                self._stop(RequestBodyTooLargeError(f"the request body is longer than {self._limit} bytes, the limit"))
                return
            if data:
                self._chunks.append(data)
                self._held += len(data)
            self._ended = self._received == self._length if more or self._length is not None else True
            if not more and not self._ended:
                self._truncated = True
                self._stop(ClientDisconnectedError(f"the body ended after {self._received} of {self._length} bytes"))
            if data or self._ended:  # nothing at all would look like the end to whoever waits
                self._open_gate()

    def fail(self, error: OSError) -> None:
        """Have every later read raise `error`, unless the body is here as a whole."""
        with self._lock:
            if not self.ended:
                self._stop(error)

    @property
    def overfull(self) -> bool:
        """Whether so much waits to be read that the application does not seem to want it."""
        return self._held >= _OVERFULL * self._capacity and len(self._chunks) >= _OVERFULL

    async def room(self, patience: float | None) -> None:
        """Wait until less than the capacity is waiting to be read, but not longer than `patience` seconds."""
        with self._lock:
            if self._held < self._capacity or self.ended:
                return
            self._room = room = asyncio.get_running_loop().create_future()
        if patience is None:
            await room
        else:
            await asyncio.wait((room,), timeout=patience)

    def make_room(self) -> None:
        """End a wait for room, whatever waits to be read."""
        room, self._room = self._room, None
        if room is not None and not room.done():
            room.set_result(None)

    def take(self) -> list[bytes]:
        """Return all that waits; block while that is nothing; an empty list is the end of the body."""
        with self._lock:
            chunks = self._take()
            if chunks or self._ended:
                return chunks
            self._gate = gate = threading.Lock()
            gate.acquire()
        self._demand()
        try:
            self._parking.wait(gate)
        except LoopUnavailableError as error:
            self.fail(ClientDisconnectedError(str(error)))
        with self._lock:
            return self._take()

    def check(self) -> None:
        """Raise if the body can never be whole."""
        error = self._error
        if error is not None:
            raise type(error)(*error.args)  # a fresh one each time: tracebacks do not pile up

    def _take(self) -> list[bytes]:
        self.check()
        chunks, self._chunks = self._chunks, []
        self._held = 0
        if self._room is not None:
            self._mailbox.post(self.make_room)
        return chunks

    def _stop(self, error: OSError) -> None:
        self._error = error
        self._chunks.clear()
        self._held = 0
        self._open_gate()

    def _open_gate(self) -> None:
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.release()
