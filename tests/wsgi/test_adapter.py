"""WsgiToAsgi in process: what each invariant of section M says, with a client that the test owns."""

import asyncio
import contextvars
import gc
import logging
import sys
import threading
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from functools import partial
from io import StringIO
from itertools import chain
from typing import Any, TypeVarTuple
from wsgiref.validate import validator

import pytest

from asgikit.errors import (
    ClientDisconnectedError,
    ClosedError,
    ResponseBodyError,
    ResponseHeadError,
    StartResponseError,
    UnsupportedScopeError,
    WsgiApplicationError,
)
from asgikit.executor import WorkerThreadPool
from asgikit.wsgi import WsgiToAsgi
from asgikit.wsgi._mailbox import Mailbox
from tests.wsgi.drive import (
    DISCONNECT,
    TIMEOUT,
    Client,
    Environ,
    StartResponse,
    adapted,
    ask,
    body,
    http_scope,
    run,
    serve_until_it_leaves,
)

POST = http_scope(method="POST", headers=[(b"content-length", b"6")])


class Body:
    """A response body that counts how often it is closed."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self.chunks = iter(chunks)
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        return self.chunks

    def close(self) -> None:
        self.closed += 1


def plain(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


def echo(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    data = environ["wsgi.input"].read()
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [data]


# -- requests ----------------------------------------------------------------------------------------


def test_short_response_is_two_events() -> None:
    client = ask(plain)
    assert client.events == [
        {
            "type": "http.response.start",
            "status": 200,
            "headers": [(b"content-type", b"text/plain"), (b"content-length", b"5")],
        },
        {"type": "http.response.body", "body": b"hello", "more_body": False},
    ]
    assert client.received == 0  # a request without body does not wait for one


def test_validator_finds_nothing() -> None:
    """PEP 3333 in full, as far as `wsgiref.validate` looks."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        read = environ["wsgi.input"].read(2) + environ["wsgi.input"].readline() + b"".join(environ["wsgi.input"])
        write = start_response("200 OK", [("Content-Type", "text/plain")])
        write(b"first,")
        return [read]

    client = ask(validator(application), body(b"ab\n", more=True), body(b"cd\n"), scope=POST)
    assert client.body == b"first,ab\ncd\n"


def test_body_streams_in_as_it_arrives() -> None:
    """M16: the application reads the first bytes before the client has sent the last."""
    lines: list[bytes] = []

    async def main() -> bytes:
        loop = asyncio.get_running_loop()
        read = asyncio.Event()

        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            lines.append(environ["wsgi.input"].readline())
            loop.call_soon_threadsafe(read.set)
            lines.append(environ["wsgi.input"].readline())
            return plain(environ, start_response)

        client = Client(body(b"one\n", more=True))
        with adapted(application) as adapter:
            task = asyncio.create_task(adapter(http_scope(method="POST"), client.receive, client.send))
            await read.wait()
            assert lines == [b"one\n"]
            client.incoming.put_nowait(body(b"two\n"))
            await task
        return client.body

    assert run(main()) == b"hello"
    assert lines == [b"one\n", b"two\n"]


def test_upload_waits_for_the_application() -> None:
    """M16: no more is received than may wait, while the application does not read."""
    chunk = b"x" * 1000

    async def main() -> int:
        loop = asyncio.get_running_loop()
        started, go_on = asyncio.Event(), threading.Event()

        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            loop.call_soon_threadsafe(started.set)
            assert go_on.wait(TIMEOUT)
            start_response("200 OK", [])
            return [b"%d" % len(environ["wsgi.input"].read())]

        client = Client(*[body(chunk, more=True)] * 99, body(chunk))
        scope = http_scope(method="POST", headers=[(b"content-length", b"100000")])
        with adapted(application, request_buffer=5000) as adapter:
            task = asyncio.create_task(adapter(scope, client.receive, client.send))
            await started.wait()
            for _ in range(50):
                await asyncio.sleep(0)
            waiting = client.received
            go_on.set()
            await task
        assert client.body == b"100000"
        return waiting

    assert run(main()) == 5


@pytest.mark.parametrize(
    ("headers", "length"),
    [([], None), ([(b"content-length", b"6")], "6"), ([(b"transfer-encoding", b"chunked")], None)],
)
def test_content_length_when_known(headers: list[tuple[bytes, bytes]], length: str | None) -> None:
    """M10: CONTENT_LENGTH when it is known; `wsgi.input_terminated` says that reading to the end is safe."""
    seen: Environ = {}

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        seen.update(environ)
        return echo(environ, start_response)

    client = ask(application, body(b"abc", more=True), body(b"def"), scope=http_scope(method="POST", headers=headers))
    assert client.body == b"abcdef"
    assert seen.get("CONTENT_LENGTH") == length
    assert seen["wsgi.input_terminated"] is True


