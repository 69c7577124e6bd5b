"""The pure decisions as tables, and a property: workers that follow their plans come to fair shares and stay there."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgikit.server.redis import StreamLayout
from asgikit.server.redis._plan import Plan, back_off, make_plan


@pytest.mark.parametrize(
    ("me", "workers", "holders", "plan"),
    [
        ("a", "a", "....", Plan(take=(0, 1, 2, 3))),
        ("a", "", "..", Plan(take=(0, 1))),
        ("a", "ab", "....", Plan(take=(0, 1))),
        ("b", "ab", "....", Plan(take=(2, 3))),
        ("b", "ab", "a...", Plan(take=(2, 3))),
        ("a", "ab", "aab.", Plan()),
        ("b", "ab", "aab.", Plan(take=(3,))),
        ("a", "ab", "aaaa", Plan(release=3)),
        ("b", "ab", "aaaa", Plan()),
        ("a", "ab", "aaab", Plan(release=2)),
        ("a", "ab", "aabb", Plan()),
        ("a", "abc", "aabb", Plan()),
        ("b", "abc", "aabb", Plan(release=3)),
        ("a", "abc", "aabc", Plan()),
        ("a", "abcde", "abcd", Plan()),
        ("e", "abcde", "abcd", Plan()),
        ("a", "ab", "aax.", Plan()),
        ("b", "ab", "aax.", Plan(take=(3,))),
    ],
)
def test_what_a_worker_does(me: str, workers: str, holders: str, plan: Plan) -> None:
    """`x` holds leases and is not heard of any more; a dot is a free partition."""
    held = {partition: None if holder == "." else holder for partition, holder in enumerate(holders)}
    assert make_plan(me=me, workers=frozenset(workers), holders=held) == plan


@settings(max_examples=200, deadline=None)
@given(
    workers=st.integers(1, 6),
    partitions=st.integers(1, 20),
    start=st.lists(st.integers(0, 9), min_size=20, max_size=20),
)
def test_plans_come_to_fair_shares_and_to_rest(workers: int, partitions: int, start: list[int]) -> None:
    names = [f"w{number}" for number in range(workers)]
    holders = {p: names[start[p]] if start[p] < workers else None for p in range(partitions)}
    still = False
    for _ in range(3 * partitions + 3):
        still = True
        for me in names:
            plan = make_plan(me=me, workers=frozenset(names), holders=holders)
            holders.update(dict.fromkeys(plan.take, me))
            if plan.release is not None:
                assert holders[plan.release] == me
                holders[plan.release] = None
            still = still and plan == Plan()
        if still:
            break
    shares = sorted(list(holders.values()).count(me) for me in names)
    assert None not in holders.values()
    assert still
    assert shares[0] >= partitions // workers


@pytest.mark.parametrize(
    ("attempt", "chance", "seconds"),
    [(0, 1.0, 0.05), (0, 0.0, 0.025), (1, 1.0, 0.1), (3, 1.0, 0.4), (6, 1.0, 2.0), (500, 1.0, 2.0), (500, 0.0, 1.0)],
)
def test_back_off(attempt: int, chance: float, seconds: float) -> None:
    assert abs(back_off(attempt, chance=chance) - seconds) < 1e-9


def test_partitions_are_the_same_everywhere_for_ever() -> None:
    """These numbers may never change: events of one scope would be read by two workers."""
    layout = StreamLayout(partitions=16)
    assert [layout.partition_of(scope_id) for scope_id in ("", "a", "room-1", "Zürich")] == [0, 3, 6, 14]
    keys = layout.keys(3)
    assert (keys.events, keys.lease) == ("{asgikit}:3:events", "{asgikit}:3:lease")
    with pytest.raises(ValueError, match="at least 1"):
        StreamLayout(partitions=0)
