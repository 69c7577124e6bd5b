"""One table of cases for four kinds of WSGI application under two real servers, over real sockets."""

import http.client
import logging
import socket
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from asgikit.wsgi import WsgiToAsgi
from tests.wsgi.frameworks import CHUNK, SITES, Diary
from tests.wsgi.servers import SERVERS, TIMEOUT, Address, hypercorn, uvicorn

MEBIBYTE = 1024 * 1024


class Visit:
    """One client at one server."""

    def __init__(self, address: Address, diary: Diary, site: str) -> None:
        self.address = address
        self.diary = diary
        self.site = site

    def connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(*self.address, timeout=TIMEOUT)

    def ask(self, method: str, path: str, body: Any = None, **options: Any) -> tuple[int, bytes]:
        connection = self.connect()
        try:
            connection.request(method, path, body, **options)
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def raw(self) -> socket.socket:
        connection = socket.create_connection(self.address, timeout=TIMEOUT)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection


def pieces(count: int) -> Iterator[bytes]:
    for _ in range(count):
        yield CHUNK


def checksum(count: int) -> int:
    total = 0
    for piece in pieces(count):
        total = zlib.crc32(piece, total)
    return total


def simple(visit: Visit) -> None:
    assert visit.ask("GET", "/hello") == (200, b"hello")


def upload_with_length(visit: Visit) -> None:
    assert visit.ask("POST", "/echo", b"x" * 100_000) == (200, b"x" * 100_000)
    assert visit.ask("POST", "/echo", b"") == (200, b"")


def upload_without_length(visit: Visit) -> None:
    assert visit.ask("POST", "/echo", iter([b"one", b"two" * 30_000]), encode_chunked=True) == (
        200,
        b"one" + b"two" * 30_000,
    )


def upload_of_64_mebibytes(visit: Visit) -> None:
    count = 64 * MEBIBYTE // len(CHUNK)
    headers = {"Content-Length": str(64 * MEBIBYTE)}
    assert visit.ask("POST", "/count", pieces(count), headers=headers) == (
        200,
        b"%d %d" % (64 * MEBIBYTE, checksum(count)),
    )


def streamed_download(visit: Visit) -> None:
    status, data = visit.ask("GET", "/stream")
    assert (status, data == CHUNK * 64) == (200, True)


def head_request(visit: Visit) -> None:
    connection = visit.connect()
    connection.request("HEAD", "/hello")
    response = connection.getresponse()
    assert (response.status, response.getheader("content-length"), response.read()) == (200, "5", b"")
    connection.request("GET", "/hello")  # the same connection: nothing of a body was sent
    assert connection.getresponse().read() == b"hello"
    connection.close()


def no_content(visit: Visit) -> None:
    assert visit.ask("GET", "/empty") == (204, b"")


def not_modified(visit: Visit) -> None:
    assert visit.ask("GET", "/unchanged") == (304, b"")


def keep_alive(visit: Visit) -> None:
    connection = visit.connect()
    for number in range(5):
        connection.request("POST", "/echo", b"%d" % number)
        assert connection.getresponse().read() == b"%d" % number
        connection.request("GET", "/empty")
        assert connection.getresponse().read() == b""
    connection.close()


def pipelined(visit: Visit) -> None:
    request = b"GET /hello HTTP/1.1\r\nHost: a\r\n\r\n"
    post = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc"
    last = b"GET /hello HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    with visit.raw() as connection:
        connection.sendall(request + post + last)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.count(b"HTTP/1.1 200") == 3
    assert received.count(b"hello") == 2
    assert received.count(b"abc") == 1


def expects_to_be_asked(visit: Visit) -> None:
    head = b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    with visit.raw() as connection:
        connection.sendall(head)
        assert connection.recv(65536).startswith(b"HTTP/1.1 100")
        connection.sendall(b"hello")
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.startswith(b"HTTP/1.1 200")
    assert b"hello" in received


def stream_to_a_client_that_was_not_asked(visit: Visit) -> None:
    head = b"POST /stream HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n"
    with visit.raw() as connection:
        connection.sendall(head)
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.count(CHUNK[:255]) >= 64


def unread_upload(visit: Visit) -> None:
    status, data = visit.ask("POST", "/hello", b"x" * 150_000)
    assert (status, data) == (200, b"hello")


