"""The table of what applications give to start_response."""

from typing import Any

import pytest

from asgikit.errors import ResponseHeadError
from asgikit.wsgi._response_head import read_head


@pytest.mark.parametrize(
    ("status", "code"),
    [
        ("200 OK", 200),
        ("200", 200),
        ("404 ", 404),
        ("299 Nearly All Right", 299),
        ("999 Odd", 999),
        ("418 I\xe9 teapot", 418),
    ],
)
def test_status(status: str, code: int) -> None:
    """M18: a bare code is accepted."""
    assert read_head(status, []).status == code


@pytest.mark.parametrize(
    "status", [200, None, b"200 OK", "", "OK", "20", "2000", "200OK", "099 X", "100 Continue", "200 a\r\nb"]
)
def test_status_refused(status: object) -> None:
    with pytest.raises(ResponseHeadError, match="status"):
        read_head(status, [])


@pytest.mark.parametrize(
    ("header", "sent"),
    [
        (("X-Name", "caf\xe9"), (b"x-name", b"caf\xe9")),
        (("Content-Type", " text/plain\t"), (b"content-type", b"text/plain")),
        (["X-List", "1"], (b"x-list", b"1")),
        (("X-Empty", ""), (b"x-empty", b"")),
        (("X-Tab", "a\tb"), (b"x-tab", b"a\tb")),
    ],
)
def test_header(header: Any, sent: tuple[bytes, bytes]) -> None:
    """M3: latin-1 values pass; names are lower-cased for ASGI."""
    assert read_head("200 OK", [header]).headers == [sent]


@pytest.mark.parametrize(
    ("header", "words"),
    [
        (("X-Name", "\u4e2d"), "only latin-1"),
        (("X-Name", "a\r\nSet-Cookie: b"), "control characters"),
        (("X-Name", "a\0b"), "control characters"),
        (("X-Name", b"bytes"), "must be a str"),
        (("X-Name", 5), "must be a str"),
        (("X Name", "a"), "not a header name"),
        (("", "a"), "not a header name"),
        (("X-N\xe4me", "a"), "not a header name"),
        ((b"X-Name", "a"), "not a header name"),
        ("X-Name", "tuple"),
        (("X-Name",), "tuple"),
        (("Content-Length", "ten"), "not a number"),
        (("Content-Length", "-1"), "not a number"),
        (("Content-Length", "9" * 5000), "not a number"),  # more digits than `int` takes
        (("Connection", "close"), "hop-by-hop"),
        (("Transfer-Encoding", "chunked"), "hop-by-hop"),
    ],
)
def test_header_refused(header: Any, words: str) -> None:
    """M3: whatever cannot be sent is a clear error, before a byte is sent."""
    with pytest.raises(ResponseHeadError, match=words):
        read_head("200 OK", [header])


@pytest.mark.parametrize("headers", ["X: y", b"X: y", {"X": "y"}])
def test_headers_of_another_type(headers: Any) -> None:
    with pytest.raises(ResponseHeadError, match="for the headers"):
        read_head("200 OK", headers)


def test_hop_by_hop_headers_can_be_dropped() -> None:
    assert read_head("200 OK", [("Connection", "close"), ("X", "1")], "drop").headers == [(b"x", b"1")]


def test_content_length() -> None:
    head = read_head("200 OK", [("Content-Length", "7"), ("Content-Length", "7")])
    assert (head.length, head.headers) == (7, [(b"content-length", b"7")])
    with pytest.raises(ResponseHeadError, match="twice"):
        read_head("200 OK", [("Content-Length", "7"), ("Content-Length", "8")])


@pytest.mark.parametrize(("status", "has_body"), [("200", True), ("204", False), ("304", False), ("206", True)])
def test_statuses_without_body(status: str, has_body: bool) -> None:
    assert read_head(status, []).has_body is has_body


def test_no_length_goes_with_204() -> None:
    assert read_head("204 No Content", [("Content-Length", "0")]).headers == []


def test_later_changes_of_the_list_do_not_count() -> None:
    headers = [("X-A", "1")]
    head = read_head("200 OK", headers)
    headers.append(("X-B", "2"))
    assert head.headers == [(b"x-a", b"1")]
