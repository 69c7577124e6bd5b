"""Scopes and events as they are read: narrowed by their type, optional keys asked for with get."""

from collections.abc import Iterable
from typing import Any, Never, assert_type

from asgikit.spec import (
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendEvent,
    HTTPDisconnectEvent,
    HTTPRequestEvent,
    HTTPScope,
    LifespanScope,
    LifespanShutdownEvent,
    LifespanStartupEvent,
    Scope,
    State,
    WebSocketConnectEvent,
    WebSocketDisconnectEvent,
    WebSocketReceiveEvent,
    WebSocketScope,
    WWWScope,
)


# case: narrowing a scope with if
def by_if(scope: Scope) -> None:
    if scope["type"] == "http":
        assert_type(scope, HTTPScope)
        assert_type(scope["method"], str)
    elif scope["type"] == "websocket":
        assert_type(scope, WebSocketScope)
    else:
        assert_type(scope, LifespanScope)


# case: narrowing a scope with match
def by_match(scope: Scope) -> str:
    match scope["type"]:
        case "http":
            assert_type(scope, HTTPScope)
            return scope["method"]
        case "websocket":
            assert_type(scope, WebSocketScope)
            return scope["path"]
        case "lifespan":
            assert_type(scope, LifespanScope)
            return "lifespan"


# case: narrowing by refusing
def by_refusal(scope: Scope) -> str:
    if scope["type"] != "http":
        raise NotImplementedError
    return scope["path"]


# case: narrowing with an assertion
def by_assertion(scope: Scope) -> str:
    assert scope["type"] == "http"
    return scope["path"]


# case: a key of one scope without narrowing
def not_narrowed(scope: Scope) -> None:
    print(scope["method"])  # E


# case: the common keys of connections
def common(scope: WWWScope) -> None:
    assert_type(scope["path"], str)
    assert_type(scope["headers"], Iterable[tuple[bytes, bytes]])


# case: a misspelt type never narrows
def misspelt(scope: Scope) -> None:
    if scope["type"] == "https":  # E?
        print("never")  # E?


# case: nothing is left after the three types
def exhausted(scope: Scope) -> None:
    if scope["type"] == "http" or scope["type"] == "websocket" or scope["type"] == "lifespan":
        return
    unreachable: Never = scope
    print(unreachable)  # E?


# case: headers are pairs
def headers(scope: HTTPScope) -> bytes:
    for name, value in scope["headers"]:
        if name == b"host":
            return value
    return dict(scope["headers"]).get(b"host", b"")


# case: headers are not text
def headers_wrong(scope: HTTPScope) -> None:
    for name, _ in scope["headers"]:
        text: str = name  # E
        print(text)


# case: an optional key with get
def with_get(scope: HTTPScope) -> None:
    assert_type(scope.get("scheme", "http"), str)
    assert_type(scope.get("root_path", ""), str)
    assert_type(scope.get("client"), tuple[str, int] | None)
    assert_type(scope.get("raw_path"), bytes | None)


# case: the result of get may be None
def get_none(scope: HTTPScope) -> None:
    client = scope.get("client")
    print(client[0])  # E
    if client is not None:
        assert_type(client[0], str)


# case: state is a dictionary to be written to
def state(scope: LifespanScope) -> None:
    values = scope.get("state")
    assert_type(values, State | None)
    if values is not None:
        values["pool"] = object()


# case: what a lifespan stored is Any
def stored(scope: HTTPScope) -> Any:
    return scope.get("state", {})["pool"]


# case: the extensions of a scope
def extensions(scope: HTTPScope) -> bool:
    return "http.response.push" in (scope.get("extensions") or {})


# case: optional keys are read-only
def read_only(scope: HTTPScope) -> None:
    scope["root_path"] = "/app"  # E


# case: a copy with another path
def copied(scope: HTTPScope) -> HTTPScope:
    return {**scope, "path": "/other", "root_path": "/app"}


# case: a copy with a wrong path
def copied_wrong(scope: HTTPScope) -> HTTPScope:
    return {**scope, "path": b"/other"}  # E


# case: receiving a body
async def body(receive: ASGIReceiveCallable) -> bytes:
    parts: list[bytes] = []
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            raise ConnectionError
        if event["type"] == "http.request":
            parts.append(event.get("body", b""))
            if not event.get("more_body", False):
                return b"".join(parts)


# case: narrowing every received event
def received(event: ASGIReceiveEvent) -> None:
    match event["type"]:
        case "http.request":
            assert_type(event, HTTPRequestEvent)
        case "http.disconnect":
            assert_type(event, HTTPDisconnectEvent)
        case "websocket.connect":
            assert_type(event, WebSocketConnectEvent)
        case "websocket.receive":
            assert_type(event, WebSocketReceiveEvent)
        case "websocket.disconnect":
            assert_type(event, WebSocketDisconnectEvent)
        case "lifespan.startup":
            assert_type(event, LifespanStartupEvent)
        case "lifespan.shutdown":
            assert_type(event, LifespanShutdownEvent)


# case: a key of one event without narrowing
async def not_narrowed_event(receive: ASGIReceiveCallable) -> None:
    event = await receive()
    print(event["code"])  # E


# case: a frame is text or bytes
def frame(event: WebSocketReceiveEvent) -> str:
    text = event.get("text")
    assert_type(text, str | None)
    assert_type(event.get("bytes"), bytes | None)
    return text if text is not None else ""


# case: a frame's text may be missing
def frame_wrong(event: WebSocketReceiveEvent) -> str:
    return event.get("text")  # E


# case: the code of a disconnection is there
def code(event: WebSocketDisconnectEvent) -> int:
    return event["code"]


# case: a server narrows what it is sent
def sent(event: ASGISendEvent) -> int:
    if event["type"] == "http.response.start":
        return event["status"]
    if event["type"] == "http.response.body":
        return len(event.get("body", b""))
    return 0


# case: a server reads sent headers
def sent_headers(event: ASGISendEvent) -> dict[bytes, bytes]:
    result: dict[bytes, bytes] = {}
    if event["type"] == "http.response.start":
        for name, value in event.get("headers", ()):
            result[name] = value
    return result


# case: receive takes no arguments
async def receive_wrong(receive: ASGIReceiveCallable) -> None:
    await receive(1)  # E


# case: receive must be awaited
async def receive_forgotten(receive: ASGIReceiveCallable) -> None:
    print(receive()["type"])  # E
