"""Requests that two readers could understand differently, sent byte for byte to real servers."""

import json
import socket
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from asgikit.wsgi import WsgiToAsgi
from tests.wsgi.servers import SERVERS, TIMEOUT, Address

SMUGGLED = b"GET /smuggled HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"


class Site:
    """Answers with its environ and its body, and remembers which paths were asked for."""

    def __init__(self) -> None:
        self.paths: list[str] = []

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        self.paths.append(environ["PATH_INFO"])
        told = {name: value for name, value in environ.items() if isinstance(value, str)}
        told["body"] = environ["wsgi.input"].read().decode("latin-1")
        start_response("200 OK", [("Content-Type", "application/json")])
        return [json.dumps(told).encode()]


def talk(address: Address, request: bytes) -> bytes:
    """Send the bytes, and return all that comes until the server hangs up."""
    with socket.create_connection(address, timeout=TIMEOUT) as connection:
        connection.sendall(request)
        received = b""
        try:
            while data := connection.recv(65536):
                received += data
        except ConnectionResetError:
            pass
    return received


def environ_of(response: bytes) -> dict[str, str]:
    """Return the environ that the site told."""
    body = response.partition(b"\r\n\r\n")[2]
    told: dict[str, str] = json.loads(body[body.index(b"{") : body.rindex(b"}") + 1])
    return told


REFUSED = {
    "two lengths": b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    "two lengths in one header": b"Content-Length: 5, 6\r\n\r\nhello!",
    "an underscore among them": b"Content-Length: 5\r\nContent-Length: 39\r\nContent_Length: 5\r\n\r\nhello",
    "signed length": b"Content-Length: +5\r\n\r\nhello",
    "length and coding": b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "coding and length": b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
    "unknown coding": b"Transfer-Encoding: chunked, cow\r\n\r\n0\r\n\r\n",
    "space in a name": b"X Header: 1\r\n\r\n",
    "space before the colon": b"Content-Length : 5\r\n\r\nhello",
}


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("name", REFUSED)
def test_refused(server: str, name: str) -> None:
    """M14: an error status, whichever of server and adapter finds it, and what follows on the connection never runs."""
    site = Site()
    with SERVERS[server](WsgiToAsgi(site)) as address:
        received = talk(address, b"POST / HTTP/1.1\r\nHost: a\r\n" + REFUSED[name] + SMUGGLED)
    assert received.split(b" ", 2)[1] in {b"400", b"501"}
    assert (received.count(b"HTTP/1.1 "), site.paths) == (1, [])


@pytest.mark.parametrize("server", SERVERS)
def test_underscores_do_not_stand_for_dashes(server: str) -> None:
    """M9: neither in a length nor in what a proxy has set."""
    headers = b"X-User: me\r\nX_User: root\r\nx_user: root\r\nContent_Length: 5\r\nContent-Length: 2\r\n"
    with SERVERS[server](WsgiToAsgi(Site())) as address:
        told = environ_of(talk(address, b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + headers + b"\r\nhi"))
    assert told["HTTP_X_USER"] == "me"
    assert (told["CONTENT_LENGTH"], told["body"]) == ("2", "hi")
    assert "HTTP_CONTENT_LENGTH" not in told


@pytest.mark.parametrize("server", SERVERS)
def test_chunked_body_is_decoded_once(server: str) -> None:
    """M10: no trace of the coding is left that would have the application decode it again."""
    request = (
        b"POST / HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    )
    with SERVERS[server](WsgiToAsgi(Site())) as address:
        told = environ_of(talk(address, request))
    assert told["body"] == "hello"
    assert not {"HTTP_TRANSFER_ENCODING", "CONTENT_LENGTH"} & told.keys()


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize(
    ("target", "path_info", "query"),
    [
        (b"/caf%C3%A9?q=%C3%A9", "/caf\xc3\xa9", "q=%C3%A9"),
        (b"/caf%E9", "/caf\xe9", ""),
        (b"//a//b", "//a//b", ""),
        (b"/a%2Fb", "/a/b", ""),
    ],
)
def test_targets(server: str, target: bytes, path_info: str, query: str) -> None:
    """M13, M19: bytes arrive as bytes, and the target itself is there too."""
    with SERVERS[server](WsgiToAsgi(Site())) as address:
        told = environ_of(talk(address, b"GET " + target + b" HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"))
    assert (told["PATH_INFO"], told["QUERY_STRING"], told["RAW_URI"]) == (path_info, query, target.decode())


@pytest.mark.parametrize("server", SERVERS)
def test_many_cookies(server: str) -> None:
    """M4, M14: 120 cookie headers are 120 cookies."""
    cookies = b"".join(b"Cookie: c%d=1\r\n" % number for number in range(120))
    with SERVERS[server](WsgiToAsgi(Site())) as address:
        told = environ_of(talk(address, b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n" + cookies + b"\r\n"))
    assert told["HTTP_COOKIE"].split("; ") == [f"c{number}=1" for number in range(120)]
