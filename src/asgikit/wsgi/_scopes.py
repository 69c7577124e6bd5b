"""The scopes that a WSGI application cannot serve, answered as ASGI asks."""

from collections.abc import Awaitable, Callable

from asgikit.spec import ReceiveLike, ScopeLike, SendLike
from asgikit.wsgi._replies import deny_websocket

__all__ = ("refuse_websocket", "serve_lifespan")

_DENIAL = "websocket.http.response"


async def refuse_websocket(scope: ScopeLike, receive: ReceiveLike, send: SendLike) -> None:
    """Refuse the handshake, with a text where the server can send one. Runs on the event-loop thread."""
    event = await receive()
    if event["type"] != "websocket.connect":
        return  # the client left before the handshake
    if _DENIAL in (scope.get("extensions") or ()):
        await deny_websocket(send)
    else:
        await send({"type": "websocket.close", "code": 1000, "reason": ""})


async def serve_lifespan(receive: ReceiveLike, send: SendLike, shutdown: Callable[[], Awaitable[object]]) -> None:
    """Answer start and end of the server. Runs on the event-loop thread."""
    while True:
        event = await receive()
        if event["type"] == "lifespan.startup":
            await send({"type": "lifespan.startup.complete"})
        elif event["type"] == "lifespan.shutdown":
            await shutdown()
            await send({"type": "lifespan.shutdown.complete"})
            return
