"""How instances come, go and make room, with time turned by hand."""

import asyncio
import logging
from functools import partial
from typing import Any

import pytest

from asgikit.errors import ClosedError, MailboxFullError
from asgikit.server import ApplicationFailure, Outcome
from asgikit.testing import ManualClock
from tests.server.support import OpenServer, Receive, Scope, Send, advance, echo, ignore, turn


def test_one_instance_per_scope_keeps_its_messages_in_order() -> None:
    async def main() -> None:
        async with OpenServer(echo) as server:
            for number in range(5):
                for scope_id in "ab":
                    await server.give(scope_id, number)
            await turn()
            assert [message for scope_id, message in server.sent if scope_id == "a"] == [0, 1, 2, 3, 4]
            assert (server.counters.started, server.counters.instances, server.counters.delivered) == (2, 2, 10)

    asyncio.run(main())


def test_never_more_than_the_limit() -> None:
    """N1: at no moment do more applications live than the limit, those in their clean-up included."""
    alive: set[object] = set()
    most = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal most
        alive.add(scope["id"])
        most = max(most, len(alive))
        try:
            while True:
                await receive()
        finally:
            await turn(3)
            alive.remove(scope["id"])

    async def main() -> None:
        async with OpenServer(app, 3) as server:
            for round_ in range(4):
                for scope_id in range(10):
                    await server.give(scope_id, round_)
                    assert server.counters.instances <= 3
        assert server.counters.handled == 40
        assert server.counters.lost == 0

    asyncio.run(main())
    assert most == 3
    assert not alive


def test_the_least_recently_used_instance_goes() -> None:
    ended: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            while True:
                await receive()
        finally:
            ended.append(scope["id"])

    async def main() -> None:
        async with OpenServer(app, 3) as server:
            for scope_id in "abcadb":
                await server.give(scope_id, 1)
                await turn()
            assert ended == ["b", "c"]

    asyncio.run(main())


@pytest.mark.parametrize(
    "end",
    [ValueError("no"), asyncio.CancelledError(), SystemExit(3), BaseException("any"), "end"],
    ids=lambda end: type(end).__name__,
)
def test_no_outcome_of_an_application_stops_the_server(end: object) -> None:
    """N2: whatever an application ends in, the others live and its own scope gets a new instance."""
    failures: list[ApplicationFailure] = []

    async def main() -> None:
        async with OpenServer(echo, on_failure=failures.append) as server:
            await server.give("other", 1)
            await server.give("a", end)
            await turn()
            await server.give("a", 2)
            await server.give("other", 3)
            await turn()
            assert server.sent == [("other", 1), ("a", 2), ("other", 3)]
            assert server.counters.started == 3

    asyncio.run(main())
    assert [failure.error for failure in failures] == ([] if end == "end" else [end])


def test_a_message_that_meets_an_ending_application_starts_a_new_one() -> None:
    """N4: nothing is lost between an application's last `receive` and its end."""

    async def one_message(scope: Scope, receive: Receive, send: Send) -> None:
        await send(await receive())
        await turn(3)

    async def main() -> None:
        outcomes: list[Outcome] = []
        async with OpenServer(one_message) as server:
            for number in range(6):
                await server.give("a", number, done=outcomes.append)
                await turn(number)
            await turn(100)
            assert [message for _, message in server.sent] == [0, 1, 2, 3, 4, 5]
            assert server.counters.started == 6
        assert outcomes == [Outcome.HANDLED] * 6

    asyncio.run(main())


def test_an_application_that_takes_nothing_is_not_started_for_ever() -> None:
    async def deaf(scope: Scope, receive: Receive, send: Send) -> None:
        return

    async def main() -> None:
        outcomes: list[Outcome] = []
        async with OpenServer(deaf) as server:
            await server.give("a", 1, done=outcomes.append)
            await server.give("a", 2, done=outcomes.append)
            await turn()
            assert outcomes == [Outcome.FAILED] * 2
            assert server.counters.started == 2
            assert server.scope_ids() == []

    asyncio.run(main())


def test_failures_go_to_the_own_logger_with_their_traceback(caplog: pytest.LogCaptureFixture) -> None:
    """N5: one record on the logger `asgikit`, with exc_info."""
    error = ValueError("no")

    async def main() -> None:
        async with OpenServer(echo) as server:
            await server.give("a", error)
            await turn()

    asyncio.run(main())
    (record,) = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert record.name == "asgikit"
    assert record.exc_info is not None
    assert record.exc_info[1] is error


