"""The extensions that the ASGI documentation describes: what a server offers under `scope["extensions"]`.

A message of an extension may be sent only when the scope names that extension.
"""

from collections.abc import Iterable, Mapping
from typing import Literal, NotRequired, Protocol

from typing_extensions import ReadOnly, TypedDict

from asgikit.spec._common import HeadersLike

__all__ = (
    "HTTPResponseDebugEvent",
    "HTTPResponseEarlyHintEvent",
    "HTTPResponsePathsendEvent",
    "HTTPResponseTrailersEvent",
    "HTTPResponseZeroCopySendEvent",
    "HTTPServerPushEvent",
    "HasFileno",
    "TLSExtension",
    "WebSocketResponseBodyEvent",
    "WebSocketResponseStartEvent",
)


class HasFileno(Protocol):
    """An open file, pipe or socket of the operating system (not a `BytesIO`)."""

    def fileno(self) -> int:
        """Return the descriptor, as `os.sendfile` wants it."""
        ...


class HTTPServerPushEvent(TypedDict):
    """Sent: push a resource to the client over HTTP/2 (`http.response.push`)."""

    type: Literal["http.response.push"]
    path: str
    headers: ReadOnly[HeadersLike]  # lower case, without pseudo headers


class HTTPResponseZeroCopySendEvent(TypedDict):
    """Sent: a part of the body straight from a file (`http.response.zerocopysend`). The application closes the file."""

    type: Literal["http.response.zerocopysend"]
    file: ReadOnly[HasFileno | int]
    offset: ReadOnly[NotRequired[int]]  # bytes; absent: from the file's position
    count: ReadOnly[NotRequired[int]]  # bytes; absent: to the file's end
    more_body: ReadOnly[NotRequired[bool]]  # defaults to False


class HTTPResponsePathsendEvent(TypedDict):
    """Sent: the whole body is the content of a file (`http.response.pathsend`)."""

    type: Literal["http.response.pathsend"]
    path: str  # absolute, in the spelling of the platform


class HTTPResponseEarlyHintEvent(TypedDict):
    """Sent: an informational response 103 (`http.response.early_hint`, RFC 8297)."""

    type: Literal["http.response.early_hint"]
    links: ReadOnly[Iterable[bytes]]  # values of Link headers, RFC 8288


class HTTPResponseTrailersEvent(TypedDict):
    """Sent: headers after the body (`http.response.trailers`). The start event must have promised them."""

    type: Literal["http.response.trailers"]
    headers: ReadOnly[HeadersLike]  # lower case, without pseudo headers
    more_trailers: ReadOnly[NotRequired[bool]]  # defaults to False


class HTTPResponseDebugEvent(TypedDict):
    """Sent: debugging information for a test client (`http.response.debug`), once, before the start event."""

    type: Literal["http.response.debug"]
    info: ReadOnly[Mapping[str, object]]


class WebSocketResponseStartEvent(TypedDict):
    """Sent instead of accept or close: refuse the handshake with a response (`websocket.http.response`)."""

    type: Literal["websocket.http.response.start"]
    status: int
    headers: ReadOnly[NotRequired[HeadersLike]]  # defaults to none


class WebSocketResponseBodyEvent(TypedDict):
    """Sent: a part of that response's body."""

    type: Literal["websocket.http.response.body"]
    body: ReadOnly[NotRequired[bytes]]  # defaults to b""
    more_body: ReadOnly[NotRequired[bool]]  # defaults to False


class TLSExtension(TypedDict):
    """The value of `scope["extensions"]["tls"]`: the connection's encryption (TLS extension 0.2)."""

    server_cert: str | None  # PEM; None: not known
    tls_version: int | None  # as in the TLS specification, for example 0x0304; None: not known
    cipher_suite: int | None  # the two bytes in network order, for example 0x1301; None: not known
    client_cert_chain: ReadOnly[NotRequired[Iterable[str]]]  # PEM, the client's own first; defaults to none
    client_cert_name: ReadOnly[NotRequired[str | None]]  # RFC 4514; defaults to None
    client_cert_error: ReadOnly[NotRequired[str | None]]  # why verification failed; defaults to None