@pytest.mark.parametrize(
    ("choice", "headers"), [("unknown", []), ("always", []), ("always", [(b"content-length", b"6")])]
)
def test_buffering_is_an_option(choice: Any, headers: list[tuple[bytes, bytes]]) -> None:
    """M10, M16: a framework that reads CONTENT_LENGTH only sees a body of unknown length too."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return [environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))]

    scope = http_scope(method="POST", headers=headers)
    assert ask(application, body(b"abc", more=True), body(b"def"), scope=scope, buffer_body=choice).body == b"abcdef"


def test_bytes_beyond_content_length_are_not_read() -> None:
    """M10: an understated length does not smuggle bytes in (PEP 3333: the stream ends there)."""
    assert ask(echo, body(b"abcdefGET / HTTP/1.1"), scope=POST).body == b"abcdef"


class Never:
    """An application that must not run."""

    ran = False

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        self.ran = True
        return plain(environ, start_response)


@pytest.mark.parametrize(
    ("headers", "limit"),
    [([(b"content-length", b"6")], 5), ([(b"transfer-encoding", b"chunked")], 5), ([], 0)],
)
def test_too_large_body_is_refused_first(headers: list[tuple[bytes, bytes]], limit: int) -> None:
    """M17: 413, and the application does not run."""
    scope = http_scope(method="POST", headers=headers)
    never = Never()
    client = ask(never, body(b"abc", more=True), body(b"def"), scope=scope, max_body_size=limit)
    assert (client.status, client.complete, never.ran) == (413, True, False)


@pytest.mark.parametrize("answers", [True, False])
def test_body_that_grows_too_large_later(answers: bool) -> None:
    """M17: beyond what may be received first, the application's read raises, and the client gets 413 all the same."""
    raised: list[type] = []

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            environ["wsgi.input"].read()
        except OSError as error:
            raised.append(type(error))
            if not answers:
                raise
        return plain(environ, start_response)

    scope = http_scope(method="POST", headers=[(b"transfer-encoding", b"chunked")])
    client = ask(application, body(b"abc", more=True), body(b"def"), scope=scope, max_body_size=5, request_buffer=2)
    assert (client.status, client.complete, [kind.__name__ for kind in raised]) == (
        413,
        True,
        ["RequestBodyTooLargeError"],
    )


@pytest.mark.parametrize(
    ("headers", "words"),
    [
        ([(b"content-length", b"5"), (b"content-length", b"6")], b"conflicting Content-Length"),
        ([(b"x-a", b"1")] * 101, b"more than 100"),
    ],
)
def test_bad_headers_are_answered(headers: list[tuple[bytes, bytes]], words: bytes) -> None:
    """M13, M14: 400 with the real cause; the application does not run."""
    never = Never()
    client = ask(never, scope=http_scope(headers=headers))
    assert (client.status, never.ran) == (400, False)
    assert words in client.body
    assert client.headers[b"connection"] == b"close"  # what follows may have been smuggled


def test_connection_is_not_named_where_it_has_no_headers() -> None:
    scope = http_scope(http_version="2", headers=[(b"content-length", b"x")])
    assert b"connection" not in ask(Never(), scope=scope).headers


def test_client_that_leaves_during_its_upload(caplog: pytest.LogCaptureFixture) -> None:
    """M5: the next read raises; the request ends without a response, an exception or an error log."""
    errors: list[BaseException] = []

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        for _ in range(2):
            try:
                environ["wsgi.input"].read()
            except ClientDisconnectedError as error:
                errors.append(error)
        environ["wsgi.input"].read()
        return plain(environ, start_response)

    with caplog.at_level(logging.INFO):
        client = ask(application, body(b"abc", more=True), DISCONNECT, scope=POST)
    assert (len(errors), client.events, caplog.records) == (2, [], [])


@pytest.mark.parametrize("choice", ["never", "always"])
def test_body_that_ends_before_its_length(choice: str) -> None:
    """M5: also a server that says "no more" too early does not make a truncated body a whole one."""
    assert ask(echo, body(b"abc"), scope=POST, buffer_body=choice).status == 400


def test_body_that_ends_before_its_length_within_the_response() -> None:
    """M5: the client is there, and shall not take the response for a whole one."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        yield b"x"
        yield environ["wsgi.input"].read()

    async def main() -> None:
        client = Client(body(b"abc"))
        with adapted(application) as adapter, pytest.raises(ClientDisconnectedError, match="after 3 of 6 bytes"):
            await adapter(POST, client.receive, client.send)
        assert (client.body, client.complete) == (b"x", False)

    run(main())


def test_framework_error_caused_by_the_disconnect_is_none_of_ours() -> None:
    """M5: an exception raised because of the disconnect is not reported either."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            environ["wsgi.input"].read()
        except OSError as error:
            raise RuntimeError("unreadable post") from error
        return plain(environ, start_response)

    assert ask(application, DISCONNECT, scope=POST).events == []


def test_expect_header_waits_for_the_first_read() -> None:
    """A client that asks before it sends is not told to send until the application reads."""
    scope = http_scope(method="POST", headers=[(b"content-length", b"6"), (b"expect", b"100-continue")])
    assert ask(plain, body(b"abcdef"), scope=scope).received == 0
    assert ask(echo, body(b"abcdef"), scope=scope).body == b"abcdef"


# -- responses ---------------------------------------------------------------------------------------


def test_write() -> None:
    """M2: start_response returns a working write()."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("200 OK", [])
        write(b"a")
        write(b"")
        write(b"b")
        return [b"c"]

    client = ask(application)
    assert (client.body, client.complete) == (b"abc", True)


def test_write_beyond_content_length_raises_in_the_application() -> None:
    """M2: the client still has a correct response."""
    errors: list[BaseException] = []

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("200 OK", [("Content-Length", "2")])
        write(b"ab")
        try:
            write(b"c")
        except ResponseBodyError as error:
            errors.append(error)
        return []

    client = ask(application)
    assert (client.body, client.complete, len(errors)) == (b"ab", True, 1)


def test_head_stays_back_until_the_first_byte() -> None:
    """M8: an error after empty chunks still replaces the head."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        yield b""
        try:
            raise KeyError("broken")
        except KeyError:
            start_response("500 Oh", [("X", "1")], sys.exc_info())
        yield b"sorry"

    client = ask(application)
    assert (client.status, client.body) == (500, b"sorry")