def test_a_failing_hook_is_logged_and_goes_no_further(caplog: pytest.LogCaptureFixture) -> None:
    """N5: the hook is injectable, and cannot harm the server."""

    def hook(failure: ApplicationFailure) -> None:
        raise LookupError(str(failure.scope_id))

    async def main() -> None:
        async with OpenServer(echo, on_failure=hook) as server:
            await server.give("a", ValueError("no"))
            await turn()
            await server.give("a", 1)
            await turn()
            assert server.sent == [("a", 1)]

    asyncio.run(main())
    assert "failure hook" in caplog.text


def test_idle_instances_end_after_the_idle_timeout() -> None:
    """N7: by the injected clock, and by one timer."""

    async def main() -> None:
        clock = ManualClock()
        async with OpenServer(echo, idle_timeout=10.0, clock=clock) as server:
            await server.give("a", 1)
            await advance(clock, 6.0)
            await server.give("b", 1)
            await advance(clock, 3.9)
            assert server.counters.instances == 2
            assert clock.pending() == 1
            await advance(clock, 0.2)
            assert server.scope_ids() == ["b"]
            await advance(clock, 5.0)
            await server.give("b", 2)
            await advance(clock, 6.0)
            assert server.scope_ids() == ["b"]
            await advance(clock, 4.1)
            assert server.scope_ids() == []
            assert clock.pending() == 0
            assert server.counters.evicted == 2

    asyncio.run(main())


def test_a_full_queue_makes_its_deliverer_wait_in_order() -> None:
    """N7: bounded queues; the policy `wait`."""
    gate = asyncio.Event()

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            await gate.wait()
            await send(message)

    async def main() -> None:
        async with OpenServer(slow, queue_size=2) as server:
            told: dict[int, Outcome] = {}
            deliveries = [
                asyncio.create_task(server.give("a", number, done=partial(told.__setitem__, number)))
                for number in range(6)
            ]
            await turn()
            assert [task.done() for task in deliveries] == [True, True, True, False, False, False]
            deliveries[4].cancel()
            await turn()
            assert told == {4: Outcome.DISCARDED}
            with pytest.raises(MailboxFullError):
                server.deliver_nowait("a", {"id": "a"}, 9)
            gate.set()
            await asyncio.gather(*deliveries, return_exceptions=True)
            await turn()
            assert [message for _, message in server.sent] == [0, 1, 2, 3, 5]

    asyncio.run(main())


def test_those_behind_a_cancelled_delivery_move_up() -> None:
    """N7: while the scope waits for its instance, and while that runs; the policy `wait`."""

    async def main() -> None:
        gate = asyncio.Event()
        deliveries: list[asyncio.Task[None]] = []

        async def stubborn(scope: Scope, receive: Receive, send: Send) -> None:
            while True:
                message = await receive()
                await send(message)
                if message == 2:
                    deliveries[3].cancel()  # it has its place since this message was taken, and has not run since
                if message != 1:
                    await gate.wait()
                    gate.clear()

        async with OpenServer(stubborn, 1, queue_size=1) as server:
            await server.give("busy", 0)
            deliveries += [asyncio.create_task(server.give("a", number)) for number in range(5)]
            await turn()
            deliveries[0].cancel()
            await turn()
            gate.set()
            await turn()
            assert [task.done() for task in deliveries] == [True] * 5
            gate.set()
            await turn()
            assert [message for _, message in server.sent] == [0, 1, 2, 4]

    asyncio.run(main())


