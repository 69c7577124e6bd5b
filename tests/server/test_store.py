"""The LRU store as a table of moves."""

import pytest

from asgikit.server import LRUInstanceStore


@pytest.mark.parametrize(
    ("moves", "idle", "busy"),
    [
        ("", None, None),
        ("+a", None, "a"),
        ("+a +b", None, "a"),
        ("+a +b ia", "a", "b"),
        ("+a +b ia ib", "a", None),
        ("+a +b ib ia", "b", None),
        ("+a +b ia ib ba ia", "b", None),
        ("+a +b ia ia ib", "a", None),
        ("+a +b ia ib -a", "b", None),
        ("+a +b ba", None, "a"),
        ("ia ba -a", None, None),
    ],
)
def test_who_goes_next(moves: str, idle: str | None, busy: str | None) -> None:
    """N7: the one that has been idle for longest goes first; busy ones only when there is no idle one."""
    store: LRUInstanceStore[str, str] = LRUInstanceStore()
    act = {"i": store.mark_idle, "b": store.mark_busy, "-": store.remove}
    for move in moves.split():
        if move[0] == "+":
            store.add(move[1], move[1])
        else:
            act[move[0]](move[1])
    assert (store.next_idle(), store.next_busy()) == (idle, busy)
    assert len(store) == len(list(store))
