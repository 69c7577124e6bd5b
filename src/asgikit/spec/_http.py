"""HTTP: its scope and its messages (HTTP & WebSocket ASGI message format 2.5)."""

from typing import Literal, NotRequired, TypeAlias

from typing_extensions import ReadOnly, TypedDict

from asgikit.spec._common import ASGIVersions, Extensions, Headers, HeadersLike, State

__all__ = (
    "HTTPDisconnectEvent",
    "HTTPReceiveEvent",
    "HTTPRequestEvent",
    "HTTPResponseBodyEvent",
    "HTTPResponseStartEvent",
    "HTTPScope",
)


class HTTPScope(TypedDict):
    """One HTTP request. Lives until the response has been sent or the client has gone."""

    type: Literal["http"]
    asgi: ReadOnly[ASGIVersions]
    http_version: str  # "1.0", "1.1" or "2"
    method: str  # upper case
    path: str  # percent escapes and UTF-8 decoded
    query_string: bytes  # percent-encoded, without the "?"
    headers: ReadOnly[Headers]
    scheme: ReadOnly[NotRequired[str]]  # defaults to "http"
    raw_path: ReadOnly[NotRequired[bytes | None]]  # the path as it came; defaults to None
    root_path: ReadOnly[NotRequired[str]]  # WSGI's SCRIPT_NAME; defaults to ""
    client: ReadOnly[NotRequired[tuple[str, int] | None]]  # host and port; defaults to None
    server: ReadOnly[NotRequired[tuple[str, int | None] | None]]  # or a Unix socket's path and None; defaults to None
    state: ReadOnly[NotRequired[State]]  # absent: the server does not support it
    extensions: ReadOnly[NotRequired[Extensions | None]]


class HTTPRequestEvent(TypedDict):
    """Received: a part of the request's body."""

    type: Literal["http.request"]
    body: ReadOnly[NotRequired[bytes]]  # defaults to b""
    more_body: ReadOnly[NotRequired[bool]]  # defaults to False


class HTTPDisconnectEvent(TypedDict):
    """Received: the client has gone, or the response is complete."""

    type: Literal["http.disconnect"]


class HTTPResponseStartEvent(TypedDict):
    """Sent: status and headers. Nothing goes out before the first body event."""

    type: Literal["http.response.start"]
    status: int
    headers: ReadOnly[NotRequired[HeadersLike]]  # defaults to none
    trailers: ReadOnly[NotRequired[bool]]  # trailers will follow; defaults to False


class HTTPResponseBodyEvent(TypedDict):
    """Sent: a part of the response's body."""

    type: Literal["http.response.body"]
    body: ReadOnly[NotRequired[bytes]]  # defaults to b""
    more_body: ReadOnly[NotRequired[bool]]  # defaults to False


HTTPReceiveEvent: TypeAlias = HTTPRequestEvent | HTTPDisconnectEvent
"""What `receive()` gives inside an HTTP scope."""
