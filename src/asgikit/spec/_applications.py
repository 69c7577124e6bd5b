"""What applications receive, send and are: the unions over every protocol, and the callables.

Two families. The exact one, under asgiref's names, is for writing applications and middleware. The
`...Like` one is for handing applications over: a parameter typed so takes applications written
against asgiref's, Starlette's, hypercorn's or no types at all, and an object whose `__call__` has
the three loose types fits under any server. `Any` there is the truth: which of the many spellings
of the same messages the other side uses cannot be known.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeAlias

from asgikit.spec._extensions import (
    HTTPResponseDebugEvent,
    HTTPResponseEarlyHintEvent,
    HTTPResponsePathsendEvent,
    HTTPResponseTrailersEvent,
    HTTPResponseZeroCopySendEvent,
    HTTPServerPushEvent,
    WebSocketResponseBodyEvent,
    WebSocketResponseStartEvent,
)
from asgikit.spec._http import (
    HTTPDisconnectEvent,
    HTTPReceiveEvent,
    HTTPResponseBodyEvent,
    HTTPResponseStartEvent,
    HTTPScope,
)
from asgikit.spec._lifespan import LifespanReceiveEvent, LifespanScope, LifespanSendEvent
from asgikit.spec._websocket import (
    AnyWebSocketReceiveEvent,
    WebSocketAcceptEvent,
    WebSocketCloseEvent,
    WebSocketScope,
    WebSocketSendEvent,
)

__all__ = (
    "ASGI2Application",
    "ASGI2ApplicationLike",
    "ASGI2Protocol",
    "ASGI3Application",
    "ASGI3ApplicationLike",
    "ASGIApplication",
    "ASGIApplicationLike",
    "ASGIReceiveCallable",
    "ASGIReceiveEvent",
    "ASGISendCallable",
    "ASGISendEvent",
    "AnyWebSocketSendEvent",
    "HTTPSendEvent",
    "ReceiveLike",
    "Scope",
    "ScopeLike",
    "SendLike",
    "WWWScope",
)

WWWScope: TypeAlias = HTTPScope | WebSocketScope
"""The scopes of connections."""

Scope: TypeAlias = HTTPScope | WebSocketScope | LifespanScope
"""Every scope of the specification; narrow it with `scope["type"]`."""

HTTPSendEvent: TypeAlias = (
    HTTPResponseStartEvent
    | HTTPResponseBodyEvent
    | HTTPResponseTrailersEvent
    | HTTPResponseZeroCopySendEvent
    | HTTPResponsePathsendEvent
    | HTTPResponseEarlyHintEvent
    | HTTPResponseDebugEvent
    | HTTPServerPushEvent
)
"""What `send()` takes inside an HTTP scope."""

AnyWebSocketSendEvent: TypeAlias = (
    WebSocketAcceptEvent
    | WebSocketSendEvent
    | WebSocketCloseEvent
    | WebSocketResponseStartEvent
    | WebSocketResponseBodyEvent
)
"""What `send()` takes inside a WebSocket scope."""

ASGIReceiveEvent: TypeAlias = HTTPReceiveEvent | AnyWebSocketReceiveEvent | LifespanReceiveEvent
"""Everything that `receive()` may give."""

# No application sends http.disconnect, but asgiref, uvicorn and hypercorn list it: without it, our
# `send` could not be handed to code that is typed by theirs.
ASGISendEvent: TypeAlias = HTTPSendEvent | HTTPDisconnectEvent | AnyWebSocketSendEvent | LifespanSendEvent
"""Everything that `send()` may be given."""

ASGIReceiveCallable: TypeAlias = Callable[[], Awaitable[ASGIReceiveEvent]]
"""`event = await receive()`."""

ASGISendCallable: TypeAlias = Callable[[ASGISendEvent], Awaitable[None]]
"""`await send(event)`."""


class ASGI2Protocol(Protocol):
    """The legacy form: a class that is made with the scope and then called with the channels."""

    def __init__(self, scope: Scope) -> None:
        """Keep the scope of one connection."""

    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve the connection. Called once, on the event-loop thread."""


ASGI2Application: TypeAlias = type[ASGI2Protocol]
"""A legacy (double-callable) application: `await application(scope)(receive, send)`."""

ASGI3Application: TypeAlias = Callable[[Scope, ASGIReceiveCallable, ASGISendCallable], Awaitable[None]]
"""An application: `await application(scope, receive, send)`."""

ASGIApplication: TypeAlias = ASGI2Application | ASGI3Application
"""An application of either form, typed by this room's own words."""

ScopeLike: TypeAlias = Mapping[str, Any]
"""A scope of any spelling, for objects that are applications."""

ReceiveLike: TypeAlias = Callable[[], Awaitable[Mapping[str, Any]]]
"""A receive callable of any spelling, for objects that are applications."""

SendLike: TypeAlias = Callable[[Any], Awaitable[None]]
"""A send callable of any spelling, for objects that are applications."""

ASGI2ApplicationLike: TypeAlias = Callable[[Any], Callable[[Any, Any], Awaitable[object]]]
"""A double-callable application, typed by anybody's words or none."""

ASGI3ApplicationLike: TypeAlias = Callable[[Any, Any, Any], Awaitable[object]]
"""An application, typed by anybody's words or none."""

ASGIApplicationLike: TypeAlias = ASGI3ApplicationLike | ASGI2ApplicationLike
"""An application of either form, typed by anybody's words or none: for parameters that take one."""