def test_lazy_start_response() -> None:
    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("201 Created", [])
        yield b"x"

    assert ask(application).status == 201


@pytest.mark.parametrize(
    ("method", "status", "sent_length"),
    [("HEAD", "200 OK", b"5"), ("GET", "304 Not Modified", b"5"), ("GET", "204", None)],
)
def test_responses_without_body(method: str, status: str, sent_length: bytes | None) -> None:
    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response(status, [("Content-Length", "5")])
        yield b"hello"

    client = ask(application, scope=http_scope(method=method))
    assert (client.body, client.complete, client.headers.get(b"content-length")) == (b"", True, sent_length)


def test_iteration_stops_at_content_length(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing is sent beyond the announced length, nothing is computed in vain, and somebody is told."""
    response = Body(iter([b"ab", b"cd", b"ef"]))

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", "3")])
        return response

    client = ask(application)
    assert (client.body, client.complete, list(response.chunks), response.closed) == (b"abc", True, [b"ef"], 1)
    assert "1 bytes more than its Content-Length" in caplog.text


def test_list_beyond_its_content_length(caplog: pytest.LogCaptureFixture) -> None:
    """What is left out of a body that is known as a whole is reported as that of a stream is."""

    def application(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", [("Content-Length", "4")])
        return [b"four", b"!"]

    assert ask(application).body == b"four"
    assert "1 bytes more than its Content-Length" in caplog.text


def test_short_body_never_looks_complete() -> None:
    response = Body([b"ab"])

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", "3")])
        return response

    async def main() -> None:
        client = Client()
        with adapted(application) as adapter, pytest.raises(ResponseBodyError, match="ended after 2 bytes"):
            await adapter(http_scope(), client.receive, client.send)
        assert (client.body, client.complete, response.closed) == (b"ab", False, 1)

    run(main())


def no_call(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    return [b"x"]


def called_twice(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [])
    return plain(environ, start_response)


def bad_value(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [("X", "\u4e2d")])
    return []


def no_iterable(environ: Environ, start_response: StartResponse) -> Any:
    start_response("200 OK", [])


def text_chunk(environ: Environ, start_response: StartResponse) -> Any:
    start_response("200 OK", [])
    return ["text"]


def own_error(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    raise KeyError("broken")


def late_error(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [])
    yield b""
    raise KeyError("broken")


@pytest.mark.parametrize(
    ("application", "error"),
    [
        (no_call, StartResponseError),
        (called_twice, StartResponseError),
        (bad_value, ResponseHeadError),
        (no_iterable, ResponseBodyError),
        (text_chunk, ResponseBodyError),
        (own_error, KeyError),
        (late_error, KeyError),
    ],
)
def test_errors_before_the_first_byte(application: Any, error: type[Exception]) -> None:
    """M3, M7: raised to the server, which answers and logs; nothing has been sent."""

    async def main() -> None:
        client = Client()
        with adapted(application) as adapter, pytest.raises(error):
            await adapter(http_scope(), client.receive, client.send)
        assert client.events == []

    run(main())


def test_error_after_the_first_byte() -> None:
    """M1: raised to the server, which breaks the connection: the response does not look complete."""
    error = KeyError("broken")

    def chunks() -> Iterator[bytes]:
        yield b"a"
        raise error

    response = Body(chunks())

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return response

    async def main() -> None:
        client = Client()
        with adapted(application) as adapter, pytest.raises(KeyError) as caught:
            await adapter(http_scope(), client.receive, client.send)
        assert caught.value is error
        assert (client.body, client.complete, response.closed) == (b"a", False, 1)

    run(main())


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), asyncio.CancelledError(), GeneratorExit()])
def test_application_cannot_end_the_server(error: BaseException) -> None:
    """sys.exit() in a view is that request's failure."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        raise error

    async def main() -> None:
        client = Client()
        with adapted(application) as adapter, pytest.raises(WsgiApplicationError) as caught:
            await adapter(http_scope(), client.receive, client.send)
        assert caught.value.__cause__ is error

    run(main())


@pytest.mark.parametrize(
    ("chunks", "length"),
    [
        ([], None),
        ([b"a"], None),
        ([b"a", b"b"], None),
        ([b"a", b"b"], "1"),
        ([b"a"], "1"),
        ([b"a"], "5"),
        (["text"], None),
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_close_exactly_once(chunks: Any, length: str | None, method: str) -> None:
    """M1: at the end, at an early stop, and after an error."""
    response = Body(chunks)

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", length)] if length else [])
        return response

    async def main() -> None:
        client = Client()
        with adapted(application) as adapter:
            with suppress(ResponseBodyError):
                await adapter(http_scope(method=method), client.receive, client.send)
            assert response.closed == 1

    run(main())


def test_error_in_close_is_raised_after_a_complete_response() -> None:
    """M1."""

    class Broken(Body):
        def close(self) -> None:
            super().close()
            raise KeyError("in close")

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return Broken([b"a"])

    async def main() -> None:
        client = Client()
        with adapted(application) as adapter, pytest.raises(KeyError, match="in close"):
            await adapter(http_scope(), client.receive, client.send)
        assert (client.body, client.complete) == (b"a", True)

    run(main())


def test_response_is_complete_before_a_slow_close() -> None:
    """The client does not wait for what the application does in close()."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        complete, go_on = asyncio.Event(), threading.Event()

        class Slow(Body):
            def close(self) -> None:
                assert go_on.wait(TIMEOUT)

        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            start_response("200 OK", [])
            return Slow([b"a"])

        async def on_send(event: Mapping[str, Any]) -> None:
            if event.get("more_body") is False:
                complete.set()

        client = Client(on_send=on_send)
        with adapted(application) as adapter:
            task = loop.create_task(adapter(http_scope(), client.receive, client.send))
            await complete.wait()
            assert not task.done()
            go_on.set()
            await task

    run(main())


def test_a_worker_that_always_has_more_leaves_the_loop_to_others() -> None:
    """L5, M15: without the GIL it goes on while the loop sends, so there is never nothing to send."""
    queued, permits = threading.Semaphore(0), threading.Semaphore(0)
    turns: list[int] = []

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        for _ in range(200):
            yield b"x"
            queued.release()
            assert permits.acquire(timeout=TIMEOUT)

    async def main() -> None:
        client: Client

        async def on_send(event: Mapping[str, Any]) -> None:
            if event["type"] == "http.response.start":
                asyncio.get_running_loop().call_soon(lambda: turns.append(len(client.chunks)))
            else:
                permits.release()
            if event.get("more_body", True) and len(client.chunks) < 200:
                assert queued.acquire(timeout=TIMEOUT)  # the next chunk waits already when this one is sent

        client = Client(body(), on_send=on_send)
        with adapted(application) as adapter:
            await adapter(http_scope(), client.receive, client.send)
        assert client.body == b"x" * 200

    run(main())
    assert turns[0] <= 20


# -- disconnects -------------------------------------------------------------------------------------


def test_disconnect_stops_an_endless_response() -> None:
    """M1, M15: at the next chunk the iteration ends and close() is called."""
    response = Body(iter(lambda: b"x" * 100, None))

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return response

    async def main() -> None:
        client = await serve_until_it_leaves(application, lambda client: len(client.events) == 3)
        assert (response.closed, client.complete) == (1, False)

    run(main())


@pytest.mark.parametrize("events", [3, 50])
def test_unread_body_does_not_hide_that_the_client_left(events: int) -> None:
    """M15: an endless response that never reads its request still ends; little or much of the request may wait."""
    response = Body(iter(lambda: b"x" * 100, None))

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return response

    async def main() -> None:
        client = Client(*[body(b"u" * 1000, more=True)] * events, DISCONNECT)
        scope = http_scope(method="POST", headers=[(b"content-length", b"1000000")])
        with adapted(application, request_buffer=1000) as adapter:
            adapter._options = replace(adapter._options, probe_after=0.0)
            await adapter(scope, client.receive, client.send)
        assert (client.received, response.closed, client.complete) == (events + 1, 1, False)

    run(main())


@pytest.mark.parametrize("streams", [False, True])
def test_server_that_hands_over_what_it_has_before_it_takes_more(streams: bool) -> None:
    """M1, M15, M22: under hypercorn `send` waits for a place in the queue of `receive` once the connection ends."""
    response = Body(iter([b"x" * 100] * 3))

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        assert queue_is_full.wait(TIMEOUT)
        start_response("200 OK", [])
        return response if streams else [b"x"]

    queue_is_full = threading.Event()

    async def main() -> None:
        incoming: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue(maxsize=2)

        async def upload() -> None:
            while True:
                if incoming.full():
                    queue_is_full.set()
                await incoming.put(body(b"u" * 1000, more=True))

        async def on_send(event: Mapping[str, Any]) -> None:
            if event["type"] == "http.response.body":
                uploading.cancel()
                await incoming.put(DISCONNECT)

        client = Client(on_send=on_send)
        client.incoming = incoming
        uploading = asyncio.create_task(upload())
        scope = http_scope(method="POST", headers=[(b"content-length", b"1000000")])
        with adapted(application, request_buffer=1000) as adapter:
            adapter._options = replace(adapter._options, probe_after=0.0)
            await adapter(scope, client.receive, client.send)

    run(main())
    assert response.closed == streams


def test_body_that_is_read_beside_the_response_is_not_dropped() -> None:
    """M16: however small the buffer is beside the events of the server."""
    upload = [b"u" * 1000] * 3
    read: list[bytes] = []
    second = threading.Event()

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        yield b"x"
        assert second.wait(TIMEOUT)
        read.append(environ["wsgi.input"].read())

    async def main() -> None:
        client = Client(*(body(data, more=True) for data in upload))

        async def receive() -> Mapping[str, Any]:
            event = await client.receive()
            if client.received == 2:
                asyncio.get_running_loop().call_soon(second.set)  # when the event has been dealt with
            return event

        scope = http_scope(method="POST", headers=[(b"content-length", b"3000")])
        with adapted(application, request_buffer=10) as adapter:
            await adapter(scope, receive, client.send)

    run(main())
    assert read == [b"".join(upload)]


def test_dropped_body_is_never_a_whole_one() -> None:
    """M5, M15: an application that reads after all is told."""
    raised: list[str] = []

    async def main() -> None:
        dropped = threading.Event()

        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            start_response("200 OK", [])
            yield b"x"
            assert dropped.wait(TIMEOUT)
            try:
                environ["wsgi.input"].read()
            except OSError as error:
                raised.append(type(error).__name__)
            yield b"y"

        client = Client(*[body(b"u" * 1000, more=True)] * 19, body(b"u" * 1000))

        async def receive() -> Mapping[str, Any]:
            if client.incoming.empty():
                dropped.set()
            return await client.receive()

        scope = http_scope(method="POST", headers=[(b"content-length", b"20000")])
        with adapted(application, request_buffer=1000) as adapter:
            adapter._options = replace(adapter._options, probe_after=0.0)
            await adapter(scope, receive, client.send)
        assert (client.body, client.complete) == (b"xy", True)

    run(main())
    assert raised == ["RequestBodyDroppedError"]


def test_empty_event_is_not_the_end() -> None:
    """M5, M16: a server may say that nothing has come yet."""

    async def main() -> bytes:
        client = Client()
        loop = asyncio.get_running_loop()
        waiting = asyncio.Event()

        async def receive() -> Mapping[str, Any]:
            loop.call_soon(waiting.set)
            return await client.receive()

        with adapted(echo) as adapter:
            task = asyncio.create_task(adapter(http_scope(method="POST"), receive, client.send))
            for event in (body(b"", more=True), body(b"abc", more=True), body(b"", more=True), body(b"def")):
                await waiting.wait()
                waiting.clear()
                client.incoming.put_nowait(event)
            await task
        return client.body

    assert run(main()) == b"abcdef"


def test_disconnect_stops_a_response_that_says_nothing() -> None:
    """M15: empty chunks are chunks too."""
    response = Body(chain([b"x"], iter(lambda: b"", None)))

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return response

    async def main() -> None:
        client = await serve_until_it_leaves(application, lambda client: bool(client.events[-1].get("body")))
        assert (client.body, response.closed) == (b"x", 1)

    run(main())


def test_disconnect_stops_write() -> None:
    """M15: write() raises, also at a further try."""
    raised = 0

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        nonlocal raised
        write = start_response("200 OK", [])
        while True:
            try:
                write(b"x" * 100)
            except ClientDisconnectedError:
                raised += 1
                if raised == 2:
                    raise

    async def main() -> None:
        await serve_until_it_leaves(application, lambda client: len(client.events) == 3)

    run(main())
    assert raised == 2


@pytest.mark.parametrize("at", [1, 2, 3])
@pytest.mark.parametrize(("error", "seen"), [(OSError("gone"), None), (ValueError("middleware"), ValueError)])
def test_send_that_raises(at: int, error: Exception, seen: type[Exception] | None) -> None:
    """M22: the application ends and the worker is free again; OSError is a disconnect (ASGI 2.4)."""
    response = Body(iter(lambda: b"x" * 100, None))

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return response

    async def main() -> None:
        async def on_send(event: Mapping[str, Any]) -> None:
            if len(client.events) == at:
                raise error

        client = Client(on_send=on_send)
        with adapted(application, threads=1) as adapter:
            if seen is None:
                await adapter(http_scope(), client.receive, client.send)
            else:
                with pytest.raises(seen) as caught:
                    await adapter(http_scope(), client.receive, client.send)
                assert caught.value is error
            assert response.closed == 1
            other = Client()
            response.chunks = iter([b"next"])
            await adapter(http_scope(), other.receive, other.send)
            assert other.body == b"next"

    run(main())


def test_receive_that_raises() -> None:
    """M22: the application's read raises, and the error reaches the server."""

    async def main() -> None:
        client = Client()

        async def receive() -> Mapping[str, Any]:
            raise ValueError("middleware")

        with adapted(echo) as adapter, pytest.raises(ValueError, match="middleware"):
            await adapter(POST, receive, client.send)

    run(main())


def test_receive_that_raises_after_the_body_is_no_matter() -> None:
    """A harness that has no more events does not break the response."""

    async def main() -> None:
        client = Client()
        events = [body(b"abcdef")]

        async def receive() -> Mapping[str, Any]:
            return events.pop()

        with adapted(echo) as adapter:
            await adapter(POST, receive, client.send)
        assert client.body == b"abcdef"

    run(main())


def test_receive_that_never_waits_does_not_hold_the_loop() -> None:
    """A server that repeats the end of the body is not asked for ever."""

    async def main() -> None:
        client = Client()
        asked = 0

        async def receive() -> Mapping[str, Any]:
            nonlocal asked
            asked += 1
            return body()

        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            environ["wsgi.input"].read()
            start_response("200 OK", [])
            yield from [b"x"] * 100

        with adapted(application) as adapter:
            await adapter(http_scope(), receive, client.send)
        assert len(client.body) == 100
        assert asked <= 2

    run(main())


def test_cancelled_request(caplog: pytest.LogCaptureFixture) -> None:
    """M1: cancelling ends the await at once; the application ends at its next chunk and is closed."""
    closed = threading.Event()
    running, go_on = threading.Event(), threading.Event()

    def chunks() -> Iterator[bytes]:
        running.set()
        assert go_on.wait(TIMEOUT)
        while True:
            yield b"x"

    class Signalling(Body):
        def close(self) -> None:
            super().close()
            closed.set()

    response = Signalling(chunks())

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        return response

    async def main() -> None:
        client = Client()
        with adapted(application) as adapter:
            task = asyncio.create_task(adapter(http_scope(), client.receive, client.send))
            await asyncio.to_thread(running.wait, TIMEOUT)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            go_on.set()
            assert await asyncio.to_thread(closed.wait, TIMEOUT)

    run(main())
    assert response.closed == 1
    assert not caplog.records


def test_late_failure_of_a_cancelled_request_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    running, go_on = threading.Event(), threading.Event()

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        running.set()
        assert go_on.wait(TIMEOUT)
        raise KeyError("late")

    async def main() -> None:
        client = Client()
        with adapted(application) as adapter:
            task = asyncio.create_task(adapter(http_scope(), client.receive, client.send))
            await asyncio.to_thread(running.wait, TIMEOUT)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            go_on.set()

    run(main())
    assert "failed after its client had left" in caplog.text


@pytest.mark.parametrize("own", [True, False])
def test_thread_of_a_cancelled_request_does_not_count(own: bool) -> None:
    """A request that was cancelled while its application blocks leaves the bound to others."""
    running, go_on = threading.Event(), threading.Event()

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        if environ["PATH_INFO"] == "/blocks":
            running.set()
            assert go_on.wait(TIMEOUT)
        return plain(environ, start_response)

    async def main() -> None:
        pool = WorkerThreadPool(1, name="given")
        with adapted(application, **({"threads": 1} if own else {"executor": pool})) as adapter:
            client, other = Client(), Client()
            blocked = asyncio.create_task(adapter(http_scope(path="/blocks"), client.receive, client.send))
            await asyncio.to_thread(running.wait, TIMEOUT)
            blocked.cancel()
            with pytest.raises(asyncio.CancelledError):
                await blocked
            await adapter(http_scope(), other.receive, other.send)
            assert other.body == b"hello"
            go_on.set()
        pool.close()

    run(main())


def test_request_cancelled_while_it_queues_never_runs() -> None:
    ran: list[str] = []
    running, go_on = threading.Event(), threading.Event()

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        ran.append(environ["PATH_INFO"])
        running.set()
        assert go_on.wait(TIMEOUT)
        return plain(environ, start_response)

    async def main() -> None:
        client, other = Client(), Client()
        with adapted(application, threads=1) as adapter:
            first = asyncio.create_task(adapter(http_scope(path="/1"), client.receive, client.send))
            await asyncio.to_thread(running.wait, TIMEOUT)
            second = asyncio.create_task(adapter(http_scope(path="/2"), other.receive, other.send))
            await asyncio.sleep(0)
            second.cancel()
            with pytest.raises(asyncio.CancelledError):
                await second
            go_on.set()
            await first

    run(main())
    assert ran == ["/1"]


# -- crossings ---------------------------------------------------------------------------------------


_Ts = TypeVarTuple("_Ts")


class CountingLoop(asyncio.SelectorEventLoop):
    """Counts how often other threads wake it."""

    wake_ups = 0

    def call_soon_threadsafe(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: contextvars.Context | None = None
    ) -> asyncio.Handle:
        self.wake_ups += 1
        return super().call_soon_threadsafe(callback, *args, context=context)


def wake_ups(wsgi: Any, *incoming: Mapping[str, Any], **changes: Any) -> int:
    async def main() -> None:
        client = Client(*incoming)
        with adapted(wsgi) as adapter:
            await asyncio.wait_for(adapter(http_scope(**changes), client.receive, client.send), TIMEOUT)
        assert client.complete

    loop = CountingLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(main())
    return loop.wake_ups


def test_one_crossing_for_a_short_response() -> None:
    """M21: a short list costs the crossing of its end and no other."""
    assert wake_ups(plain) <= 1


def test_at_most_one_crossing_for_each_chunk() -> None:
    """M21: a hundred chunks and their end."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        for _ in range(100):
            yield b"x" * 1024

    assert wake_ups(application) <= 101


def test_known_end_needs_no_crossing_of_its_own() -> None:
    """M21: with Content-Length the last chunk is the end."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Length", "5")])
        yield b"hello"

    assert wake_ups(application) <= 2


