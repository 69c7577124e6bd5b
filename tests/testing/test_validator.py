"""The validator and the pure checks under it: what the specification allows passes, what it does not is told."""

import asyncio
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from asgikit import spec
from asgikit.errors import MessageError
from asgikit.spec import ReceiveLike, ScopeLike, SendLike
from asgikit.testing import validator
from asgikit.testing._conversation import Conversation
from asgikit.testing._shape import received_faults, scope_faults, sent_faults

HTTP: spec.HTTPScope = {
    "type": "http",
    "asgi": {"version": "3.0"},
    "http_version": "1.1",
    "method": "GET",
    "path": "/",
    "query_string": b"",
    "headers": [],
}
WEBSOCKET: spec.WebSocketScope = {"type": "websocket", "asgi": {"version": "3.0"}, "path": "/", "headers": []}
LIFESPAN: spec.LifespanScope = {"type": "lifespan", "asgi": {"version": "3.0"}}
EXTENSIONS = "push zerocopysend pathsend early_hint trailers debug"
EXTENDED: Mapping[str, Any] = {**HTTP, "extensions": {f"http.response.{name}": {} for name in EXTENSIONS.split()}}


SCOPES: list[Mapping[str, Any]] = [
    HTTP,
    WEBSOCKET,
    LIFESPAN,
    EXTENDED,
    {**HTTP, "headers": [[b"Host", b"example.org"]], "client": ["127.0.0.1", 1], "server": ("/run/a", None)},
    {**HTTP, "client": None, "server": None, "raw_path": None, "extensions": None, "state": {}, "custom": 1},
    {**WEBSOCKET, "subprotocols": iter(["a"]), "query_string": None},
]


@pytest.mark.parametrize("scope", SCOPES)
def test_scopes_that_the_specification_allows(scope: Mapping[str, Any]) -> None:
    """P2: what may be left out may be left out, what may be None may be None."""
    assert list(scope_faults(scope)) == []


SCOPE_FAULTS: list[tuple[Any, str]] = [
    ([], "the scope is [], which is no mapping"),
    ({}, "scope['type'] is None, not one of http, lifespan, websocket"),
    ({**HTTP, "type": "smtp"}, "scope['type'] is 'smtp', not one of http, lifespan, websocket"),
    ({"type": "lifespan"}, "scope['asgi'] is missing"),
    ({**LIFESPAN, "asgi": {"version": "4.0"}}, "scope['asgi'] is {'version': '4.0'}, not ASGIVersions"),
    ({**HTTP, "path": b"/"}, "scope['path'] is b'/', not str"),
    ({**HTTP, "query_string": None}, "scope['query_string'] is None, not bytes"),
    ({**HTTP, "headers": {b"a": b"b"}}, "scope['headers'] is {b'a': b'b'}, not "),
    ({**HTTP, "headers": [("a", "b")]}, "scope['headers'] is [('a', 'b')], not "),
    ({**HTTP, "headers": [b"ab"]}, "scope['headers'] is [b'ab'], not "),
    ({**HTTP, "client": "127.0.0.1"}, "scope['client'] is '127.0.0.1', not "),
    ({**HTTP, "client": ("127.0.0.1", True)}, "scope['client'] is ('127.0.0.1', True), not "),
    ({**HTTP, "state": {1: 2}}, "scope['state'] is {1: 2}, not dict[str, Any]"),
    ({**HTTP, "scheme": ""}, "scope['scheme'] is empty"),
]


@pytest.mark.parametrize(("scope", "fault"), SCOPE_FAULTS)
def test_faults_of_scopes(scope: object, fault: str) -> None:
    (found,) = scope_faults(scope)
    assert found.startswith(fault)


