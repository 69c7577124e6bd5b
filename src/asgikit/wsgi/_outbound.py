"""The response on its way from the worker to the event loop, with a bound on what waits.

The worker wakes the loop only when the loop is about to sleep, so chunks that come while the client is
slower than the application cost no crossing and travel together.
"""

import asyncio
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from asgikit.errors import ClientDisconnectedError, LoopUnavailableError
from asgikit.wsgi._mailbox import Mailbox
from asgikit.wsgi._parking import Parking
from asgikit.wsgi._response_head import ResponseHead

__all__ = ("Batch", "Outbound")

# Batches, after which the loop has its turn though the worker has said more already: fewer than those writes to a
# client that has left (five) from which on asyncio warns.
_IN_A_ROW: Final = 4


@dataclass(slots=True)
class Batch:
    """What the worker had to say since the last time."""

    chunks: list[bytes]
    file_event: Mapping[str, Any] | None
    head: ResponseHead | None
    last: bool
    done: bool
    wants_body: bool


class Outbound:
    """One response. `take`, `sent` and `abort` belong to the event-loop thread, everything else to the worker."""

    __slots__ = (
        "_aborted",
        "_awake",
        "_capacity",
        "_chunks",
        "_deserted",
        "_done",
        "_error",
        "_file_event",
        "_gate",
        "_head",
        "_held",
        "_in_a_row",
        "_last",
        "_lock",
        "_mailbox",
        "_parking",
        "_waiter",
        "_wants_body",
    )

    def __init__(self, *, capacity: int, mailbox: Mailbox, parking: Parking) -> None:
        self._capacity = capacity
        self._mailbox = mailbox
        self._parking = parking
        self._lock = threading.Lock()
        self._chunks: list[bytes] = []
        self._held = 0
        self._in_a_row = 0
        self._head: ResponseHead | None = None
        self._file_event: Mapping[str, Any] | None = None
        self._last = False
        self._done = False
        self._wants_body = False
        self._error: BaseException | None = None
        self._aborted: str | None = None
        self._deserted = False
        self._awake = True  # until the first `take` finds nothing
        self._gate: threading.Lock | None = None
        self._waiter: asyncio.Future[None] | None = None

    # The worker's side

    def check(self) -> None:
        """Raise ClientDisconnectedError if nobody wants the response any more."""
        if self._aborted is not None:
            raise ClientDisconnectedError(self._aborted)

    def check_wanted(self) -> None:
        """Raise ClientDisconnectedError if the request was cancelled; called before the application runs."""
        if self._deserted:
            self.check()

    def put(self, data: bytes, head: ResponseHead | None = None, *, last: bool = False, wake: bool = True) -> None:
        """Queue bytes; block while too many wait. With the first ones comes the head.

        Without `wake` the loop hears of them with `done`. Raises ClientDisconnectedError if nobody wants them
        any more.
        """
        while (gate := self._queue(data, head, last, wake)) is not None:
            self._wait(gate)

    def put_file(self, event: Mapping[str, Any], head: ResponseHead) -> None:
        """Queue an event with which the server sends a file by itself; block until it has been sent."""
        with self._lock:
            self.check()
            self._head, self._file_event = head, event
            gate = self._close_gate()
            call = self._mark_awake()
        if call:
            self._mailbox.post(self._wake)
        self._wait(gate)
        self.check()

    def finish(self, head: ResponseHead | None, *, wake: bool) -> None:
        """Say that the body is complete; without `wake` the loop hears it with `done`, or when it looks next."""
        with self._lock:
            self._last = True
            if head is not None:
                self._head = head
            call = wake and self._mark_awake()
        if call:
            self._mailbox.post(self._wake)

    def demand(self) -> None:
        """Say that the application waits for its request body."""
        with self._lock:
            self._wants_body = True
            call = self._mark_awake()
        if call:
            self._mailbox.post(self._wake)

    def done(self, error: BaseException | None) -> bool:
        """Say that the worker has ended; return whether somebody was there to hear it."""
        with self._lock:
            self._done, self._error = True, error
            heard = not self._deserted
            call = self._mark_awake()
        if call:
            try:
                self._mailbox.post(self._wake)
            except LoopUnavailableError:
                return False
        return heard

    def _queue(self, data: bytes, head: ResponseHead | None, last: bool, wake: bool) -> "threading.Lock | None":
        """Queue the bytes, or return the gate to wait at before another try."""
        with self._lock:
            self.check()
            if self._held >= self._capacity:
                return self._close_gate()
            self._chunks.append(data)
            self._held += len(data)
            self._last = last
            if head is not None:
                self._head = head
            call = wake and self._mark_awake()
        if call:
            self._mailbox.post(self._wake)
        return None

    def _mark_awake(self) -> bool:
        call, self._awake = not self._awake, True
        return call

    def _close_gate(self) -> threading.Lock:
        self._gate = gate = threading.Lock()
        gate.acquire()
        return gate

    def _wait(self, gate: threading.Lock) -> None:
        try:
            self._parking.wait(gate)
        except LoopUnavailableError as error:
            raise ClientDisconnectedError(str(error)) from error

    # The loop's side

    async def take(self) -> Batch:
        """Return what the worker has said; wait until it says something.

        Without the GIL a worker can say more while the loop sends, every time; others on the loop have their turn.
        """
        self._in_a_row += 1
        batch = self._grab() if self._in_a_row <= _IN_A_ROW else None
        if batch is None:
            self._in_a_row = 0
            # The turn of the loop lets a busy worker have the interpreter: usually it has more to say then.
            await asyncio.sleep(0)
            batch = self._grab()
        while batch is None:
            self._waiter = waiter = asyncio.get_running_loop().create_future()
            batch = self._grab(sleep=True)
            if batch is None:
                await waiter
                batch = self._grab()
        self._waiter = None
        return batch

    def sent(self) -> None:
        """Say that the file event has been sent."""
        with self._lock:
            self._open_gate()

    def abort(self, reason: str) -> None:
        """Have the worker end at its next chunk with ClientDisconnectedError(reason)."""
        with self._lock:
            if self._aborted is None:
                self._aborted = reason
            self._chunks.clear()
            self._held = 0
            self._file_event = None
            self._open_gate()

    def desert(self, reason: str) -> bool:
        """Leave: nobody will take anything any more. Return whether the worker still runs."""
        with self._lock:
            self._deserted = True
            if self._done:
                return False
        self.abort(reason)
        return True

    def take_error(self) -> BaseException | None:
        """Return what the worker ended with, once: no reference is kept."""
        error, self._error = self._error, None
        return error

    def _grab(self, *, sleep: bool = False) -> Batch | None:
        with self._lock:
            if not (self._chunks or self._done or self._last or self._wants_body or self._file_event is not None):
                self._awake = not sleep
                return None
            batch = Batch(self._chunks, self._file_event, self._head, self._last, self._done, self._wants_body)
            self._chunks = []
            self._held = 0
            self._file_event = None
            self._last = False
            self._wants_body = False
            if batch.file_event is None and batch.chunks:
                self._open_gate()
            return batch

    def _open_gate(self) -> None:
        gate, self._gate = self._gate, None
        if gate is not None:
            gate.release()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)
