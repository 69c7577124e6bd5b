"""The LRU store as a table of moves."""

import pytest

from asgikit.server import LRUInstanceStore
from asgikit.server._decisions import Room, is_spent, room_for_next


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


@pytest.mark.parametrize(
    ("running", "ending", "waiting", "idle", "room"),
    [
        (0, 0, 1, False, Room.START),
        (2, 0, 1, True, Room.START),
        (1, 2, 1, True, Room.WAIT),
        (3, 0, 1, True, Room.EVICT_IDLE),
        (3, 0, 1, False, Room.EVICT_BUSY),
        (2, 1, 1, True, Room.WAIT),
        (2, 1, 2, True, Room.EVICT_IDLE),
        (2, 1, 2, False, Room.EVICT_BUSY),
        (0, 3, 9, False, Room.EVICT_BUSY),
    ],
)
def test_room_for_the_next(running: int, ending: int, waiting: int, idle: bool, room: Room) -> None:
    """N1: an instance that is ending still holds its place, so the limit of three is never passed."""
    assert room_for_next(running=running, ending=ending, waiting=waiting, limit=3, idle=idle) is room


@pytest.mark.parametrize(("deliveries", "limit", "spent"), [(1, 1, True), (1, 2, False), (2, 2, True), (3, 2, True)])
def test_when_a_message_is_given_up(deliveries: int, limit: int, spent: bool) -> None:
    assert is_spent(deliveries=deliveries, max_deliveries=limit) is spent
