"""The response as PEP 3333 sees it, as a state machine: pure, table-tested, no event and no thread.

Fed with what the application does, it says which bytes to transmit and when the head is due: with the
first byte of the body, or at its end. The head is never due earlier, so `exc_info` can still replace it.
"""

from collections.abc import Iterable, Sequence
from enum import Enum, auto
from types import TracebackType
from typing import TypeAlias, cast

from asgikit.errors import ResponseBodyError, StartResponseError
from asgikit.wsgi._response_head import HopByHop, ResponseHead, read_head

__all__ = ("Phase", "ResponseState")

ExcInfo: TypeAlias = tuple[type[BaseException], BaseException, TracebackType] | tuple[None, None, None]


class Phase(Enum):
    """How far a response is."""

    IDLE = auto()
    """`start_response` has not been called."""
    STARTED = auto()
    """The head is known but held back."""
    COMMITTED = auto()
    """The head is on its way: it cannot be replaced any more."""
    COMPLETE = auto()
    """No further byte of the body will be sent."""


class ResponseState:
    """One response. Not thread-safe: only the thread that runs the application may use it."""

    __slots__ = ("_hop_by_hop", "_is_head", "_sent", "head", "overrun", "phase")

    def __init__(self, method: str, hop_by_hop: HopByHop = "refuse") -> None:
        self._hop_by_hop: HopByHop = hop_by_hop
        self._is_head = method == "HEAD"
        self._sent = 0
        self.phase = Phase.IDLE
        self.head: ResponseHead | None = None
        self.overrun = 0
        """Bytes that were left out because they came after the announced length."""

    @property
    def sends_body(self) -> bool:
        """Whether this response has a body: not for HEAD, 204 and 304. The head must be known."""
        return not self._is_head and self._known_head().has_body

    @property
    def committed(self) -> bool:
        """Whether the head is on its way."""
        return self.phase in (Phase.COMMITTED, Phase.COMPLETE)

    @property
    def complete(self) -> bool:
        """Whether iterating the application's body further is of no use."""
        return self.phase is Phase.COMPLETE

    def start(self, status: object, headers: Iterable[object], exc_info: ExcInfo | None = None) -> None:
        """Take the head. Called by the application through `start_response`.

        Raises the exception in `exc_info` if the head is on its way, StartResponseError for a repeated call
        without `exc_info` or then without an exception in it, ResponseHeadError for a head that cannot be sent.
        """
        try:
            if exc_info is not None and exc_info[1] is not None and self.committed:
                raise exc_info[1].with_traceback(exc_info[2])
            if self.committed or (exc_info is None and self.phase is not Phase.IDLE):
                raise StartResponseError(
                    "the application called start_response twice: only a call with exc_info may replace the head"
                )
            self.head = read_head(status, headers, self._hop_by_hop)
            self.phase = Phase.STARTED
        finally:
            exc_info = None  # PEP 3333: no reference cycle through the traceback

    def commit(self) -> ResponseHead:
        """Say that the head goes out now, before there is a byte of the body; return it.

        Raises StartResponseError if there is none.
        """
        head = self._known_head()
        if self.phase is Phase.STARTED:
            self.phase = Phase.COMMITTED
        return head

    def push(self, chunk: object) -> bytes:
        """Take one chunk of the body; return what to transmit of it, which may be nothing.

        Raises ResponseBodyError if it is no bytes, StartResponseError if there is no head yet.
        """
        data = _as_bytes(chunk)
        if not data or self.phase is Phase.COMPLETE:
            self.overrun += len(data) if self.phase is Phase.COMPLETE and self.sends_body else 0
            return b""
        head = self._known_head()
        self.phase = Phase.COMMITTED
        if not self.sends_body:
            self.phase = Phase.COMPLETE
            return b""
        if head.length is not None:
            data = self._clamp(data, head.length)
        self._sent += len(data)
        return data

    def push_whole(self, chunks: Sequence[object]) -> bytes:
        """Take a body that is known as a whole; announce its length if the application has not.

        Raises what `push` and `finish` raise.
        """
        data = _as_bytes(chunks[0]) if len(chunks) == 1 else b"".join(map(_as_bytes, chunks))
        head = self._known_head()
        if head.length is None and self.sends_body:
            head.length = len(data)
            head.headers.append((b"content-length", b"%d" % len(data)))
        data = self.push(data)
        self.finish()
        return data

    def push_elsewhere(self, count: int) -> None:
        """Take a whole body of `count` bytes that the server sends by itself; announce its length if need be."""
        head = self._known_head()
        if head.length is None:
            head.length = count
            head.headers.append((b"content-length", b"%d" % count))
        self._sent = count
        self.phase = Phase.COMPLETE

    def finish(self) -> None:
        """Take the end of the body.

        Raises StartResponseError if there is no head, ResponseBodyError if less came than was announced.
        """
        head = self._known_head()
        if head.length is not None and self._sent < head.length and self.sends_body:
            raise ResponseBodyError(
                f"the application announced Content-Length {head.length} but its body ended after {self._sent} bytes"
            )
        self.phase = Phase.COMPLETE

    def check_write(self) -> None:
        """Raise ResponseBodyError if bytes came beyond the announced length, as PEP 3333 asks of `write()`."""
        if self.overrun:
            raise ResponseBodyError(f"the application wrote {self.overrun} bytes beyond its Content-Length")

    def _known_head(self) -> ResponseHead:
        if self.head is None:
            raise StartResponseError("the application sent its body, or ended, without calling start_response")
        return self.head

    def _clamp(self, data: bytes, length: int) -> bytes:
        room = length - self._sent
        if len(data) >= room:
            self.phase = Phase.COMPLETE
        if len(data) > room:
            self.overrun += len(data) - room
            return data[:room]
        return data


def _as_bytes(chunk: object) -> bytes:
    if isinstance(chunk, bytes):
        return chunk
    if isinstance(chunk, bytearray | memoryview):
        return bytes(cast("bytearray", chunk))
    raise ResponseBodyError(f"the application's body has a {type(chunk).__name__} in it: every chunk must be bytes")
