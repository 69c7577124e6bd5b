"""The mailbox as tables: bounds, policies, order."""

import pytest

from asgikit.errors import MailboxFullError
from asgikit.server._mailbox import Letter, Mailbox, Outcome, QueuePolicy


def _filled(policy: QueuePolicy, messages: str, *, size: int = 2) -> tuple[Mailbox[str], str]:
    mailbox: Mailbox[str] = Mailbox(size=size, policy=policy)
    dropped = ""
    for message in messages:
        out = mailbox.put(Letter(message))
        dropped += out.message if out else ""
    return mailbox, dropped


@pytest.mark.parametrize(
    ("policy", "messages", "queued", "dropped"),
    [
        ("wait", "ab", "ab", ""),
        ("wait", "abcd", "ab", ""),
        ("drop_oldest", "ab", "ab", ""),
        ("drop_oldest", "abcd", "cd", "ab"),
        ("reject", "ab", "ab", ""),
    ],
)
def test_what_a_full_mailbox_does(policy: QueuePolicy, messages: str, queued: str, dropped: str) -> None:
    """N7: queues are bounded, with a policy."""
    mailbox, out = _filled(policy, messages)
    assert ("".join(letter.message for letter in mailbox), out) == (queued, dropped)


def test_reject_raises_and_keeps_what_is_there() -> None:
    """N7: the policy `reject`."""
    mailbox, _ = _filled("reject", "ab")
    with pytest.raises(MailboxFullError, match="2 messages wait"):
        mailbox.put(Letter("c"))
    assert [letter.message for letter in mailbox.empty()] == ["a", "b"]
    assert not mailbox


def test_those_in_line_move_up_in_order() -> None:
    mailbox, _ = _filled("wait", "abcd")
    steps = [mailbox.take() for _ in range(4)]
    assert [(taken.message, moved and moved.message) for taken, moved in steps] == [
        ("a", "c"), ("b", "d"), ("c", None), ("d", None)
    ]  # fmt: skip


def test_what_is_put_back_comes_first_and_pushes_nobody_out() -> None:
    mailbox, _ = _filled("wait", "abc")
    first, _ = mailbox.take()
    mailbox.put_back([first, Letter("x")])
    assert [mailbox.take()[0].message for _ in range(4)] == ["a", "x", "b", "c"]


def test_withdrawn_letters_are_gone() -> None:
    mailbox, _ = _filled("wait", "abc")
    late = Letter("d")
    mailbox.put(late)
    mailbox.withdraw(late)
    mailbox.withdraw(late)
    assert [letter.message for letter in mailbox.empty()] == ["a", "b", "c"]


def test_a_withdrawn_letter_leaves_its_place_to_the_first_in_line() -> None:
    """N7: the next one put must not overtake the line, and nobody may find the queue empty before a full line."""
    mailbox: Mailbox[str] = Mailbox(size=1, policy="wait")
    first, second, third = (Letter(message) for message in "abc")
    mailbox.put(first)
    mailbox.put(second)
    mailbox.withdraw(first)
    assert list(mailbox) == [second]
    mailbox.put(third)
    assert [mailbox.take()[0].message for _ in range(len(mailbox))] == ["b", "c"]


def test_a_letter_tells_its_place_and_its_outcome_once() -> None:
    told: list[object] = []
    letter = Letter("a", done=told.append, admitted=lambda: told.append("admitted"))
    letter.admit()
    letter.settle(Outcome.HANDLED)
    assert told == ["admitted", Outcome.HANDLED]


def test_nobody_moves_up_while_put_back_letters_hold_the_places() -> None:
    mailbox, _ = _filled("wait", "abcd")
    mailbox.put_back([Letter("x"), Letter("y")])
    steps = [mailbox.take() for _ in range(6)]
    assert [(taken.message, moved and moved.message) for taken, moved in steps] == [
        ("x", None), ("y", None), ("a", "c"), ("b", "d"), ("c", None), ("d", None)
    ]  # fmt: skip
