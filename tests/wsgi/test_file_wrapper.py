"""wsgi.file_wrapper: files sent by the server where it can, read in blocks where it cannot."""

import bz2
import gzip
import io
import lzma
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import pytest

from asgikit.wsgi._file_wrapper import FileWrapper, file_event
from tests.wsgi.drive import Client, Environ, StartResponse, adapted, ask, http_scope, run

PATH_SEND: dict[str, object] = {"http.response.pathsend": {}}
ZERO_COPY: dict[str, object] = {"http.response.zerocopysend": {}}
BOTH = PATH_SEND | ZERO_COPY


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"0123456789")
    return path


@pytest.mark.parametrize(
    ("extensions", "seek", "length", "kind", "count"),
    [
        (None, 0, None, None, 0),
        ({}, 0, None, None, 0),
        (PATH_SEND, 0, None, "pathsend", 10),
        (PATH_SEND, 0, 10, "pathsend", 10),
        (PATH_SEND, 0, 4, None, 0),  # a part of a file has no path
        (PATH_SEND, 3, None, None, 0),
        (BOTH, 0, None, "pathsend", 10),
        (BOTH, 3, None, "zerocopysend", 7),
        (ZERO_COPY, 0, None, "zerocopysend", 10),
        (ZERO_COPY, 3, 4, "zerocopysend", 4),
        (ZERO_COPY, 3, 8, None, 0),  # less than was announced
        (ZERO_COPY, 10, None, None, 0),
    ],
)
def test_which_event(
    file: Path, extensions: Mapping[str, object] | None, seek: int, length: int | None, kind: str | None, count: int
) -> None:
    with file.open("rb") as opened:
        opened.seek(seek)
        found = file_event(opened, length, extensions)
        if kind is None:
            assert found is None
            return
        assert found is not None
        event, size = found
        assert (event["type"], size) == (f"http.response.{kind}", count)
        if kind == "pathsend":
            assert event["path"] == str(file)
        else:
            assert (event["file"], event["offset"], event["count"]) == (opened, seek, count)


def test_file_that_was_replaced_has_no_path_any_more(file: Path) -> None:
    with file.open("rb") as opened:
        other = file.with_name("other")
        other.write_bytes(b"9876543210")
        other.replace(file)
        assert file_event(opened, None, PATH_SEND) is None


def test_what_is_no_file_is_read() -> None:
    assert file_event(io.BytesIO(b"abc"), None, BOTH) is None
    read, write = os.pipe()
    os.close(write)
    with os.fdopen(read, "rb") as pipe:
        assert file_event(pipe, None, BOTH) is None


def repacked(path: Path) -> Any:
    return io.BufferedReader(gzip.open(path))


def decoded(path: Path) -> Any:
    return path.open(encoding="ascii")


@pytest.mark.parametrize(
    ("write", "read"),
    [(gzip.open, gzip.open), (bz2.open, bz2.open), (lzma.open, lzma.open), (gzip.open, repacked), (open, decoded)],
)
def test_what_does_not_read_a_file_as_it_is_is_read(write: Any, read: Any, tmp_path: Path) -> None:
    """What such an object reads is not what its descriptor and its path lead to."""
    path = tmp_path / "file"
    with write(path, "wb") as file:
        file.write(b"0123456789")
    with read(path) as opened:
        assert [file_event(opened, None, extensions) for extensions in (PATH_SEND, ZERO_COPY)] == [None, None]


def test_detached_file_is_no_file(file: Path) -> None:
    opened = file.open("rb")
    with opened.detach():
        assert file_event(opened, None, BOTH) is None


def sends(path: Path, opened: list[Any], **headers: str) -> Any:
    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        file = path.open("rb")
        opened.append(file)
        wrap = environ["wsgi.file_wrapper"]
        environ.clear()  # it is the application's (PEP 3333): nobody else may rely on it
        start_response("200 OK", [(name.replace("_", "-"), value) for name, value in headers.items()])
        wrapper: Iterable[bytes] = wrap(file, 4)
        return wrapper

    return application


def test_file_is_read_in_blocks(file: Path) -> None:
    """M1: and closed."""
    opened: list[Any] = []
    client = ask(sends(file, opened), coalesce=False)
    assert (client.chunks, opened[0].closed) == ([b"0123", b"4567", b"89"], True)


@pytest.mark.parametrize(("extensions", "kind"), [(PATH_SEND, "pathsend"), (ZERO_COPY, "zerocopysend")])
def test_server_sends_the_file(file: Path, extensions: Mapping[str, object], kind: str) -> None:
    """M1: the file is open until the server has sent it, and closed afterwards."""
    opened: list[Any] = []

    async def main() -> Client:
        async def on_send(event: Mapping[str, Any]) -> None:
            assert not opened[0].closed

        client = Client(on_send=on_send)
        with adapted(sends(file, opened)) as adapter:
            await adapter(http_scope(extensions=extensions), client.receive, client.send)
        return client

    client = run(main())
    assert [event["type"] for event in client.events] == ["http.response.start", f"http.response.{kind}"]
    assert client.headers[b"content-length"] == b"10"
    assert opened[0].closed


def test_server_that_fails_to_send_the_file(file: Path) -> None:
    """M1, M22."""
    opened: list[Any] = []

    async def main() -> None:
        async def on_send(event: Mapping[str, Any]) -> None:
            if "path" in event:
                raise ValueError("disk")

        client = Client(on_send=on_send)
        with adapted(sends(file, opened)) as adapter, pytest.raises(ValueError, match="disk"):
            await adapter(http_scope(extensions=PATH_SEND), client.receive, client.send)

    run(main())
    assert opened[0].closed


def test_head_of_a_file(file: Path) -> None:
    opened: list[Any] = []
    client = ask(sends(file, opened, Content_Length="10"), scope=http_scope(method="HEAD", extensions=BOTH))
    assert (client.body, client.headers[b"content-length"], opened[0].closed) == (b"", b"10", True)


def test_wrapper_of_what_cannot_be_closed() -> None:
    class Endless:
        def read(self, size: int) -> bytes:
            return b"x" * size

    wrapper = FileWrapper(Endless(), 3)
    assert next(iter(wrapper)) == b"xxx"
    wrapper.close()
