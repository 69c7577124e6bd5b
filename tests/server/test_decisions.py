"""What a server decides, as tables of values."""

import asyncio

import pytest

from asgikit.server._decisions import is_failure, is_spent


@pytest.mark.parametrize(("deliveries", "limit", "spent"), [(1, 1, True), (1, 2, False), (2, 2, True), (3, 2, True)])
def test_when_a_message_is_given_up(deliveries: int, limit: int, spent: bool) -> None:
    assert is_spent(deliveries=deliveries, max_deliveries=limit) is spent


@pytest.mark.parametrize(
    ("error", "evicted", "failure"),
    [
        (None, False, False),
        (None, True, False),
        (asyncio.CancelledError(), True, False),
        (asyncio.CancelledError(), False, True),
        (ValueError(), False, True),
        (ValueError(), True, True),
        (SystemExit(), False, True),
    ],
)
def test_what_counts_as_a_failure(error: BaseException | None, evicted: bool, failure: bool) -> None:
    """N2: any end is an outcome; to obey the server's cancellation is no failure, to raise something else is."""
    assert is_failure(error, evicted=evicted) is failure
