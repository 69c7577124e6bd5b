"""Scopes and events as literals: the smallest that the specification allows, the fullest, and wrong ones."""

import http
from typing import BinaryIO

from asgikit.spec import (
    ASGIReceiveEvent,
    ASGISendCallable,
    ASGISendEvent,
    ASGIVersions,
    HTTPRequestEvent,
    HTTPResponseBodyEvent,
    HTTPResponseDebugEvent,
    HTTPResponseEarlyHintEvent,
    HTTPResponsePathsendEvent,
    HTTPResponseStartEvent,
    HTTPResponseTrailersEvent,
    HTTPResponseZeroCopySendEvent,
    HTTPScope,
    HTTPServerPushEvent,
    LifespanScope,
    LifespanShutdownFailedEvent,
    LifespanStartupFailedEvent,
    Scope,
    TLSExtension,
    WebSocketAcceptEvent,
    WebSocketCloseEvent,
    WebSocketDisconnectEvent,
    WebSocketReceiveEvent,
    WebSocketResponseStartEvent,
    WebSocketScope,
    WebSocketSendEvent,
)

number: int = 1
text: str = "a"

# case: the smallest HTTP scope
smallest_http: HTTPScope = {
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "path": "/",
    "query_string": b"",
    "headers": [],
}

# case: the fullest HTTP scope
fullest_http: HTTPScope = {
    "type": "http",
    "asgi": {"version": "3.0", "spec_version": "2.5"},
    "http_version": "2",
    "method": "POST",
    "scheme": "https",
    "path": "/a b",
    "raw_path": b"/a%20b",
    "query_string": b"q=1",
    "root_path": "/app",
    "headers": [(b"host", b"example.org")],
    "client": ("127.0.0.1", 50000),
    "server": ("example.org", 443),
    "state": {"pool": object()},
    "extensions": {"http.response.push": {}, "tls": {"server_cert": None}},
}

# case: None where the specification names it
none_http: HTTPScope = {
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "path": "/",
    "raw_path": None,
    "query_string": b"",
    "headers": (),
    "client": None,
    "server": None,
    "extensions": None,
}

# case: a server on a Unix socket
unix_http: HTTPScope = {
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "path": "/",
    "query_string": b"",
    "headers": [],
    "server": ("/run/app.sock", None),
}

# case: an HTTP scope without a path
pathless: HTTPScope = {  # E[pathless]
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "query_string": b"",
    "headers": [],
}  # E[pathless]

# case: an HTTP scope with a key of WSGI
foreign_key: HTTPScope = {  # E[foreign]
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "path": "/",
    "query_string": b"",
    "headers": [],
    "PATH_INFO": "/",  # E[foreign]
}

# case: header values are bytes
text_headers: HTTPScope = {  # E[text-headers]
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "path": "/",
    "query_string": b"",
    "headers": [("host", "example.org")],  # E[text-headers]
}

# case: the query string is bytes
text_query: HTTPScope = {  # E[text-query]
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "path": "/",
    "query_string": "q=1",  # E[text-query]
    "headers": [],
}

# case: None where the specification does not allow it
none_path: HTTPScope = {  # E[none-path]
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "path": None,  # E[none-path]
    "query_string": b"",
    "headers": [],
}

# case: the smallest WebSocket scope
smallest_websocket: WebSocketScope = {"type": "websocket", "asgi": {"version": "3.0"}, "path": "/", "headers": []}

# case: the fullest WebSocket scope
fullest_websocket: WebSocketScope = {
    "type": "websocket",
    "asgi": {"version": "3.0", "spec_version": "2.5"},
    "http_version": "1.1",
    "scheme": "wss",
    "path": "/chat",
    "raw_path": b"/chat",
    "query_string": None,
    "root_path": "",
    "headers": [(b"origin", b"https://example.org")],
    "client": ("127.0.0.1", 50000),
    "server": ("example.org", 443),
    "subprotocols": ["chat.v2", "chat.v1"],
    "state": {},
    "extensions": {"websocket.http.response": {}},
}

# case: a WebSocket scope has no method
method_websocket: WebSocketScope = {  # E[method]
    "type": "websocket",
    "asgi": {"version": "3.0"},
    "path": "/",
    "headers": [],
    "method": "GET",  # E[method]
}

# case: the smallest lifespan scope
smallest_lifespan: LifespanScope = {"type": "lifespan", "asgi": {"version": "3.0"}}

# case: a lifespan scope with state
state_lifespan: LifespanScope = {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {}}

# case: the type of a scope is one of three words
unknown_type: LifespanScope = {"type": "startup", "asgi": {"version": "3.0"}}  # E

# case: a scope of the union
of_union: Scope = {"type": "lifespan", "asgi": {"version": "3.0"}}

# case: the version of ASGI is one of two words
versions: ASGIVersions = {"version": "3.0"}
versions = {"version": "4.0"}  # E

# case: the smallest response
start: HTTPResponseStartEvent = {"type": "http.response.start", "status": 204}
body: HTTPResponseBodyEvent = {"type": "http.response.body"}

# case: the fullest response
start = {"type": "http.response.start", "status": 200, "headers": [(b"a", b"b")], "trailers": True}
body = {"type": "http.response.body", "body": b"hello", "more_body": True}

# case: a status of http.HTTPStatus
start = {"type": "http.response.start", "status": http.HTTPStatus.OK}

