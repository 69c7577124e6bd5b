"""The words against the documents they come from: names, keys, what is optional, what may be None."""

import ast
import types
import typing
from pathlib import Path
from typing import Protocol

import asgiref.typing
import pytest
import typing_extensions

from asgikit import spec


class _Message(Protocol):
    """What a TypedDict class knows about its keys."""

    __annotations__: dict[str, object]
    __required_keys__: frozenset[str]
    __optional_keys__: frozenset[str]
    __readonly_keys__: frozenset[str]


def _typed_dicts(module: types.ModuleType) -> dict[str, _Message]:
    return {name: value for name, value in vars(module).items() if typing_extensions.is_typeddict(value)}


def _hints(message: object) -> dict[str, object]:
    return typing_extensions.get_type_hints(message)


OURS = _typed_dicts(spec)
THEIRS = _typed_dicts(asgiref.typing)

# Name, required keys, optional keys: a line per scope and message of the HTTP & WebSocket format 2.5, the
# lifespan protocol 2.0, the TLS extension 0.2 and the documented extensions. `type` is left out, as is `asgi`
# of the scopes. A key with "?" may also be None.
TABLE = [
    ("ASGIVersions", "version", "spec_version"),
    (
        "HTTPScope",
        "http_version method path query_string headers",
        "scheme raw_path? root_path client? server? state extensions?",
    ),
    (
        "WebSocketScope",
        "path headers",
        "http_version scheme raw_path? query_string? root_path client? server? subprotocols state extensions?",
    ),
    ("LifespanScope", "", "state"),
    ("HTTPRequestEvent", "", "body more_body"),
    ("HTTPDisconnectEvent", "", ""),
    ("HTTPResponseStartEvent", "status", "headers trailers"),
    ("HTTPResponseBodyEvent", "", "body more_body"),
    ("WebSocketConnectEvent", "", ""),
    ("WebSocketReceiveEvent", "", "bytes? text?"),
    ("WebSocketDisconnectEvent", "code", "reason?"),
    ("WebSocketAcceptEvent", "", "subprotocol? headers"),
    ("WebSocketSendEvent", "", "bytes? text?"),
    ("WebSocketCloseEvent", "", "code reason?"),
    ("LifespanStartupEvent", "", ""),
    ("LifespanShutdownEvent", "", ""),
    ("LifespanStartupCompleteEvent", "", ""),
    ("LifespanStartupFailedEvent", "", "message"),
    ("LifespanShutdownCompleteEvent", "", ""),
    ("LifespanShutdownFailedEvent", "", "message"),
    ("HTTPServerPushEvent", "path headers", ""),
    ("HTTPResponseZeroCopySendEvent", "file", "offset count more_body"),
    ("HTTPResponsePathsendEvent", "path", ""),
    ("HTTPResponseEarlyHintEvent", "links", ""),
    ("HTTPResponseTrailersEvent", "headers", "more_trailers"),
    ("HTTPResponseDebugEvent", "info", ""),
    ("WebSocketResponseStartEvent", "status", "headers"),
    ("WebSocketResponseBodyEvent", "", "body more_body"),
    (
        "TLSExtension",
        "server_cert? tls_version? cipher_suite?",
        "client_cert_chain client_cert_name? client_cert_error?",
    ),
]
WITHOUT_TYPE = {"ASGIVersions", "TLSExtension"}


@pytest.mark.parametrize(("name", "required", "optional"), TABLE, ids=[row[0] for row in TABLE])
def test_what_the_documents_call_optional_is_optional_and_nothing_else(name: str, required: str, optional: str) -> None:
    """P2: a key is optional, and takes None, exactly where the specification says so."""
    message = OURS[name]
    implied = set[str]() if name in WITHOUT_TYPE else {"type", "asgi"} if name.endswith("Scope") else {"type"}
    assert message.__required_keys__ == implied | {key.rstrip("?") for key in required.split()}
    assert message.__optional_keys__ == {key.rstrip("?") for key in optional.split()}
    hints = _hints(message)
    nullable = {key for key, hint in hints.items() if types.NoneType in typing.get_args(hint)}
    assert nullable == {key.rstrip("?") for key in f"{required} {optional}".split() if key.endswith("?")}