def test_chunks_travel_together_while_the_client_is_slow() -> None:
    """M21: what comes meanwhile wakes nobody, and is one event in the end."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        all_there = asyncio.Event()

        def chunks() -> Iterator[bytes]:
            for _ in range(20):
                yield b"x" * 50
                turned = threading.Event()
                loop.call_soon_threadsafe(turned.set)  # the loop has nothing else to do, and time to hear of it
                assert turned.wait(TIMEOUT)
            loop.call_soon_threadsafe(all_there.set)

        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            start_response("200 OK", [])
            return chunks()

        async def on_send(event: Mapping[str, Any]) -> None:
            await all_there.wait()

        client = Client(on_send=on_send)
        with adapted(application) as adapter:
            await adapter(http_scope(), client.receive, client.send)
        assert len(client.body) == 1000
        assert len(client.chunks) <= 3

    loop = CountingLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(asyncio.wait_for(main(), TIMEOUT))
    assert loop.wake_ups <= 21 + 3


def test_workers_share_a_wake_up() -> None:
    """M21: what several workers have to say at one moment is one crossing."""
    loop = CountingLoop()
    called: list[int] = []
    mailbox = Mailbox(loop)
    workers = [threading.Thread(target=mailbox.post, args=(partial(called.append, n),)) for n in range(5)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(TIMEOUT)
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        runner.run(asyncio.sleep(0))
    assert (sorted(called), loop.wake_ups) == ([0, 1, 2, 3, 4], 1)


def test_response_waits_for_the_client() -> None:
    """Back-pressure: the application is not asked for more than may wait."""
    produced = 0

    async def main() -> int:
        sending, go_on = asyncio.Event(), asyncio.Event()

        def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
            nonlocal produced
            start_response("200 OK", [])
            for _ in range(100):
                produced += 1
                yield b"x" * 1000

        async def on_send(event: Mapping[str, Any]) -> None:
            sending.set()
            await go_on.wait()

        client = Client(on_send=on_send)
        with adapted(application, response_buffer=5000) as adapter:
            task = asyncio.create_task(adapter(http_scope(), client.receive, client.send))
            await sending.wait()
            for _ in range(200):
                await asyncio.sleep(0)
            seen = produced
            go_on.set()
            await task
        assert len(client.body) == 100_000
        return seen

    assert run(main()) <= 2 * 6


def test_coalescing_is_an_option() -> None:
    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        yield from [b"a", b"b", b"c"]

    assert ask(application, coalesce=False).chunks == [b"a", b"b", b"c"]


# -- threads and contexts ----------------------------------------------------------------------------


def test_requests_overlap() -> None:
    """M6: independent requests run at once, up to the bound; `wsgi.multithread` tells so."""
    barrier = threading.Barrier(5, timeout=TIMEOUT)
    flags: set[bool] = set()

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        flags.add(environ["wsgi.multithread"])
        barrier.wait()
        return plain(environ, start_response)

    async def main() -> None:
        clients = [Client() for _ in range(5)]
        with adapted(application, threads=5) as adapter:
            await asyncio.gather(*(adapter(http_scope(), client.receive, client.send) for client in clients))

    run(main())
    assert flags == {True}


def test_one_thread_runs_one_request_at_a_time() -> None:
    """M6: and `wsgi.multithread` tells the truth about it."""
    inside = 0
    flags: set[bool] = set()
    lock = threading.Lock()

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        nonlocal inside
        with lock:
            inside += 1
            assert inside == 1
        flags.add(environ["wsgi.multithread"])
        with lock:
            inside -= 1
        return plain(environ, start_response)

    async def main() -> None:
        clients = [Client() for _ in range(5)]
        with adapted(application, threads=1) as adapter:
            await asyncio.gather(*(adapter(http_scope(), client.receive, client.send) for client in clients))

    run(main())
    assert flags == {False}


@pytest.mark.parametrize(
    ("knobs", "multithread", "multiprocess"),
    [({}, True, True), ({"threads": 1}, False, True), ({"multithread": False, "multiprocess": False}, False, False)],
)
def test_truth_of_the_flags(knobs: dict[str, Any], multithread: bool, multiprocess: bool) -> None:
    """M6."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        assert (environ["wsgi.multithread"], environ["wsgi.multiprocess"]) == (multithread, multiprocess)
        return plain(environ, start_response)

    assert ask(application, **knobs).status == 200


variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")


def test_application_runs_in_a_copy_of_the_request_s_context() -> None:
    """What the server or a middleware set is seen, in the whole response; what the application sets stays there."""
    seen: list[str] = []

    class Reporting(Body):
        def close(self) -> None:
            seen.append(variable.get())

    def chunks() -> Iterator[bytes]:
        seen.append(variable.get())
        yield b"x"

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        seen.append(variable.get())
        variable.set("application")
        start_response("200 OK", [])
        return Reporting(chunks())

    async def main() -> None:
        variable.set("server")
        client = Client()
        with adapted(application) as adapter:
            await adapter(http_scope(), client.receive, client.send)
        assert variable.get() == "server"

    run(main())
    assert seen == ["server", "application", "application"]


def test_empty_context_is_a_context_too() -> None:
    """What the worker thread's own context has is not the request's."""
    seen: list[str] = []

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        seen.append(variable.get())
        return plain(environ, start_response)

    with ThreadPoolExecutor(1, initializer=variable.set, initargs=("thread",)) as pool:
        contextvars.Context().run(ask, application, executor=pool)
    assert seen == ["unset"]


def test_nothing_of_a_request_is_kept() -> None:
    """A request leaves no garbage that needs the collector, also after an error; the loop is not kept either."""

    class Thing:
        pass

    things: list[weakref.ref[Thing]] = []

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        thing = environ["thing"] = Thing()
        things.append(weakref.ref(thing))
        if environ["PATH_INFO"] == "/error":
            raise KeyError("broken")
        start_response("200 OK", [])
        return iter([b"x"])

    async def main() -> None:
        with adapted(application) as adapter:
            for path in ("/", "/error"):
                client = Client()
                with suppress(KeyError):
                    await adapter(http_scope(path=path), client.receive, client.send)
            assert not adapter._mailboxes._by_loop

    gc.disable()
    try:
        run(main())
        assert [thing() for thing in things] == [None, None]
    finally:
        gc.enable()