SENT: list[tuple[Mapping[str, Any], Any]] = [
    (HTTP, {"type": "http.response.start", "status": 200}),
    (HTTP, {"type": "http.response.start", "status": 200, "headers": ((b"a", b"b") for _ in range(2))}),
    (HTTP, {"type": "http.response.start", "status": 200, "headers": [[b"a", b"b"]], "trailers": False}),
    (HTTP, {"type": "http.response.body"}),
    (EXTENDED, {"type": "http.response.start", "status": 200, "trailers": True}),
    (EXTENDED, {"type": "http.response.early_hint", "links": [b"</a>"]}),
    (EXTENDED, {"type": "http.response.zerocopysend", "file": 3}),
    (EXTENDED, {"type": "http.response.debug", "info": {"template": object()}}),
    (WEBSOCKET, {"type": "websocket.accept", "subprotocol": None}),
    (WEBSOCKET, {"type": "websocket.send", "text": "a", "bytes": None}),
    (WEBSOCKET, {"type": "websocket.close", "code": 1001, "reason": None}),
    (LIFESPAN, {"type": "lifespan.startup.failed", "message": "no"}),
]


@pytest.mark.parametrize(("scope", "event"), SENT)
def test_sent_events_that_the_specification_allows(scope: Mapping[str, Any], event: Mapping[str, Any]) -> None:
    assert list(sent_faults(scope, event)) == []


SENT_FAULTS: list[tuple[Mapping[str, Any], Any, str]] = [
    (HTTP, None, "the event is None"),
    (HTTP, {"type": "http.response.end"}, "event['type'] is 'http.response.end', not one of http.response.body"),
    (HTTP, {"type": "websocket.send", "text": "a"}, "event['type'] is 'websocket.send'"),
    (HTTP, {"type": "http.response.start"}, "event['status'] is missing"),
    (HTTP, {"type": "http.response.start", "status": "200 OK"}, "event['status'] is '200 OK', not int"),
    (HTTP, {"type": "http.response.start", "status": True}, "event['status'] is True, not int"),
    (HTTP, {"type": "http.response.body", "body": "a"}, "event['body'] is 'a', not bytes"),
    (HTTP, {"type": "http.response.body", "body": bytearray(b"a")}, "event['body'] is bytearray(b'a'), not bytes"),
    (HTTP, {"type": "http.response.body", "more_body": 1}, "event['more_body'] is 1, not bool"),
    (HTTP, {"type": "http.response.start", "status": 200, "headers": [(b"A", b"b")]}, "the header name b'A' is not"),
    (HTTP, {"type": "http.response.start", "status": 200, "headers": [(b"a",)]}, "the header b'a' is no pair"),
    (HTTP, {"type": "http.response.start", "status": 200, "headers": [(b":a", b"b")]}, "b':a' is a pseudo header"),
    (HTTP, {"type": "http.response.start", "status": 200, "trailers": True}, "http.response.start needs the extension"),
    (HTTP, {"type": "http.response.pathsend", "path": "/a"}, "http.response.pathsend needs the extension"),
    (WEBSOCKET, {"type": "websocket.http.response.start", "status": 401}, "websocket.http.response.start needs"),
    (EXTENDED, {"type": "http.response.zerocopysend", "file": b"a"}, "event['file'] is b'a', not "),
    (WEBSOCKET, {"type": "websocket.send"}, "exactly one of event['bytes'] and event['text']"),
    (WEBSOCKET, {"type": "websocket.send", "text": "a", "bytes": b"a"}, "exactly one of event['bytes'] and"),
    (WEBSOCKET, {"type": "websocket.accept", "headers": [(b"sec-websocket-protocol", b"a")]}, "the header b'sec-web"),
]


@pytest.mark.parametrize(("scope", "event", "fault"), SENT_FAULTS)
def test_faults_of_sent_events(scope: Mapping[str, Any], event: object, fault: str) -> None:
    (found,) = sent_faults(scope, event)
    assert found.startswith(fault)


def test_a_file_has_a_descriptor(tmp_path: Path) -> None:
    with BytesIO(b"it has a method fileno, of no use") as file:
        (fault,) = sent_faults(EXTENDED, {"type": "http.response.zerocopysend", "file": file})
    assert fault.startswith("event['file'] is <_io.BytesIO")
    with (tmp_path / "a").open("wb") as file:
        assert list(sent_faults(EXTENDED, {"type": "http.response.zerocopysend", "file": file})) == []