def test_the_table_names_every_message() -> None:
    """A message that is added to the room needs its line in the table."""
    assert {row[0] for row in TABLE} == set(OURS)


@pytest.mark.parametrize("name", OURS)
def test_optional_keys_are_read_only(name: str) -> None:
    """P2, P4: a type that requires the key (asgiref's, uvicorn's) is assignable only while ours is read-only."""
    assert OURS[name].__optional_keys__ <= OURS[name].__readonly_keys__


@pytest.mark.parametrize("name", [*asgiref.typing.__all__, "HTTPResponseDebugEvent"])
def test_every_name_of_asgiref_is_here(name: str) -> None:
    assert name in spec.__all__
    assert hasattr(spec, name)


@pytest.mark.parametrize("name", THEIRS)
def test_keys_are_those_of_asgiref(name: str) -> None:
    assert set(OURS[name].__annotations__) == set(THEIRS[name].__annotations__)


@pytest.mark.parametrize("name", [name for name in THEIRS if name not in WITHOUT_TYPE])
def test_types_are_those_of_asgiref(name: str) -> None:
    ours, theirs = (_hints(group[name])["type"] for group in (OURS, THEIRS))
    assert typing.get_args(ours) == typing.get_args(theirs)


def _types_of(union: object) -> set[str]:
    return {literal for member in typing.get_args(union) for literal in typing.get_args(_hints(member)["type"])}


HTTP_SENT = "start body trailers zerocopysend pathsend early_hint debug push"
WEBSOCKET_SENT = "accept send close http.response.start http.response.body"
LIFESPAN_SENT = "startup.complete startup.failed shutdown.complete shutdown.failed"


def test_the_unions_hold_every_message_once() -> None:
    """Each `type` of the documents is in its union (http.disconnect among the sent ones as asgiref has it)."""
    http = {f"http.response.{name}" for name in HTTP_SENT.split()}
    websocket = {f"websocket.{name}" for name in WEBSOCKET_SENT.split()}
    lifespan = {f"lifespan.{name}" for name in LIFESPAN_SENT.split()}
    assert _types_of(spec.HTTPSendEvent) == http
    assert _types_of(spec.AnyWebSocketSendEvent) == websocket
    assert _types_of(spec.LifespanSendEvent) == lifespan
    assert _types_of(spec.ASGISendEvent) == http | websocket | lifespan | {"http.disconnect"}
    received = {"http.request", "http.disconnect", "websocket.connect", "websocket.receive", "websocket.disconnect"}
    assert _types_of(spec.ASGIReceiveEvent) == received | {"lifespan.startup", "lifespan.shutdown"}
    assert _types_of(spec.Scope) == {"http", "websocket", "lifespan"}
    assert _types_of(spec.WWWScope) == {"http", "websocket"}


def _imports(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    plain = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    door = {f"asgikit.{alias.name}" for node in froms if node.module == "asgikit" for alias in node.names}
    return plain | door | {"." * node.level + (node.module or "") for node in froms if node.module != "asgikit"}


FILES = sorted(Path(spec.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_the_room_imports_nothing_else_of_the_package(path: Path) -> None:
    """P3: the words need the standard library, typing_extensions and each other (and what names their module)."""
    allowed = {"asgikit._public", "collections.abc", "typing", "typing_extensions", "wsgiref.types"}
    assert {name for name in _imports(path) if not name.startswith("asgikit.spec.")} <= allowed


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_the_room_holds_no_behaviour(path: Path) -> None:
    """Only the bodies of protocols stand in this room, and they are a docstring and at most `...`."""
    functions = [
        node
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    statements = [statement for function in functions for statement in function.body]
    assert all(
        isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant) for statement in statements
    )
