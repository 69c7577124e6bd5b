"""Request headers as WSGI sees them: pure, decided from the header list alone.

Nothing here knows a scope, a loop or a thread. What cannot be served is a `RejectedRequestError`
that carries the answer for the client and names the real cause.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, NoReturn

__all__ = ("HeaderRules", "RejectedRequestError", "RequestHeaders", "read_headers")

_KEYS: Final[Mapping[bytes, str]] = MappingProxyType(
    {
        name: "HTTP_" + name.decode().upper().replace("-", "_")
        for name in (
            b"accept",
            b"accept-encoding",
            b"accept-language",
            b"authorization",
            b"cache-control",
            b"connection",
            b"host",
            b"origin",
            b"referer",
            b"user-agent",
            b"x-forwarded-for",
            b"x-forwarded-proto",
        )
    }
)
_LONGEST_LENGTH: Final = 19  # digits: more than any file has bytes, and below what `int` refuses to read


class RejectedRequestError(Exception):
    """The request is bad: it must be answered with 400 and `reason`, without running the application."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class HeaderRules:
    """What the operator decided about request headers."""

    keep_underscores: bool = False
    duplicate_limit: int | None = 100


@dataclass(frozen=True, slots=True)
class RequestHeaders:
    """The CGI variables that stand for the headers, and what they say about the body."""

    variables: dict[str, str]
    length: int | None
    chunked: bool
    expects_continue: bool

    @property
    def announces_body(self) -> bool:
        """Whether the client said that a body follows."""
        return self.chunked or bool(self.length)


def _refuse(reason: str) -> NoReturn:
    raise RejectedRequestError(reason)


def _key(name: bytes) -> str:
    known = _KEYS.get(name)
    return known or "HTTP_" + name.decode("latin-1").upper().replace("-", "_")


def _collect(headers: Iterable[tuple[bytes, bytes]], keep_underscores: bool) -> dict[bytes, list[bytes]]:
    collected: dict[bytes, list[bytes]] = {}
    for raw_name, value in headers:
        name = raw_name.lower()
        if b"_" in name and not keep_underscores:
            continue  # "x_user" and "x-user" would be one variable: whoever trusts the second is fooled by the first
        collected.setdefault(name, []).append(value)
    return collected


def _length(values: list[bytes]) -> int:
    # RFC 9110, 8.6: a list of equal values may be read as one; anything else is how requests are smuggled.
    members = {member.strip(b" \t") for value in values for member in value.split(b",")}
    if len(members) > 1:
        _refuse("The request has conflicting Content-Length headers.")
    (text,) = members
    if not text.isdigit() or len(text) > _LONGEST_LENGTH:
        _refuse("The Content-Length header is not a number of bytes.")
    return int(text)


def _check_repeats(collected: Mapping[bytes, list[bytes]], limit: int) -> None:
    for name, values in collected.items():
        if len(values) > limit and name != b"cookie":
            _refuse(f"The request has more than {limit} headers with the name {name.decode('latin-1')!r}.")


def read_headers(headers: Iterable[tuple[bytes, bytes]], rules: HeaderRules) -> RequestHeaders:
    """Turn ASGI headers into CGI variables, in time linear in their number.

    Repeated headers are joined with a comma, cookies with "; " (RFC 9113, 8.2.3). Transfer-Encoding is left
    out: the server has decoded the body already, and an application must not do so again.

    Raises RejectedRequestError: conflicting or unreadable Content-Length, Content-Length beside
    Transfer-Encoding (RFC 9112, 6.1), or more repeats of one name than the limit.
    """
    collected = _collect(headers, rules.keep_underscores)
    if rules.duplicate_limit is not None:
        _check_repeats(collected, rules.duplicate_limit)
    chunked = collected.pop(b"transfer-encoding", None) is not None
    length_values = collected.pop(b"content-length", None)
    length = None if length_values is None else _length(length_values)
    if chunked and length is not None:
        _refuse("The request has both Content-Length and Transfer-Encoding.")
    variables: dict[str, str] = {}
    expects_continue = b"expect" in collected
    content_type = collected.pop(b"content-type", None)
    if content_type is not None:
        variables["CONTENT_TYPE"] = b",".join(content_type).decode("latin-1")
    if length is not None:
        variables["CONTENT_LENGTH"] = str(length)
    for name, values in collected.items():
        value = values[0] if len(values) == 1 else (b"; " if name == b"cookie" else b",").join(values)
        _add(variables, _key(name), value.decode("latin-1"))
    return RequestHeaders(variables, length, chunked, expects_continue)


def _add(variables: dict[str, str], key: str, value: str) -> None:
    # Two names meet in one variable only where underscores are kept.
    variables[key] = f"{variables[key]},{value}" if key in variables else value
