"""`wsgi.input`: a readable stream over chunks that somebody else delivers.

Knows no loop and no event: `BodySource` blocks until there is data, says that it is over, or raises.
"""

import io
import sys
from collections import deque
from collections.abc import Sequence
from typing import Protocol

__all__ = ("BodySource", "RequestBody")


class BodySource(Protocol):
    """Where the stream gets its bytes. Used on the thread that runs the application."""

    def take(self) -> Sequence[bytes]:
        """Block until bytes are there; return them, or nothing at the end. Raises if the body can never be whole."""
        ...

    def check(self) -> None:
        """Raise if the body can never be whole; never blocks."""


class RequestBody(io.BufferedIOBase):
    """The request body as a file (PEP 3333, "Input and Error Streams").

    `read(size)` blocks until `size` bytes or the end are there, as file objects do; `read1` returns what has
    arrived. Each byte is copied at most twice, however the calls cut the body. Not thread-safe.

    Every method raises ClientDisconnectedError once the client has left, and RequestBodyTooLargeError once the
    body is longer than the operator's limit: a part of a body never looks like a whole one.
    """

    def __init__(self, source: BodySource) -> None:
        self._source = source
        self._chunks: deque[bytes] = deque()
        self._front = b""
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int | None = -1, /) -> bytes:
        """Return `size` bytes, fewer only at the end; all of them without a size."""
        self._source.check()
        wanted = sys.maxsize if size is None or size < 0 else size
        first = self._piece(wanted)
        if len(first) == wanted:
            return first
        pieces = [first]
        wanted -= len(first)
        while wanted and (piece := self._piece(wanted)):
            pieces.append(piece)
            wanted -= len(piece)
        return b"".join(pieces)

    def read1(self, size: int = -1, /) -> bytes:
        """Return what has arrived, at most `size` bytes; block only if there is nothing."""
        self._source.check()
        return self._piece(sys.maxsize if size < 0 else size)

    def readline(self, size: int | None = -1, /) -> bytes:
        """Return the next line with its newline, at most `size` bytes of it."""
        self._source.check()
        wanted = sys.maxsize if size is None or size < 0 else size
        pieces: list[bytes] = []
        while wanted and self._fill():
            newline = self._front.find(b"\n", self._position, self._position + wanted)
            piece = self._piece(wanted if newline < 0 else newline + 1 - self._position)
            pieces.append(piece)
            wanted -= len(piece)
            if newline >= 0:
                break
        return pieces[0] if len(pieces) == 1 else b"".join(pieces)

    def _piece(self, most: int) -> bytes:
        """Return up to `most` bytes of the front chunk; nothing at the end of the body, or if nothing is wanted."""
        if not most or not self._fill():
            return b""
        piece = self._front[self._position : self._position + most]
        self._position += len(piece)
        return piece

    def _fill(self) -> bool:
        """Have an unread byte in the front chunk; return False at the end of the body."""
        while self._position >= len(self._front):
            if not self._chunks:
                self._chunks.extend(self._source.take())
            if not self._chunks:
                return False
            self._front = self._chunks.popleft()
            self._position = 0
        return True
