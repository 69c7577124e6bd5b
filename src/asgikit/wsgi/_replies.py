"""The few answers that the adapter gives by itself, in plain text."""

from contextlib import suppress
from typing import Final

from asgikit.spec import ScopeLike, SendLike

__all__ = ("deny_websocket", "refuse", "reply_too_large", "reply_truncated")

BAD_REQUEST: Final = 400
TOO_LARGE: Final = 413
NOT_IMPLEMENTED: Final = 501
_TOO_LARGE_TEXT: Final = "The request body is larger than this server allows."


async def _reply(send: SendLike, status: int, text: str, *, kind: str = "http", closing: bool = False) -> None:
    body = f"{text}\n".encode()
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"content-length", b"%d" % len(body))]
    if closing:
        headers.append((b"connection", b"close"))
    with suppress(OSError):  # the client has left (ASGI 2.4): it needs no answer
        await send({"type": f"{kind}.response.start", "status": status, "headers": headers})
        await send({"type": f"{kind}.response.body", "body": body, "more_body": False})


async def refuse(send: SendLike, scope: ScopeLike, reason: str) -> None:
    """Refuse a request whose headers cannot be trusted, and end its connection.

    What follows on it could have been read as part of this request by a proxy (RFC 9112, 6.1).
    """
    await _reply(send, BAD_REQUEST, reason, closing=str(scope.get("http_version") or "1.1").startswith("1"))


async def reply_truncated(send: SendLike) -> None:
    """Answer a request that ended before its announced length, and whose client is still there."""
    await _reply(send, BAD_REQUEST, "The request body is shorter than its Content-Length.")


async def reply_too_large(send: SendLike) -> None:
    """Answer a request whose body is beyond the limit."""
    await _reply(send, TOO_LARGE, _TOO_LARGE_TEXT)


async def deny_websocket(send: SendLike) -> None:
    """Answer a WebSocket handshake, under a server that can send such an answer."""
    text = "This is a WSGI application: it does not serve WebSocket."
    await _reply(send, NOT_IMPLEMENTED, text, kind="websocket.http")
