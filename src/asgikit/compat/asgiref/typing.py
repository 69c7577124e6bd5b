"""`asgiref.typing`: its names, which are those of `asgikit.spec`."""

# fmt: off
from asgikit.spec import (  # noqa: I001 - two long lists, the same twice
    ASGI2Application, ASGI2Protocol, ASGI3Application, ASGIApplication, ASGIReceiveCallable, ASGIReceiveEvent,
    ASGISendCallable, ASGISendEvent, ASGIVersions, HTTPDisconnectEvent, HTTPRequestEvent, HTTPResponseBodyEvent,
    HTTPResponseDebugEvent, HTTPResponsePathsendEvent, HTTPResponseStartEvent, HTTPResponseTrailersEvent, HTTPScope,
    HTTPServerPushEvent, LifespanScope, LifespanShutdownCompleteEvent, LifespanShutdownEvent,
    LifespanShutdownFailedEvent, LifespanStartupCompleteEvent, LifespanStartupEvent, LifespanStartupFailedEvent,
    Scope, WWWScope, WebSocketAcceptEvent, WebSocketCloseEvent, WebSocketConnectEvent, WebSocketDisconnectEvent,
    WebSocketReceiveEvent, WebSocketResponseBodyEvent, WebSocketResponseStartEvent, WebSocketScope,
    WebSocketSendEvent,
)

__all__ = (
    "ASGI2Application", "ASGI2Protocol", "ASGI3Application", "ASGIApplication", "ASGIReceiveCallable",
    "ASGIReceiveEvent", "ASGISendCallable", "ASGISendEvent", "ASGIVersions", "HTTPDisconnectEvent",
    "HTTPRequestEvent", "HTTPResponseBodyEvent", "HTTPResponseDebugEvent", "HTTPResponsePathsendEvent",
    "HTTPResponseStartEvent", "HTTPResponseTrailersEvent", "HTTPScope", "HTTPServerPushEvent", "LifespanScope",
    "LifespanShutdownCompleteEvent", "LifespanShutdownEvent", "LifespanShutdownFailedEvent",
    "LifespanStartupCompleteEvent", "LifespanStartupEvent", "LifespanStartupFailedEvent", "Scope", "WWWScope",
    "WebSocketAcceptEvent", "WebSocketCloseEvent", "WebSocketConnectEvent", "WebSocketDisconnectEvent",
    "WebSocketReceiveEvent", "WebSocketResponseBodyEvent", "WebSocketResponseStartEvent", "WebSocketScope",
    "WebSocketSendEvent",
)
