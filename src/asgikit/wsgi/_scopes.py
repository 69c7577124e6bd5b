"""The scopes that a WSGI application cannot serve, answered as ASGI asks."""

import threading
from collections.abc import Awaitable, Callable
from typing import final

from asgikit.spec import ReceiveLike, ScopeLike, SendLike
from asgikit.wsgi._replies import deny_websocket

__all__ = ("Lifespans", "refuse_websocket")

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


@final
class Lifespans:
    """The lifespans of one application, of which every server that serves it has one. Any thread."""

    __slots__ = ("_living", "_lock", "_release")

    def __init__(self, release: Callable[[], Awaitable[object]]) -> None:
        """Await `release` when the last one has ended, however it ended: until then other servers may need it all."""
        self._living = 0
        self._lock = threading.Lock()
        self._release = release

    async def serve(self, receive: ReceiveLike, send: SendLike) -> None:
        """Answer start and end of one server. Runs on the event-loop thread."""
        with self._lock:
            self._living += 1
        try:
            while (kind := (await receive())["type"]) != "lifespan.shutdown":
                if kind == "lifespan.startup":
                    await send({"type": "lifespan.startup.complete"})
        finally:
            await self._end_one()
        await send({"type": "lifespan.shutdown.complete"})

    async def _end_one(self) -> None:
        with self._lock:
            self._living -= 1
            last = not self._living
        if last:
            await self._release()
