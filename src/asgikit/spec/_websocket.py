"""WebSocket: its scope and its messages (HTTP & WebSocket ASGI message format 2.5)."""

from collections.abc import Iterable
from typing import Literal, NotRequired, TypeAlias

from typing_extensions import ReadOnly, TypedDict

from asgikit.spec._common import ASGIVersions, Extensions, Headers, HeadersLike, State

__all__ = (
    "AnyWebSocketReceiveEvent",
    "WebSocketAcceptEvent",
    "WebSocketCloseEvent",
    "WebSocketConnectEvent",
    "WebSocketDisconnectEvent",
    "WebSocketReceiveEvent",
    "WebSocketScope",
    "WebSocketSendEvent",
)

_Bytes: TypeAlias = bytes  # a key named "bytes" hides the builtin inside the class body


class WebSocketScope(TypedDict):
    """One WebSocket connection, from its handshake to its end."""

    type: Literal["websocket"]
    asgi: ReadOnly[ASGIVersions]
    path: str  # percent escapes and UTF-8 decoded
    headers: ReadOnly[Headers]
    http_version: ReadOnly[NotRequired[str]]  # "1.1" or "2"; defaults to "1.1"
    scheme: ReadOnly[NotRequired[str]]  # defaults to "ws"
    raw_path: ReadOnly[NotRequired[bytes | None]]  # the path as it came; defaults to None
    query_string: ReadOnly[NotRequired[bytes | None]]  # percent-encoded, without the "?"; absent or None: b""
    root_path: ReadOnly[NotRequired[str]]  # WSGI's SCRIPT_NAME; defaults to ""
    client: ReadOnly[NotRequired[tuple[str, int] | None]]  # host and port; defaults to None
    server: ReadOnly[NotRequired[tuple[str, int | None] | None]]  # or a Unix socket's path and None; defaults to None
    subprotocols: ReadOnly[NotRequired[Iterable[str]]]  # offered by the client; defaults to none
    state: ReadOnly[NotRequired[State]]  # absent: the server does not support it
    extensions: ReadOnly[NotRequired[Extensions | None]]


class WebSocketConnectEvent(TypedDict):
    """Received: the client asks to connect. To be answered with accept, close or a denial response."""

    type: Literal["websocket.connect"]


class WebSocketReceiveEvent(TypedDict):
    """Received: one data frame. One of `bytes` and `text` is there and not None."""

    type: Literal["websocket.receive"]
    bytes: ReadOnly[NotRequired[_Bytes | None]]
    text: ReadOnly[NotRequired[str | None]]


class WebSocketDisconnectEvent(TypedDict):
    """Received: the connection is lost or closed, by whichever side."""

    type: Literal["websocket.disconnect"]
    code: int  # RFC 6455, section 7.4; 1005 when the client gave none
    reason: ReadOnly[NotRequired[str | None]]  # absent or None: ""


class WebSocketAcceptEvent(TypedDict):
    """Sent: accept the connection."""

    type: Literal["websocket.accept"]
    subprotocol: ReadOnly[NotRequired[str | None]]  # defaults to None
    headers: ReadOnly[NotRequired[HeadersLike]]  # defaults to none


class WebSocketSendEvent(TypedDict):
    """Sent: one data frame. One of `bytes` and `text` must be there and not None."""

    type: Literal["websocket.send"]
    bytes: ReadOnly[NotRequired[_Bytes | None]]
    text: ReadOnly[NotRequired[str | None]]


class WebSocketCloseEvent(TypedDict):
    """Sent: close the connection, or refuse it (status 403) while it is not accepted."""

    type: Literal["websocket.close"]
    code: ReadOnly[NotRequired[int]]  # RFC 6455, section 7.4; defaults to 1000
    reason: ReadOnly[NotRequired[str | None]]  # absent or None: ""


AnyWebSocketReceiveEvent: TypeAlias = WebSocketConnectEvent | WebSocketReceiveEvent | WebSocketDisconnectEvent
"""What `receive()` gives inside a WebSocket scope."""