def old_protocol(visit: Visit) -> None:
    with visit.raw() as connection:
        connection.sendall(b"GET /stream HTTP/1.0\r\n\r\n")
        received = b"".join(iter(lambda: connection.recv(65536), b""))
    assert received.endswith(CHUNK * 64)


def client_leaves_its_upload(visit: Visit) -> None:
    """M5: the application's next read raises."""
    with visit.raw() as connection:
        connection.sendall(b"POST /count HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\n" + b"x" * 300_000)
    expected = "UnreadablePostError" if visit.site == "django" else "ClientDisconnectedError"
    assert visit.diary.wait() == f"count failed with {expected}"


def client_leaves_a_download(visit: Visit) -> None:
    """M1, M15: the iteration ends and the body is closed."""
    with visit.raw() as connection:
        connection.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
    assert visit.diary.wait() == "endless closed"


def slow_client_holds_the_application_back(visit: Visit) -> None:
    """Back-pressure over a real socket: an endless response waits for a client that does not read."""
    with visit.raw() as connection:
        connection.sendall(b"GET /endless HTTP/1.1\r\nHost: a\r\n\r\n")
        assert visit.ask("GET", "/hello") == (200, b"hello")  # others are served meanwhile
        assert connection.recv(1)
    assert visit.diary.wait() == "endless closed"


def error_before_the_response(visit: Visit) -> None:
    assert visit.ask("GET", "/broken")[0] == 500
    assert visit.ask("GET", "/hello") == (200, b"hello")


def error_within_the_response(visit: Visit) -> None:
    with pytest.raises((http.client.IncompleteRead, ConnectionError)):
        visit.ask("GET", "/breaks")


CASES: tuple[Callable[[Visit], None], ...] = (
    simple,
    upload_with_length,
    upload_without_length,
    upload_of_64_mebibytes,
    streamed_download,
    head_request,
    no_content,
    not_modified,
    keep_alive,
    pipelined,
    expects_to_be_asked,
    stream_to_a_client_that_was_not_asked,
    unread_upload,
    old_protocol,
    client_leaves_its_upload,
    client_leaves_a_download,
    slow_client_holds_the_application_back,
    error_before_the_response,
    error_within_the_response,
)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("site", SITES)
def test_sites_under_servers(
    site: str,
    server: str,
    subtests: pytest.Subtests,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """M1, M5, M10, M15, M16: what the in-process tests say holds for real frameworks under real servers."""
    caplog.set_level(logging.CRITICAL)  # the broken views are logged by servers and frameworks, as they should be
    diary = Diary()
    make, knobs = SITES[site]
    adapter = WsgiToAsgi(make(diary), **knobs)
    with SERVERS[server](adapter) as address:
        for case in CASES:
            with subtests.test(case.__name__):
                case(Visit(address, diary, site))
    assert diary.entries.empty()
    assert "without being closed" not in capsys.readouterr().err  # what the validator says of a body that was not


@pytest.mark.parametrize("server", SERVERS)
def test_websocket_handshake_is_answered(server: str) -> None:
    """M11: both servers can send the denial."""
    handshake = (
        b"GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
    )
    adapter = WsgiToAsgi(SITES["plain"][0](Diary()))
    with SERVERS[server](adapter) as address, socket.create_connection(address, timeout=TIMEOUT) as connection:
        connection.sendall(handshake)
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 501")


def test_one_adapter_under_two_servers() -> None:
    """Each has its loop; when one ends, the other goes on."""
    diary = Diary()
    adapter = WsgiToAsgi(SITES["flask"][0](diary))
    with hypercorn(adapter) as second:
        with uvicorn(adapter) as first:
            for address in (first, second, first, second):
                assert Visit(address, diary, "flask").ask("GET", "/hello") == (200, b"hello")
        assert Visit(second, diary, "flask").ask("GET", "/hello") == (200, b"hello")


@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("case", [client_leaves_its_upload, client_leaves_a_download])
def test_client_that_leaves_is_no_error(
    server: str, case: Callable[[Visit], None], caplog: pytest.LogCaptureFixture
) -> None:
    """M5: neither the server nor the adapter logs anything that calls for a look."""
    diary = Diary()
    with SERVERS[server](WsgiToAsgi(SITES["plain"][0](diary))) as address:
        case(Visit(address, diary, "plain"))
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []
