"""The table of the environ: what a scope becomes."""

from typing import Any

import pytest

from asgikit.wsgi._environ import SCOPE_KEY, build_environ
from tests.wsgi.drive import http_scope


def environ(**changes: Any) -> dict[str, Any]:
    return build_environ(http_scope(**changes), {}, multithread=True, multiprocess=False)


PATHS: list[tuple[str, str, str, str]] = [
    # root_path, path, SCRIPT_NAME, PATH_INFO
    ("", "/", "", "/"),
    ("", "/a/b", "", "/a/b"),
    ("", "", "", "/"),
    ("/api", "/api/x", "/api", "/x"),
    ("/api", "/api", "/api", ""),
    ("/api", "/api/", "/api", "/"),
    ("/api", "/apix/y", "/api", "/apix/y"),  # not at a segment boundary
    ("/api", "/x", "/api", "/x"),  # a server that took the root off already
    ("/api/", "/api/x", "/api", "/x"),
    ("api", "/api/x", "/api", "/x"),
    ("/", "/x", "", "/x"),
    ("", "*", "", "/*"),
    ("", "/caf\u00e9", "", "/caf\u00c3\u00a9"),
    ("/\u00e9", "/\u00e9/x", "/\u00c3\u00a9", "/x"),
    ("", "/\u4e2d", "", "/\u00e4\u00b8\u00ad"),
]


@pytest.mark.parametrize(("root", "path", "script_name", "path_info"), PATHS)
def test_script_name_and_path_info(root: str, path: str, script_name: str, path_info: str) -> None:
    """M12: the root is removed at a segment boundary only; text is bytes in latin-1."""
    found = environ(root_path=root, path=path, raw_path=None)
    assert (found["SCRIPT_NAME"], found["PATH_INFO"]) == (script_name, path_info)


def test_path_that_is_no_utf8_keeps_its_bytes() -> None:
    """M13: what the server could not decode is taken from the raw path."""
    found = environ(path="/caf\ufffd", raw_path=b"/caf%E9")
    assert found["PATH_INFO"] == "/caf\xe9"


def test_raw_path_of_another_request_is_not_trusted() -> None:
    found = environ(path="/caf\ufffd", raw_path=b"/other%E9")
    assert found["PATH_INFO"] == "/caf\xef\xbf\xbd"


@pytest.mark.parametrize(("query", "text"), [(b"", ""), (b"a=1&b=%20", "a=1&b=%20"), (b"a=\xff\xe9", "a=\xff\xe9")])
def test_query_bytes_pass(query: bytes, text: str) -> None:
    """M13: raw bytes in the query pass as latin-1 instead of being called something else."""
    assert environ(query_string=query)["QUERY_STRING"] == text


@pytest.mark.parametrize(
    ("changes", "target"),
    [
        ({"raw_path": b"/a%2Fb", "path": "/a/b", "query_string": b"x=1"}, "/a%2Fb?x=1"),
        ({"raw_path": b"/a"}, "/a"),
        ({"raw_path": None, "path": "/a b"}, "/a%20b"),
        ({"raw_path": b"", "path": "/\u00e9"}, "/%C3%A9"),
    ],
)
def test_request_target(changes: dict[str, Any], target: str) -> None:
    """M19: RAW_URI and REQUEST_URI are the target as it was sent, as far as the server tells."""
    found = environ(**changes)
    assert (found["RAW_URI"], found["REQUEST_URI"]) == (target, target)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, {"SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8000"}),
        ({"server": None}, {"SERVER_NAME": "localhost", "SERVER_PORT": "80"}),
        ({"server": None, "scheme": "https"}, {"SERVER_NAME": "localhost", "SERVER_PORT": "443", "HTTPS": "on"}),
        ({"server": ("/run/app.sock", None)}, {"SERVER_NAME": "localhost", "SERVER_PORT": "80"}),
        ({"client": ("10.0.0.9", 55)}, {"REMOTE_ADDR": "10.0.0.9", "REMOTE_PORT": "55"}),
        ({"client": ("10.0.0.9", None)}, {"REMOTE_ADDR": "10.0.0.9", "REMOTE_PORT": "0"}),
        ({"http_version": "2"}, {"SERVER_PROTOCOL": "HTTP/2"}),
        ({"method": "PATCH"}, {"REQUEST_METHOD": "PATCH"}),
        ({"scheme": "https"}, {"wsgi.url_scheme": "https"}),
    ],
)
def test_variables(changes: dict[str, Any], expected: dict[str, str]) -> None:
    """M19: the client's port is there, beside what PEP 3333 asks for."""
    found = environ(**changes)
    assert {name: found[name] for name in expected} == expected


def test_unknown_client_leaves_no_variables() -> None:
    assert not {"REMOTE_ADDR", "REMOTE_PORT"} & environ(client=None).keys()


def test_scope_is_in_the_environ() -> None:
    """M19: an application can reach its ASGI scope."""
    scope = http_scope()
    found = build_environ(scope, {}, multithread=False, multiprocess=True)
    assert found[SCOPE_KEY] is scope
    assert SCOPE_KEY == "asgi.scope"
    assert (found["wsgi.multithread"], found["wsgi.multiprocess"], found["wsgi.run_once"]) == (False, True, False)
    assert found["wsgi.version"] == (1, 0)


def test_minimal_scope() -> None:
    """Everything that ASGI calls optional may be missing."""
    found = build_environ({"type": "http", "method": "GET", "path": "/x"}, {}, multithread=True, multiprocess=True)
    assert (found["PATH_INFO"], found["QUERY_STRING"], found["SERVER_PROTOCOL"]) == ("/x", "", "HTTP/1.1")


def test_headers_are_added() -> None:
    assert build_environ(http_scope(), {"HTTP_X": "1"}, multithread=True, multiprocess=True)["HTTP_X"] == "1"
