"""Who has a place and who waits for one, as tables of numbers and of moves; time is a number too."""

import pytest

from asgikit.server import LRUInstanceStore
from asgikit.server._counters import Tally
from asgikit.server._decisions import PoolRules, Room
from asgikit.server._failure import log_failure
from asgikit.server._instance import Instance
from asgikit.server._ledger import Ledger
from asgikit.server._mailbox import Letter, Mailbox, Outcome
from asgikit.server._places import Addressee, Places


class House:
    """Moved by words: "a?" queues, "call" starts the first, "az" is idle, "a!" is told to leave, "a-" has ended."""

    def __init__(self, moves: str = "", *, limit: int = 2, idle_timeout: float | None = None) -> None:
        rules = PoolRules(
            max_applications=limit,
            queue_size=9,
            queue_policy="wait",
            max_deliveries=1,
            idle_timeout=idle_timeout,
            grace_time=5.0,
        )
        self.places: Places[str, str, str] = Places(rules=rules, store=LRUInstanceStore())
        self.instances: dict[str, Instance[str, str, str]] = {}
        self.now = 0.0
        for move in moves.split():
            self.move(move)

    def move(self, move: str) -> None:
        """Make one move, a second after the one before."""
        self.now += 1
        if move == "call":
            self.start(self.places.call_first(now=self.now))
        elif move[1] == "?":
            mailbox: Mailbox[str] = Mailbox(size=9, policy="wait")
            self.places.queue(Addressee(move[0], "scope", mailbox), now=self.now)
        elif move[1] == "!":
            self.places.tell_to_leave(self.instances[move[0]])
        elif move[1] == "-":
            self.places.free(self.instances[move[0]])
        elif move[1] == "z":
            self.instances[move[0]].idle_since = self.now
            self.places.store.mark_idle(move[0])

    def start(self, addressee: Addressee[str, str, str]) -> None:
        async def send(scope: str, message: str) -> None:
            """Nobody runs here."""

        instance = self.instances[str(addressee.scope_id)] = addressee.instance = Instance(
            scope_id=addressee.scope_id,
            scope=addressee.scope,
            mailbox=addressee.mailbox,
            send=send,
            ledger=Ledger(tally=Tally(), max_deliveries=1, on_failure=log_failure),
            changed=id,
        )
        self.places.store.add(addressee.scope_id, instance)


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
def test_room_for_the_first(running: int, ending: int, waiting: int, idle: bool, room: Room) -> None:
    """N1: an instance that is ending still holds its place, so the limit of three is never passed."""
    started, line = "abc"[: running + ending], "opqrstuvw"[:waiting]
    house = House(limit=3)
    for who in started:
        house.move(f"{who}?")
        house.move("call")
    for who in started[running:]:
        house.move(f"{who}!")
    if idle:
        house.move(f"{started[0]}z")
    for who in line:
        house.move(f"{who}?")
    assert (house.places.taken, "".join(map(str, house.places.line))) == (running + ending, line)
    assert house.places.room_for_first() is room


@pytest.mark.parametrize(
    ("moves", "taken"),
    [("a?", 0), ("a? call", 1), ("a? call a!", 1), ("a? call a! a-", 0), ("a? call a-", 0), ("a? b? call call b-", 1)],
)
def test_who_is_told_to_leave_holds_the_place_until_the_end(moves: str, taken: int) -> None:
    """N1: whether it was told or ended by itself."""
    assert House(moves).places.taken == taken


@pytest.mark.parametrize(
    ("moves", "impatient_at"),
    [
        ("", None),
        ("a?", 6.0),
        ("a? b?", 6.0),
        ("a? call", None),
        ("a? b? call", 8.0),
        ("a? call b?", 8.0),
    ],
)
def test_patience_begins_with_the_first_in_line_and_anew_when_one_is_called(
    moves: str, impatient_at: float | None
) -> None:
    assert House(moves).places.impatient_at() == impatient_at


@pytest.mark.parametrize(
    ("moves", "timeout", "until", "next_to_go", "at_rest"),
    [
        ("", 10.0, None, None, True),
        ("a? call", 10.0, None, "a", False),
        ("a? call az", 10.0, 13.0, "a", True),
        ("a? call az", None, None, "a", True),
        ("a? b? call call bz", 10.0, 15.0, "b", False),
        ("a? b? call call bz az", 10.0, 15.0, "b", True),
        ("a? call az a!", 10.0, None, None, False),
        ("a? call az b?", 10.0, 13.0, "a", False),
    ],
)
def test_rest(moves: str, timeout: float | None, until: float | None, next_to_go: str | None, at_rest: bool) -> None:
    """N7: the one that has been idle for longest goes first; N8: at rest nobody waits, leaves or works."""
    places = House(moves, idle_timeout=timeout).places
    first = places.next_to_go()
    assert places.idle_until() == until
    assert (None if first is None else first.scope_id) == next_to_go
    assert places.at_rest is at_rest


@pytest.mark.parametrize(
    ("deliveries", "limit", "in_mailbox", "outcomes"),
    [
        ((1,), 2, "ax", [None]),
        ((2,), 2, "x", [Outcome.FAILED]),
        ((2, 1), 2, "bx", [Outcome.FAILED, None]),
        ((1, 1), 2, "abx", [None, None]),
    ],
)
def test_what_was_taken_in_vain_comes_back_first_or_is_given_up(
    deliveries: tuple[int, ...], limit: int, in_mailbox: str, outcomes: list[Outcome | None]
) -> None:
    tally = Tally()
    ledger: Ledger[str] = Ledger(tally=tally, max_deliveries=limit, on_failure=log_failure)
    mailbox: Mailbox[str] = Mailbox(size=9, policy="wait")
    mailbox.put(Letter("x"))
    letters = [Letter(name, deliveries=times) for name, times in zip("ab", deliveries, strict=False)]
    ledger.try_again(letters, mailbox)
    assert "".join(letter.message for letter in mailbox) == in_mailbox
    assert [letter.outcome for letter in letters] == outcomes
    assert (tally.retried, tally.lost) == (outcomes.count(None), outcomes.count(Outcome.FAILED))