# case: headers as lists, tuples, generators
start = {"type": "http.response.start", "status": 200, "headers": [[b"a", b"b"]]}
start = {"type": "http.response.start", "status": 200, "headers": ((b"a", b"b"), (b"c", b"d"))}
start = {"type": "http.response.start", "status": 200, "headers": {b"a": b"b"}.items()}

# case: headers as a dictionary
start = {"type": "http.response.start", "status": 200, "headers": {b"a": b"b"}}  # E

# case: headers of text
start = {"type": "http.response.start", "status": 200, "headers": [("a", "b")]}  # E

# case: a start event without status
start = {"type": "http.response.start"}  # E

# case: a status line of WSGI
start = {"type": "http.response.start", "status": "200 OK"}  # E

# case: a body of text
body = {"type": "http.response.body", "body": "hello"}  # E

# case: a body of None
body = {"type": "http.response.body", "body": None}  # E

# case: a misspelt key
body = {"type": "http.response.body", "more": True}  # E

# case: a misspelt type
body = {"type": "http.response.bodies"}  # E

# case: a request event
request: HTTPRequestEvent = {"type": "http.request"}
request = {"type": "http.request", "body": b"a", "more_body": False}

# case: accepting
accept: WebSocketAcceptEvent = {"type": "websocket.accept"}
accept = {"type": "websocket.accept", "subprotocol": None, "headers": [(b"a", b"b")]}

# case: accepting with several subprotocols
accept = {"type": "websocket.accept", "subprotocol": ["a", "b"]}  # E

# case: a frame of text
frame: WebSocketSendEvent = {"type": "websocket.send", "text": "hello"}
frame = {"type": "websocket.send", "text": "hello", "bytes": None}

# case: a frame of bytes
frame = {"type": "websocket.send", "bytes": b"hello"}

# case: a frame with the wrong key for its content
frame = {"type": "websocket.send", "text": b"hello"}  # E

# case: a received frame
received: WebSocketReceiveEvent = {"type": "websocket.receive", "bytes": None, "text": "hello"}

# case: closing
close: WebSocketCloseEvent = {"type": "websocket.close"}
close = {"type": "websocket.close", "code": 1001, "reason": None}

# case: a disconnection has a code
gone: WebSocketDisconnectEvent = {"type": "websocket.disconnect", "code": 1005}
gone = {"type": "websocket.disconnect"}  # E

# case: refusing with a response
refuse: WebSocketResponseStartEvent = {"type": "websocket.http.response.start", "status": 401}

# case: a failed start
failed: LifespanStartupFailedEvent = {"type": "lifespan.startup.failed"}
failed = {"type": "lifespan.startup.failed", "message": "no database"}

# case: a failed shutdown with an exception for a message
unclean: LifespanShutdownFailedEvent = {"type": "lifespan.shutdown.failed", "message": ValueError("x")}  # E

# case: pushing
push: HTTPServerPushEvent = {"type": "http.response.push", "path": "/style.css", "headers": []}
push = {"type": "http.response.push", "path": "/style.css"}  # E


# case: sending a file
def file_events(opened: BinaryIO) -> list[HTTPResponseZeroCopySendEvent]:
    return [
        {"type": "http.response.zerocopysend", "file": opened},
        {"type": "http.response.zerocopysend", "file": opened.fileno(), "offset": 0, "count": 10, "more_body": True},
    ]


# case: sending something that is no file
not_a_file: HTTPResponseZeroCopySendEvent = {"type": "http.response.zerocopysend", "file": b"content"}  # E

# case: sending a path
path: HTTPResponsePathsendEvent = {"type": "http.response.pathsend", "path": "/srv/a.bin"}

# case: an early hint
hint: HTTPResponseEarlyHintEvent = {"type": "http.response.early_hint", "links": [b"</style.css>; rel=preload"]}

# case: trailers
trailers: HTTPResponseTrailersEvent = {"type": "http.response.trailers", "headers": [(b"digest", b"x")]}
trailers = {"type": "http.response.trailers", "headers": [], "more_trailers": True}

# case: debugging information
debug: HTTPResponseDebugEvent = {"type": "http.response.debug", "info": {"template": "index.html", "context": {}}}

# case: TLS
tls: TLSExtension = {"server_cert": None, "tls_version": 0x0304, "cipher_suite": 0x1301}
tls = {"server_cert": None}  # E

# case: an event of the union of sent ones
sent: ASGISendEvent = {"type": "http.response.start", "status": 200}
sent = {"type": "lifespan.startup.complete"}
sent = {"type": "http.response.pathsend", "path": "/srv/a.bin"}

# case: a received event is not a sent one
sent = {"type": "http.request"}  # E

# case: an event of the union of received ones
event: ASGIReceiveEvent = {"type": "http.request", "body": b"", "more_body": False}

# case: a sent event is not a received one
event = {"type": "http.response.body"}  # E


# case: sending literals
async def sending(send: ASGISendCallable) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": b"hello"})
    await send({"type": "websocket.send", "text": "hello"})


# case: sending a wrong literal
async def sending_wrong(send: ASGISendCallable) -> None:
    await send({"type": "http.response.start", "status": "200"})  # E


# case: sending an unknown event
async def sending_unknown(send: ASGISendCallable) -> None:
    await send({"type": "http.response.end"})  # E


# case: forgetting to await send is seen where its result is used
async def sending_forgotten(send: ASGISendCallable) -> None:
    result: None = send({"type": "http.response.body"})  # E
    print(result)