# -- other scopes, life cycle ------------------------------------------------------------------------


def test_lifespan_is_answered() -> None:
    """M11."""

    async def main() -> list[str]:
        client = Client({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
        with adapted(plain) as adapter:
            await adapter({"type": "lifespan", "asgi": {"version": "3.0"}}, client.receive, client.send)
        return [event["type"] for event in client.events]

    assert run(main()) == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_lifespan_ends_the_threads_and_may_begin_again() -> None:
    """Who creates, closes: with the last lifespan the pool ends; a second server may use the adapter again."""

    async def main() -> None:
        adapter = WsgiToAsgi(plain)
        for _ in range(2):
            lifespan, client = Client({"type": "lifespan.startup"}), Client()
            task = asyncio.create_task(adapter({"type": "lifespan"}, lifespan.receive, lifespan.send))
            await adapter(http_scope(), client.receive, client.send)
            assert any(thread.name.startswith("asgikit-wsgi") for thread in threading.enumerate())
            lifespan.incoming.put_nowait({"type": "lifespan.shutdown"})
            await task
            assert not any(thread.name.startswith("asgikit-wsgi") for thread in threading.enumerate())

    run(main())


def test_lifespan_that_is_cancelled_ends_the_threads_too() -> None:
    async def main() -> None:
        adapter, lifespan, client = WsgiToAsgi(plain), Client({"type": "lifespan.startup"}), Client()
        task = asyncio.create_task(adapter({"type": "lifespan"}, lifespan.receive, lifespan.send))
        await adapter(http_scope(), client.receive, client.send)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert not any(thread.name.startswith("asgikit-wsgi") for thread in threading.enumerate())

    run(main())


def test_pool_outlives_all_lifespans_but_the_last() -> None:
    """Two servers of one adapter: the first to end takes nothing from the other."""

    async def main() -> None:
        adapter = WsgiToAsgi(plain)
        lifespans = [Client({"type": "lifespan.startup"}) for _ in range(2)]
        tasks = [asyncio.create_task(adapter({"type": "lifespan"}, one.receive, one.send)) for one in lifespans]
        threads: list[set[threading.Thread]] = []
        for lifespan, task in zip(lifespans, tasks, strict=True):
            client = Client()
            await adapter(http_scope(), client.receive, client.send)
            threads.append(set(threading.enumerate()))  # themselves: those of a new pool have the same names
            lifespan.incoming.put_nowait({"type": "lifespan.shutdown"})
            await task
        assert threads[0] == threads[1]
        assert not any(thread.name.startswith("asgikit-wsgi") for thread in threading.enumerate())

    run(main())


def test_shutdown_waits_for_a_busy_thread_without_blocking_the_loop() -> None:
    running, go_on = threading.Event(), threading.Event()

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        running.set()
        assert go_on.wait(TIMEOUT)
        return plain(environ, start_response)

    async def main() -> None:
        adapter, client = WsgiToAsgi(application), Client()
        lifespan = Client({"type": "lifespan.startup"})
        living = asyncio.create_task(adapter({"type": "lifespan"}, lifespan.receive, lifespan.send))
        request = asyncio.create_task(adapter(http_scope(), client.receive, client.send))
        await asyncio.to_thread(running.wait, TIMEOUT)
        lifespan.incoming.put_nowait({"type": "lifespan.shutdown"})
        asyncio.get_running_loop().call_soon(go_on.set)
        await asyncio.gather(living, request)
        assert client.body == b"hello"

    run(main())


def test_errors_stream(monkeypatch: pytest.MonkeyPatch) -> None:
    """`wsgi.errors` is the stream that was given, else the standard one of the moment, else at least a stream."""
    streams: list[Any] = []

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        streams.append(environ["wsgi.errors"])
        environ["wsgi.errors"].write("noted\n")
        return plain(environ, start_response)

    given = StringIO()
    ask(application, errors=given)
    assert given.getvalue() == "noted\n"
    standard = StringIO()
    monkeypatch.setattr(sys, "stderr", standard)
    ask(application)
    assert streams[-1] is standard
    monkeypatch.setattr(sys, "stderr", None)
    assert ask(application).status == 200


def test_websocket_is_refused() -> None:
    """M11."""

    async def main(scope: Mapping[str, Any]) -> list[dict[str, Any]]:
        client = Client({"type": "websocket.connect"})
        with adapted(plain) as adapter:
            await adapter(scope, client.receive, client.send)
        return client.events

    (close,) = run(main({"type": "websocket"}))
    assert close["type"] == "websocket.close"
    start, end = run(main({"type": "websocket", "extensions": {"websocket.http.response": {}}}))
    assert (start["type"], start["status"]) == ("websocket.http.response.start", 501)
    assert (end["type"], end["more_body"]) == ("websocket.http.response.body", False)


def test_websocket_client_that_left_is_not_answered() -> None:
    """M11."""

    async def main() -> list[dict[str, Any]]:
        client = Client({"type": "websocket.disconnect"})
        with adapted(plain) as adapter:
            await adapter({"type": "websocket"}, client.receive, client.send)
        return client.events

    assert run(main()) == []


def test_unknown_scope() -> None:
    """M11: a clear error."""

    async def main() -> None:
        client = Client()
        with adapted(plain) as adapter, pytest.raises(UnsupportedScopeError, match="'telnet'"):
            await adapter({"type": "telnet"}, client.receive, client.send)

    run(main())


def test_closed_adapter() -> None:
    async def main() -> None:
        adapter, client = WsgiToAsgi(plain), Client()
        adapter.close()
        adapter.close()
        with pytest.raises(ClosedError):
            await adapter(http_scope(), client.receive, client.send)

    run(main())


def test_forgotten_adapter_is_a_resource_warning() -> None:
    async def main() -> None:
        client = Client()
        await WsgiToAsgi(plain)(http_scope(), client.receive, client.send)

    def forget() -> None:
        run(main())
        gc.collect()

    with pytest.warns(ResourceWarning, match="never closed"):
        forget()


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"executor": object()}, TypeError),
        ({"threads": 2, "executor": object()}, TypeError),
        ({"threads": 0}, ValueError),
        ({"duplicate_header_limit": 0}, ValueError),
        ({"request_buffer": 0}, ValueError),
        ({"response_buffer": 0}, ValueError),
        ({"max_body_size": -1}, ValueError),
        ({"buffer_body": "sometimes"}, ValueError),
        ({"hop_by_hop": "keep"}, ValueError),
    ],
)
def test_wrong_arguments(arguments: dict[str, Any], error: type[Exception]) -> None:
    with pytest.raises(error):
        WsgiToAsgi(plain, **arguments)


def test_application_must_be_callable() -> None:
    with pytest.raises(TypeError, match="no WSGI application"):
        WsgiToAsgi("module:app")  # type: ignore[arg-type] # the mistake under test
