"""`wsgi.file_wrapper`: a file as a response body, and the event with which a server sends it by itself."""

import io
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final, Protocol, final

__all__ = ("FileWrapper", "file_event")

_PATH_SEND: Final = "http.response.pathsend"
_ZERO_COPY: Final = "http.response.zerocopysend"


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes: ...


@final
class FileWrapper:
    """What an application returns to have a file sent (PEP 3333, "Optional Platform-Specific File Handling").

    Iterating reads blocks of `block_size` bytes; `close` closes the file if it can be closed. Used on the
    thread that runs the application. An application that wraps or replaces it gets plain iteration.
    """

    def __init__(self, filelike: _Readable, block_size: int = 65536) -> None:
        self.filelike = filelike
        self.block_size = block_size

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        block = self.filelike.read(self.block_size)
        if not block:
            raise StopIteration
        return block

    def close(self) -> None:
        """Close the file."""
        close = getattr(self.filelike, "close", None)
        if close is not None:
            close()


def _regular_file(filelike: Any) -> tuple[os.stat_result, int] | None:
    """Return the facts of an operating-system file and the position in it, None for anything else."""
    try:
        if not _reads_as_it_is(filelike):
            return None
        facts = os.fstat(filelike.fileno())
        position: int = filelike.tell()
    except (AttributeError, OSError, ValueError):
        return None
    return (facts, position) if stat.S_ISREG(facts.st_mode) else None


def _reads_as_it_is(filelike: Any) -> bool:
    """Whether `read` gives the bytes of the descriptor: `GzipFile` has one too, and so has what decodes text."""
    if type(filelike) in {io.BufferedReader, io.BufferedRandom}:
        filelike = filelike.raw
    return type(filelike) is io.FileIO


def _is_at(path: object, facts: os.stat_result) -> bool:
    """Whether `path` still leads to the file that is open."""
    try:
        return isinstance(path, str) and Path(path).is_absolute() and os.path.samestat(Path(path).stat(), facts)
    except OSError:
        return False


def file_event(
    filelike: object, length: int | None, extensions: Mapping[str, object] | None
) -> tuple[dict[str, Any], int] | None:
    """Return the event that sends the rest of `filelike`, and how many bytes that is; None if reading must do.

    `length` is the announced Content-Length, `extensions` what the server offers in the scope. A path is sent
    only for a whole file that still is where it was opened.
    """
    if not extensions or not (_PATH_SEND in extensions or _ZERO_COPY in extensions):
        return None
    found = _regular_file(filelike)
    if found is None:
        return None
    facts, position = found
    count = facts.st_size - position
    if length is not None and length > count:
        return None
    count = count if length is None else length
    path = getattr(filelike, "name", None)
    if _PATH_SEND in extensions and count == facts.st_size and _is_at(path, facts):
        return {"type": _PATH_SEND, "path": path}, count
    if _ZERO_COPY in extensions and count > 0:
        event = {"type": _ZERO_COPY, "file": filelike, "offset": position, "count": count, "more_body": False}
        return event, count
    return None
