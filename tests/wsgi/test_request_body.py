"""wsgi.input reads like a file over the same bytes, however they are cut."""

import io
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgikit.errors import ClientDisconnectedError
from asgikit.wsgi._request_body import RequestBody


class Source:
    """Gives the chunks in groups; then the end, or the error."""

    def __init__(self, *groups: list[bytes], error: Exception | None = None) -> None:
        self.groups = list(groups)
        self.error = error
        self.takes = 0

    def take(self) -> list[bytes]:
        self.takes += 1
        if self.groups:
            return self.groups.pop(0)
        self.check()
        return []

    def check(self) -> None:
        if self.error is not None and not self.groups:
            raise self.error


chunk_groups = st.lists(
    st.lists(st.binary(min_size=1, max_size=12).map(lambda b: b.replace(b"\xff", b"\n")), min_size=1, max_size=3),
    max_size=6,
)
calls = st.lists(
    st.one_of(
        st.tuples(st.just("read"), st.integers(-1, 20)),
        st.tuples(st.just("readline"), st.integers(-1, 20)),
        st.tuples(st.just("readlines"), st.integers(-1, 20)),
        st.tuples(st.just("readinto"), st.integers(0, 20)),
        st.tuples(st.just("next"), st.just(0)),
    ),
    max_size=12,
)


def perform(stream: io.BufferedIOBase, name: str, size: int) -> object:
    if name == "next":
        return next(stream, None)
    if name == "readinto":
        buffer = bytearray(size)
        count = stream.readinto(buffer)
        return bytes(buffer[:count])
    method: Callable[[int], object] = getattr(stream, name)
    return method(size)


@settings(deadline=None)
@given(chunk_groups, calls)
def test_reads_like_a_file(groups: list[list[bytes]], steps: list[tuple[str, int]]) -> None:
    """M16, M20: the same results as a buffered file, whatever is read how."""
    whole = b"".join(chunk for group in groups for chunk in group)
    ours, reference = RequestBody(Source(*map(list, groups))), io.BufferedReader(io.BytesIO(whole))
    for name, size in steps:
        assert perform(ours, name, size) == perform(reference, name, size)
    assert ours.read() == reference.read()


def test_read_takes_no_more_than_it_needs() -> None:
    """M16: what is there is returned without waiting for the rest."""
    source = Source([b"ab\ncd"], [b"ef"])
    stream = RequestBody(source)
    assert (stream.read(2), stream.readline(), stream.read1(), source.takes) == (b"ab", b"\n", b"cd", 1)


def test_read1_waits_only_for_nothing() -> None:
    stream = RequestBody(Source([b"ab"], [b"cd"]))
    assert [stream.read1(), stream.read1(1), stream.read1(), stream.read1()] == [b"ab", b"c", b"d", b""]


@pytest.mark.parametrize("read", ["read", "read1", "readline", "readlines", "__next__"])
def test_broken_body_is_never_a_whole_one(read: str) -> None:
    """M5: every way to read raises, at each further try."""
    stream = RequestBody(Source([b"abc"], error=ClientDisconnectedError("gone")))
    assert stream.read(3) == b"abc"
    for _ in range(2):
        with pytest.raises(ClientDisconnectedError):
            getattr(stream, read)()


def test_read_in_the_middle_of_a_broken_body_raises() -> None:
    """M5: bytes before the break do not come back as if they were all."""
    stream = RequestBody(Source([b"abc"], error=ClientDisconnectedError("gone")))
    with pytest.raises(ClientDisconnectedError):
        stream.read(4)


def test_each_byte_is_copied_a_bounded_number_of_times() -> None:
    """M20: reading a large chunk in small pieces slices it, and never moves the rest."""
    stream = RequestBody(Source([b"x" * 1_000_000]))
    front = None
    for _ in range(1000):
        stream.read(100)
        assert front is None or stream._front is front  # the chunk itself stays as it came
        front = stream._front


def test_is_a_readable_stream() -> None:
    stream = RequestBody(Source([b"abc"]))
    assert stream.readable()
    assert io.BufferedReader(stream).read() == b"abc"
