"""The response state machine, as a table of what applications do."""

import sys
from collections.abc import Callable

import pytest

from asgikit.errors import ResponseBodyError, ResponseHeadError, StartResponseError
from asgikit.wsgi._response import Phase, ResponseState


def started(method: str = "GET", status: str = "200 OK", *headers: tuple[str, str]) -> ResponseState:
    state = ResponseState(method)
    state.start(status, list(headers))
    return state


def test_head_waits_for_the_first_byte() -> None:
    """M8: an empty chunk does not commit the head, a byte does."""
    state = started()
    assert (state.push(b""), state.committed) == (b"", False)
    assert (state.push(b"a"), state.committed) == (b"a", True)
    assert (state.push(b""), state.complete) == (b"", False)
    state.finish()
    assert state.complete


def test_empty_body_commits_at_its_end() -> None:
    """M8: without a byte the end commits the head."""
    state = started()
    state.finish()
    assert state.committed


def test_head_can_be_committed_early() -> None:
    state = started()
    assert (state.commit(), state.committed) == (state.head, True)
    state.finish()
    state.commit()
    assert state.complete


@pytest.mark.parametrize("act", ["push", "finish", "whole", "commit"])
def test_missing_start_response(act: str) -> None:
    """M7: a body without start_response is a named error."""
    state = ResponseState("GET")
    acts: dict[str, Callable[[], object]] = {
        "push": lambda: state.push(b"a"),
        "finish": state.finish,
        "whole": lambda: state.push_whole([b"a"]),
        "commit": state.commit,
    }
    with pytest.raises(StartResponseError, match="without calling start_response"):
        acts[act]()


def test_repeated_start_response() -> None:
    """M7: a second call without exc_info is a named error."""
    with pytest.raises(StartResponseError, match="twice"):
        started().start("200 OK", [])


def test_exc_info_replaces_a_head_that_waits() -> None:
    state = started()
    try:
        raise KeyError("broken")
    except KeyError:
        state.start("500 Oh", [("X", "1")], sys.exc_info())
    assert state.head is not None
    assert (state.head.status, state.head.headers) == (500, [(b"x", b"1")])


def test_exc_info_after_the_first_byte_is_raised() -> None:
    state = started()
    state.push(b"a")
    error = KeyError("broken")
    try:
        raise error
    except KeyError:
        info = sys.exc_info()
    with pytest.raises(KeyError) as caught:
        state.start("500 Oh", [], info)
    assert caught.value is error


def test_empty_exc_info_replaces_the_head() -> None:
    state = started()
    state.start("201 Created", [], (None, None, None))
    assert state.head is not None
    assert state.head.status == 201


def test_empty_exc_info_replaces_no_head_that_was_sent() -> None:
    """M7: what is there of the response goes on as it was."""
    state = started()
    state.push(b"a")
    with pytest.raises(StartResponseError, match="twice"):
        state.start("500 Broken", [], (None, None, None))
    assert state.head is not None
    assert (state.head.status, state.phase) == (200, Phase.COMMITTED)


def test_refused_head_leaves_the_old_one() -> None:
    state = started()
    with pytest.raises(ResponseHeadError):
        state.start("no status", [], (None, None, None))
    assert state.phase is Phase.STARTED


@pytest.mark.parametrize(
    ("method", "status", "headers", "chunks", "sent", "complete_early", "overrun"),
    [
        ("GET", "200 OK", [], [b"a", b"b"], b"ab", False, 0),
        ("HEAD", "200 OK", [("Content-Length", "2")], [b"ab"], b"", True, 0),
        ("HEAD", "200 OK", [("Content-Length", "2")], [], b"", False, 0),
        ("GET", "204 No Content", [], [b"a"], b"", True, 0),
        ("GET", "304 Not Modified", [("Content-Length", "9")], [], b"", False, 0),
        ("GET", "200 OK", [("Content-Length", "2")], [b"ab"], b"ab", True, 0),
        ("GET", "200 OK", [("Content-Length", "2")], [b"a", b"bc"], b"ab", True, 1),
        ("GET", "200 OK", [("Content-Length", "2")], [b"ab", b"cd"], b"ab", True, 2),
        ("GET", "200 OK", [("Content-Length", "0")], [b"a"], b"", True, 1),
        ("GET", "200 OK", [], [bytearray(b"a"), memoryview(b"b")], b"ab", False, 0),
    ],
)
def test_bodies(
    method: str,
    status: str,
    headers: list[tuple[str, str]],
    chunks: list[bytes],
    sent: bytes,
    complete_early: bool,
    overrun: int,
) -> None:
    """HEAD, 204, 304, and bodies against Content-Length (PEP 3333, "Handling the Content-Length Header")."""
    state = started(method, status, *headers)
    assert b"".join(state.push(chunk) for chunk in chunks) == sent
    assert (state.complete, state.overrun) == (complete_early, overrun)
    state.finish()
    assert state.complete


@pytest.mark.parametrize("chunks", [[], [b"ab"]])
def test_short_body(chunks: list[bytes]) -> None:
    state = started("GET", "200 OK", ("Content-Length", "5"))
    for chunk in chunks:
        state.push(chunk)
    with pytest.raises(ResponseBodyError, match=f"Content-Length 5 but its body ended after {2 * len(chunks)} bytes"):
        state.finish()
    assert state.committed is bool(chunks)


@pytest.mark.parametrize("chunk", ["text", None, 5, [b"a"]])
def test_chunk_that_is_no_bytes(chunk: object) -> None:
    with pytest.raises(ResponseBodyError, match="every chunk must be bytes"):
        started().push(chunk)


def test_whole_body_announces_its_length() -> None:
    state = started()
    assert state.push_whole([b"a", b"", b"bc"]) == b"abc"
    assert state.head is not None
    assert state.head.headers == [(b"content-length", b"3")]


@pytest.mark.parametrize(("method", "status"), [("HEAD", "200 OK"), ("GET", "204 No Content")])
def test_whole_body_of_a_response_without_one(method: str, status: str) -> None:
    state = started(method, status)
    assert state.push_whole([b"abc"]) == b""
    assert state.head is not None
    assert state.head.headers == []


def test_writing_beyond_the_length() -> None:
    state = started("GET", "200 OK", ("Content-Length", "1"))
    state.push(b"a")
    state.check_write()
    state.push(b"b")
    with pytest.raises(ResponseBodyError, match="1 bytes beyond"):
        state.check_write()


def test_server_sends_the_body_itself() -> None:
    state = started()
    state.push_elsewhere(7)
    state.finish()
    assert state.head is not None
    assert state.head.headers == [(b"content-length", b"7")]