def test_received_events() -> None:
    assert list(received_faults(HTTP, {"type": "http.request"})) == []
    assert list(received_faults(WEBSOCKET, {"type": "websocket.receive", "bytes": b""})) == []
    assert len(list(received_faults(WEBSOCKET, {"type": "websocket.receive"}))) == 1
    assert list(received_faults(WEBSOCKET, {"type": "websocket.disconnect"})) == ["event['code'] is missing"]
    assert len(list(received_faults(LIFESPAN, {"type": "http.request"}))) == 1


# A letter per event: see EVENTS. Upper case is received, lower case is sent.
EVENTS: dict[str, dict[str, Any]] = {
    "R": {"type": "http.request"},
    "M": {"type": "http.request", "more_body": True},
    "D": {"type": "http.disconnect"},
    "d": {"type": "http.response.debug"},
    "s": {"type": "http.response.start"},
    "t": {"type": "http.response.start", "trailers": True},
    "b": {"type": "http.response.body"},
    "m": {"type": "http.response.body", "more_body": True},
    "z": {"type": "http.response.zerocopysend", "more_body": True},
    "p": {"type": "http.response.pathsend"},
    "h": {"type": "http.response.early_hint"},
    "r": {"type": "http.response.trailers"},
    "C": {"type": "websocket.connect"},
    "F": {"type": "websocket.receive"},
    "X": {"type": "websocket.disconnect"},
    "a": {"type": "websocket.accept"},
    "f": {"type": "websocket.send"},
    "x": {"type": "websocket.close"},
    "y": {"type": "websocket.http.response.start"},
    "w": {"type": "websocket.http.response.body"},
    "U": {"type": "lifespan.startup"},
    "V": {"type": "lifespan.shutdown"},
    "u": {"type": "lifespan.startup.complete"},
    "v": {"type": "lifespan.shutdown.complete"},
    "n": {"type": "lifespan.startup.failed"},
}


def _walk(protocol: str, events: str) -> tuple[str | None, str | None]:
    """Return the first fault and what is undone at the end."""
    conversation = Conversation(protocol)
    for letter in events:
        take = conversation.received if letter.isupper() else conversation.sent
        if fault := take(EVENTS[letter]):
            return fault, None
    return None, conversation.unfinished()


@pytest.mark.parametrize(
    ("protocol", "events"),
    [
        *(("http", events) for events in ("Rsb", "MMRsmmb", "sbR", "RsmbD", "RDDsb", "Rdsb")),
        *(("http", events) for events in ("Rsp", "Rszmhb", "Rtbr", "RD", "MD")),
        *(("websocket", events) for events in ("CafFfX", "Cx", "CX", "CafxX", "Cyw", "CaxFX")),
        *(("lifespan", events) for events in ("UuVv", "Un", "")),
    ],
)
def test_orders_that_the_specification_allows(protocol: str, events: str) -> None:
    assert _walk(protocol, events) == (None, None)


@pytest.mark.parametrize(
    ("protocol", "events", "fault"),
    [
        ("http", "b", "http.response.body may not come in the state 'response expected'"),
        ("http", "ss", "http.response.start may not come in the state 'response started'"),
        ("http", "sbb", "http.response.body may not come in the state 'response complete'"),
        ("http", "sd", "http.response.debug may not come in the state 'response started'"),
        ("http", "sr", "http.response.trailers may not come in the state 'response started'"),
        ("http", "sbh", "http.response.early_hint may not come in the state 'response complete'"),
        ("http", "RR", "http.request may not come in the state 'request complete'"),
        ("http", "DM", "http.request may not come in the state 'disconnected'"),
        ("websocket", "a", "websocket.accept may not come in the state 'connection expected'"),
        ("websocket", "Cf", "websocket.send may not come in the state 'connecting'"),
        ("websocket", "CF", "websocket.receive may not come in the state 'connecting'"),
        ("websocket", "Caa", "websocket.accept may not come in the state 'open'"),
        ("websocket", "Caxf", "websocket.send may not come in the state 'closed'"),
        ("websocket", "Cya", "websocket.accept may not come in the state 'refusing'"),
        ("lifespan", "u", "lifespan.startup.complete may not come in the state 'startup expected'"),
        ("lifespan", "UV", "lifespan.shutdown may not come in the state 'starting'"),
        ("lifespan", "UnV", "lifespan.shutdown may not come in the state 'ended'"),
    ],
)
def test_orders_that_it_does_not(protocol: str, events: str, fault: str) -> None:
    assert _walk(protocol, events) == (fault, None)