def test_the_oldest_message_goes_or_the_new_one_is_refused() -> None:
    """N7: the policies `drop_oldest` and `reject`."""

    async def deaf(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        outcomes: dict[int, Outcome] = {}
        async with OpenServer(deaf, queue_size=2, queue_policy="drop_oldest", drain_timeout=0) as server:
            for number in range(4):
                await server.give("a", number, done=partial(outcomes.__setitem__, number))
            assert outcomes == {0: Outcome.DROPPED, 1: Outcome.DROPPED}
        assert outcomes[3] is Outcome.DISCARDED
        async with OpenServer(deaf, queue_size=2, queue_policy="reject", drain_timeout=0) as server:
            await server.give("a", 1)
            await server.give("a", 2)
            with pytest.raises(MailboxFullError):
                await server.give("a", 3)

    asyncio.run(main())


def test_when_all_are_busy_the_longest_busy_one_goes_after_the_grace_time() -> None:
    async def busy(scope: Scope, receive: Receive, send: Send) -> None:
        await send(await receive())
        await asyncio.Event().wait()

    async def main() -> None:
        clock = ManualClock()
        async with OpenServer(busy, 2, clock=clock, grace_time=2.0, drain_timeout=0.0) as server:
            await server.give("a", 1)
            await server.give("b", 1)
            late = asyncio.create_task(server.give("c", 1))
            await advance(clock, 1.9)
            assert not late.done()
            assert server.counters.waiting == 1
            await advance(clock, 0.2)
            assert late.done()
            assert server.scope_ids() == ["b", "c"]

    asyncio.run(main())


def test_a_failed_message_comes_back_first_as_often_as_allowed() -> None:
    seen: list[tuple[str, int]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            seen.append(message)
            if message[0] == "bad":
                raise ValueError(message)

    async def main() -> None:
        outcomes: list[tuple[int, Outcome]] = []

        def note(number: int, outcome: Outcome) -> None:
            outcomes.append((number, outcome))

        async with OpenServer(app, max_deliveries=3, on_failure=ignore) as server:
            for number, kind in enumerate(["good", "bad", "good"]):
                await server.give("a", (kind, number), done=partial(note, number))
            await turn(50)
            assert (server.counters.retried, server.counters.lost, server.counters.failed) == (2, 1, 3)
        assert outcomes == [(0, Outcome.HANDLED), (1, Outcome.FAILED), (2, Outcome.HANDLED)]

    asyncio.run(main())
    assert seen == [("good", 0), ("bad", 1), ("bad", 1), ("bad", 1), ("good", 2)]


def test_a_discarded_scope_ends_and_gives_up_its_messages() -> None:
    ended: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await receive()
            await asyncio.Event().wait()
        finally:
            ended.append(scope["id"])

    async def main() -> None:
        outcomes: list[Outcome] = []
        async with OpenServer(app) as server:
            for scope_id in "aab":
                await server.give(scope_id, 1, done=outcomes.append)
            await turn()
            assert await server.discard("a", "unknown")
            assert ended == ["a"]
            assert outcomes == [Outcome.DISCARDED] * 2
            await server.discard("b")

    asyncio.run(main())


def test_what_an_application_left_behind_can_neither_receive_nor_send() -> None:
    ends: dict[str, Any] = {}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        ends.update(receive=receive, send=send)
        await receive()

    async def main() -> None:
        async with OpenServer(app) as server:
            await server.give("a", 1)
            await turn()
            with pytest.raises(ClosedError, match="'a' has ended"):
                await ends["receive"]()
            with pytest.raises(ClosedError, match="'a' has ended"):
                await ends["send"](1)

    asyncio.run(main())


def test_each_instance_runs_in_a_copy_of_the_servers_context() -> None:
    import contextvars

    variable = contextvars.ContextVar("variable", default="none")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(variable.get())
        variable.set("of the application")

    async def main() -> None:
        variable.set("of the server")
        async with OpenServer(app) as server:
            variable.set("of the deliverer")
            await server.give("a", 1)
            await turn()
            await server.give("a", 1)
            await turn()
            assert server.sent == [("a", "of the server")] * 2

    asyncio.run(main())


def test_a_task_factory_may_know_no_context_and_may_be_eager() -> None:
    async def main(factory: Any) -> None:
        asyncio.get_running_loop().set_task_factory(factory)
        async with OpenServer(echo, 1) as server:
            for number in range(6):
                await server.give(number % 2, number)
            await turn()
            assert [message for _, message in server.sent] == [0, 1, 2, 3, 4, 5]

    def old(loop: Any, coro: Any) -> Any:
        return asyncio.Task(coro, loop=loop)

    eager: Any = getattr(asyncio, "eager_task_factory", old)
    asyncio.run(main(old))
    asyncio.run(main(eager))


def test_the_choice_and_the_order_cost_the_same_however_many_live() -> None:
    """N7: no method of the store looks at more than the ends of its lists (shown by counting comparisons)."""
    looks = 0

    class Id:
        def __init__(self, number: int) -> None:
            self.number = number

        def __hash__(self) -> int:
            return hash(self.number)

        def __eq__(self, other: object) -> bool:
            nonlocal looks
            looks += 1
            return isinstance(other, Id) and other.number == self.number

    async def main(count: int) -> int:
        nonlocal looks
        async with OpenServer(echo, count) as server:
            for number in range(count):
                await server.give(Id(number), 0)
            await turn()
            looks = 0
            for number in range(count, count + 50):
                await server.give(Id(number), 0)
                await turn(8)
            return looks

    few, many = asyncio.run(main(20)), asyncio.run(main(2000))
    assert many <= few + 50


def test_an_instance_that_is_told_to_end_gets_no_more_messages() -> None:
    """N4: one that goes on receiving instead would take what the next instance should have."""
    taken: list[tuple[int, object]] = []
    lives = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal lives
        lives += 1
        life = lives
        try:
            while True:
                taken.append((life, await receive()))
        except asyncio.CancelledError:
            if life == 1:
                taken.append((life, await receive()))
            raise

    async def main() -> None:
        clock = ManualClock()
        async with OpenServer(app, 1, clock=clock, grace_time=2.0) as server:
            await server.give("a", 1)
            await turn()
            other = asyncio.create_task(server.give("b", 2))
            await turn()
            server.deliver_nowait("a", {"id": "a"}, 3)
            await turn()
            assert not other.done()
            await advance(clock, 2.1)
            await turn()
            assert other.done()
            await turn()

    asyncio.run(main())
    assert taken == [(1, 1), (2, 2), (3, 3)]


def test_patience_is_with_who_waits_longest_not_with_all_that_wait() -> None:
    """As long as places become free within the grace time, nobody who works is evicted."""
    gates: dict[object, asyncio.Event] = {}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        gates[scope["id"]] = asyncio.Event()
        await gates[scope["id"]].wait()

    async def main() -> None:
        clock = ManualClock()
        async with OpenServer(app, 1, clock=clock, grace_time=2.0) as server:
            waiting = [asyncio.create_task(server.give(scope_id, 1)) for scope_id in "abcd"]
            for scope_id in "abcd":
                await advance(clock, 1.5)
                gates[scope_id].set()
                await turn()
            await asyncio.gather(*waiting)
            assert (server.counters.evicted, server.counters.finished) == (0, 4)

    asyncio.run(main())


def test_a_stubborn_instance_is_told_again_when_somebody_waits_for_its_place(caplog: pytest.LogCaptureFixture) -> None:
    """N1: it keeps its place until it has ended; the one that waits gets it then."""
    told = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal told
        while told < 3 or scope["id"] != "mule":
            try:
                await receive()
            except asyncio.CancelledError:
                told += scope["id"] == "mule"
                if scope["id"] != "mule":
                    raise

    async def main() -> None:
        clock = ManualClock()
        async with OpenServer(app, 1, clock=clock, grace_time=2.0) as server:
            await server.give("mule", 1)
            await turn()
            waiting = asyncio.create_task(server.give("b", 1))
            for times in (1, 2, 3):
                assert server.counters.instances == 1
                await turn()
                assert told == times
                await advance(clock, 2.1)
            assert waiting.done()

    asyncio.run(main())
    assert "'mule' does not end; it is cancelled again" in caplog.text


def test_the_end_leaves_no_timer() -> None:
    """N3: also when one was set for an instance that was idle, or for one that had to wait."""

    async def busy(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if scope["id"] == "busy":
            await asyncio.Event().wait()
        await receive()

    async def main() -> None:
        clock = ManualClock()
        async with OpenServer(busy, 1, clock=clock, idle_timeout=60, drain_timeout=0) as server:
            await server.give("idle", 1)
            await turn()
            assert clock.pending() == 1
        assert clock.pending() == 0
        async with OpenServer(busy, 1, clock=clock, idle_timeout=60, drain_timeout=0) as server:
            await server.give("busy", 1)
            await turn()
            server.deliver_nowait("waiting", {"id": "waiting"}, 1)
            assert clock.pending() == 1
        assert clock.pending() == 0

    asyncio.run(main())


@pytest.mark.parametrize("idle_timeout", [None, 1.0])
def test_an_application_that_ends_while_a_task_of_its_own_still_receives(idle_timeout: float | None) -> None:
    """N2: it looks idle and has ended; whoever needs its place in that very moment gets it."""
    left: list[asyncio.Future[Any]] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        left.append(asyncio.ensure_future(receive()))
        await turn(3)

    async def main() -> None:
        for offset in range(8):
            clock = ManualClock()
            async with OpenServer(app, 1, clock=clock, idle_timeout=idle_timeout) as server:
                await server.give("a", 1)
                await turn(offset)
                clock.advance(1.0)
                others = [asyncio.create_task(server.give(scope_id, 1)) for scope_id in "bc"]
                await turn(30)
                assert all(task.done() for task in others)
        ends = await asyncio.gather(*left, return_exceptions=True)
        assert all(isinstance(end, ClosedError) for end in ends), "a task left behind waits for ever"

    asyncio.run(main())
