"""Whatever applications do, in whatever order: the bound holds, every message has one outcome, order is kept."""

import asyncio
from functools import partial
from typing import Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from asgikit.server import Outcome, QueuePolicy
from asgikit.testing import ManualClock
from tests.server.support import OpenServer, Receive, Scope, Send, advance, ignore, turn

Step = tuple[str, int]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            ["ok", "ok", "ok", "raise", "end", "die", "slow", "clean up", "discard", "time", "turn", "cancel"]
        ),
        st.integers(0, 4),
    ),
    max_size=40,
)


async def play(steps: list[Step], limit: int, policy: QueuePolicy, deliveries: int, idle: float | None) -> None:
    clock = ManualClock()
    alive = 0
    handled: list[tuple[int, int]] = []
    outcomes: dict[int, list[Outcome]] = {}
    pending: list[asyncio.Task[None]] = []
    gates: list[asyncio.Event] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal alive
        alive += 1
        assert alive <= limit
        kind = ""
        try:
            while True:
                number, kind = await receive()
                handled.append((scope["id"], number))
                if kind == "raise":
                    raise ValueError(number)
                if kind == "die":
                    raise asyncio.CancelledError
                if kind == "end":
                    return
                if kind == "slow":
                    gates.append(asyncio.Event())
                    await gates[-1].wait()
        finally:
            try:
                if kind == "clean up":
                    await turn(3)
            finally:
                alive -= 1

    server = OpenServer(
        app, limit, clock=clock, queue_size=2, queue_policy=policy, max_deliveries=deliveries,
        idle_timeout=idle, grace_time=2.0, drain_timeout=4.0, on_failure=ignore,
    )  # fmt: skip
    running = asyncio.create_task(server.arun())
    await turn(3)
    for number, (kind, scope_id) in enumerate(steps):
        if kind == "time":
            await advance(clock, float(scope_id))
        elif kind == "turn":
            await turn(scope_id)
        elif kind == "cancel":
            for task in pending[-1 - scope_id : len(pending) - scope_id]:
                task.cancel()
        elif kind == "discard":
            pending.append(asyncio.create_task(_discard(server, scope_id)))
        else:
            outcomes[number] = []
            give = server.give(scope_id, (number, kind), done=outcomes[number].append)
            pending.append(asyncio.create_task(give))
        assert server.counters.instances <= limit
    await turn()
    server.stop()
    for _ in range(len(steps) + 4):
        for gate in gates:
            gate.set()
        await advance(clock, 2.1)
    await running
    results = await asyncio.gather(*pending, return_exceptions=True)
    check(steps, outcomes, handled, results, deliveries)
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert clock.pending() == 0
    assert alive == server.counters.instances == server.counters.waiting == 0


async def _discard(server: OpenServer, scope_id: int) -> None:
    await server.discard(scope_id)


def check(
    steps: list[Step],
    outcomes: dict[int, list[Outcome]],
    handled: list[tuple[int, int]],
    results: list[Any],
    deliveries: int,
) -> None:
    refused = sum(isinstance(result, BaseException) for result in results)
    assert sum(not told for told in outcomes.values()) <= refused, "a message without an outcome"
    assert all(len(told) <= 1 for told in outcomes.values())
    for scope_id in range(5):
        taken = [number for id_, number in handled if id_ == scope_id]
        assert taken == sorted(taken), "a message was handed over before an earlier one"
        assert all(taken.count(number) <= deliveries for number in taken)
    for number, told in outcomes.items():
        if told == [Outcome.HANDLED]:
            assert (steps[number][1], number) in handled


@settings(max_examples=300, deadline=None)
@given(
    steps=STEPS,
    limit=st.integers(1, 3),
    policy=st.sampled_from(["wait", "drop_oldest", "reject"]),
    deliveries=st.integers(1, 3),
    idle=st.sampled_from([None, 3.0]),
)
@example(
    steps=[("slow", 0), ("turn", 4), *[("ok", 1)] * 3, ("turn", 4), ("cancel", 2), ("turn", 4), ("ok", 1)],
    limit=1,
    policy="wait",
    deliveries=1,
    idle=None,
)
def test_the_promises_hold(
    steps: list[Step], limit: int, policy: QueuePolicy, deliveries: int, idle: float | None
) -> None:
    """N1 N2 N3 N4 N8: under random deliveries, failures, clean-ups, discards, cancelled callers and passing time."""
    asyncio.run(partial(play, steps, limit, policy, deliveries, idle)())
