"""What an application gives to `start_response`, checked and put into ASGI's form: pure, table-tested.

Every check is made before a byte is sent, so that a mistake is an error page and no broken response.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, cast

from asgikit.errors import ResponseHeadError

__all__ = ("HopByHop", "ResponseHead", "read_head")

HopByHop: TypeAlias = Literal["refuse", "drop"]
"""What to do with headers that belong to the server's connection: PEP 3333 says refuse, some servers drop them."""

_STATUS: Final = re.compile(r"([1-9][0-9]{2})(?: [\t\x20-\x7e\x80-\xff]*)?\Z")
_NAME: Final = re.compile(r"[!#$%&'*+\-.^_`|~0-9A-Za-z]+\Z")
_FORBIDDEN_IN_VALUE: Final = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_HOP_BY_HOP: Final = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"te",
        b"trailers",
        b"transfer-encoding",
        b"upgrade",
    }
)
_LONGEST_LENGTH: Final = 19  # digits: more than any file has bytes, and below what `int` refuses to read
_NO_CONTENT: Final = 204
_NOT_MODIFIED: Final = 304


@dataclass(slots=True)
class ResponseHead:
    """Status and headers as ASGI wants them, with the length that they announce."""

    status: int
    headers: list[tuple[bytes, bytes]]
    length: int | None

    @property
    def has_body(self) -> bool:
        """Whether a response with this status may have a body at all (RFC 9110, 6.4.1)."""
        return self.status not in (_NO_CONTENT, _NOT_MODIFIED)


def _read_status(status: object) -> int:
    if not isinstance(status, str):
        raise ResponseHeadError(f"the application gave start_response the status {status!r}: it must be a str")
    match = _STATUS.match(status)
    if match is None or status < "2":
        raise ResponseHeadError(
            f"the application gave start_response the status {status!r}: it must be a code from 200 to 999, "
            "alone or with a space and a reason in latin-1"
        )
    return int(match[1])


def _read_name(name: object) -> bytes:
    if not isinstance(name, str) or _NAME.match(name) is None:
        raise ResponseHeadError(f"the application set a header named {name!r}: not a header name (RFC 9110, 5.1)")
    return name.lower().encode("ascii")


def _read_value(name: bytes, value: object) -> bytes:
    if not isinstance(value, str):
        raise ResponseHeadError(f"the application set the header {name.decode()!r} to {value!r}: it must be a str")
    if _FORBIDDEN_IN_VALUE.search(value) is not None:
        raise ResponseHeadError(f"the application set the header {name.decode()!r} to {value!r}: control characters")
    try:
        return value.strip(" \t").encode("latin-1")
    except UnicodeEncodeError as error:
        raise ResponseHeadError(
            f"the application set the header {name.decode()!r} to {value!r}: only latin-1 can be sent, "
            "encode the rest (RFC 8187 for parameters, percent-encoding for addresses)"
        ) from error


def _read_length(value: bytes, known: int | None) -> int:
    if not value.isdigit() or len(value) > _LONGEST_LENGTH:
        raise ResponseHeadError(f"the application set Content-Length to {value.decode('latin-1')!r}: not a number")
    length = int(value)
    if known is not None and known != length:
        raise ResponseHeadError(f"the application set Content-Length twice, to {known} and {length}")
    return length


def _pair(item: object) -> tuple[object, object]:
    pair = cast("Sequence[object]", item)
    if not isinstance(item, tuple | list) or len(pair) != 2:  # noqa: PLR2004 - a pair
        raise ResponseHeadError(
            f"the application gave start_response the header {item!r}: it must be a tuple of name and value"
        )
    return pair[0], pair[1]


def read_head(status: object, headers: Iterable[object], hop_by_hop: HopByHop = "refuse") -> ResponseHead:
    """Check what the application gave, and copy it: later changes of its list do not count.

    Raises ResponseHeadError naming the first thing that cannot be sent.
    """
    code = _read_status(status)
    if isinstance(headers, str | bytes | Mapping):
        kind = type(cast("object", headers)).__name__
        raise ResponseHeadError(f"the application gave start_response a {kind} for the headers")
    sent: list[tuple[bytes, bytes]] = []
    length: int | None = None
    for item in headers:
        raw_name, raw_value = _pair(item)
        name = _read_name(raw_name)
        value = _read_value(name, raw_value)
        if name in _HOP_BY_HOP:
            if hop_by_hop == "refuse":
                raise ResponseHeadError(
                    f"the application set {name.decode()!r}: PEP 3333 leaves hop-by-hop headers to the server "
                    "(hop_by_hop='drop' leaves them out instead)"
                )
            continue
        if name == b"content-length":
            if length is not None:
                _read_length(value, length)
                continue
            length = _read_length(value, None)
            if code == _NO_CONTENT:
                continue  # RFC 9110, 8.6: never sent with 204
        sent.append((name, value))
    return ResponseHead(code, sent, length)