@pytest.mark.parametrize(
    ("protocol", "events", "state"),
    [
        ("http", "R", "response expected"),
        ("http", "Rsm", "response started"),
        ("http", "Rtb", "trailers expected"),
        ("websocket", "C", "connecting"),
        ("websocket", "Cy", "refusing"),
        ("lifespan", "U", "starting"),
        ("lifespan", "UuV", "stopping"),
    ],
)
def test_what_is_left_undone(protocol: str, events: str, state: str) -> None:
    assert _walk(protocol, events) == (None, f"the application returned in the state {state!r}")


async def _serve(application: Any, scope: Mapping[str, Any], *received: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    events = iter(received)
    sent: list[Mapping[str, Any]] = []

    async def receive() -> Mapping[str, Any]:
        return next(events)

    async def send(event: Mapping[str, Any]) -> None:
        sent.append(event)

    assert await validator(application)(scope, receive, send) is None
    return sent


async def hello(scope: ScopeLike, receive: ReceiveLike, send: SendLike) -> None:
    await receive()
    await send({"type": "http.response.start", "status": 200})
    await send({"type": "http.response.body", "body": b"hello"})


def test_what_is_right_goes_through() -> None:
    sent = asyncio.run(_serve(hello, HTTP, {"type": "http.request"}))
    assert [event["type"] for event in sent] == ["http.response.start", "http.response.body"]


@pytest.mark.parametrize(
    ("scope", "event", "told"),
    [
        ({**HTTP, "method": None}, {"type": "http.request"}, r"the server breaks .* scope\['method'\] is None"),
        (HTTP, {"type": "http.request", "body": "a"}, r"the server breaks .* event\['body'\] is 'a'"),
        (HTTP, {"type": "websocket.connect"}, r"the server breaks .* event\['type'\] is 'websocket.connect'"),
    ],
)
def test_the_server_is_told(scope: Mapping[str, Any], event: Mapping[str, Any], told: str) -> None:
    with pytest.raises(MessageError, match=told):
        asyncio.run(_serve(hello, scope, event))


def test_the_application_is_told_where_it_sends() -> None:
    """The event at fault does not go through, and the error is the application's to catch."""
    caught: list[str] = []

    async def application(scope: ScopeLike, receive: ReceiveLike, send: SendLike) -> None:
        for event in ({"type": "http.response.body"}, {"type": "http.response.start", "status": "200"}):
            try:
                await send(event)
            except MessageError as error:
                caught.append(str(error))
        await send({"type": "http.response.start", "status": 500})
        await send({"type": "http.response.body"})

    sent = asyncio.run(_serve(application, HTTP))
    assert [event["type"] for event in sent] == ["http.response.start", "http.response.body"]
    assert all(told.startswith("the application breaks the ASGI specification: ") for told in caught)
    assert len(caught) == 2


def test_the_application_is_told_what_it_left_undone() -> None:
    async def application(scope: ScopeLike, receive: ReceiveLike, send: SendLike) -> None:
        await send({"type": "http.response.start", "status": 200})

    with pytest.raises(MessageError, match="the application returned in the state 'response started'"):
        asyncio.run(_serve(application, HTTP))


def test_the_applications_own_error_passes() -> None:
    error = KeyError("own")

    async def application(scope: ScopeLike, receive: ReceiveLike, send: SendLike) -> None:
        raise error

    with pytest.raises(KeyError) as caught:
        asyncio.run(_serve(application, HTTP))
    assert caught.value is error
