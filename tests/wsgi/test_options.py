"""What the options decide about a request, from the length that it announces."""

import pytest

from asgikit.wsgi._options import BufferBody, Options


@pytest.mark.parametrize(
    ("limit", "length", "forbidden"),
    [
        (None, None, False),
        (None, 10**12, False),
        (5, None, False),
        (5, 4, False),
        (5, 5, False),
        (5, 6, True),
        (0, 0, False),
        (0, 1, True),
    ],
)
def test_which_lengths_are_forbidden(limit: int | None, length: int | None, forbidden: bool) -> None:
    """M17: a body of the limit's very length passes; one of unknown length is judged as it comes."""
    assert Options(max_body_size=limit).forbids(length) is forbidden


@pytest.mark.parametrize(
    ("buffer_body", "limit", "length", "first"),
    [
        ("never", None, None, False),
        ("never", None, 7, False),
        ("never", 100, None, True),
        ("never", 101, None, False),
        ("never", 100, 7, False),
        ("unknown", None, None, True),
        ("unknown", None, 7, False),
        ("always", None, None, True),
        ("always", None, 7, True),
    ],
)
def test_when_the_body_is_received_before_the_application_runs(
    buffer_body: BufferBody, limit: int | None, length: int | None, first: bool
) -> None:
    """M10, M17: also when the length is unknown and the limit small enough to see all of it (here 100 bytes)."""
    options = Options(buffer_body=buffer_body, max_body_size=limit, request_buffer=100)
    assert options.receives_first(length) is first
