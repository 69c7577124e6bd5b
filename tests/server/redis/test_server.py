"""RedisServer against a real Redis: order, acknowledgement, leases that go, connections that break."""

import asyncio
import contextlib
import random
import sys
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from redis.exceptions import ResponseError

from asgikit.errors import FencedError, MissingExtraError, PartitionCountError
from asgikit.server import ApplicationFailure
from asgikit.server.redis import (
    Event,
    JSONCodec,
    Output,
    RedisClient,
    RedisOutput,
    RedisPublisher,
    RedisServer,
    StreamLayout,
    connect,
)
from asgikit.server.redis._connection import Connection
from asgikit.server.redis._scripts import ACT, RELEASE, TAKE, TRIM
from asgikit.testing import ManualClock
from tests.server.redis.conftest import Main
from tests.server.support import Receive, Scope, Send, advance, ignore, turn
from tests.support.redis import RedisProcess
from tests.support.rounds import until

Run = Callable[[Main], None]


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Send back each message; one that is a dict with "raise" is raised."""
    while True:
        message = await receive()
        if message == "raise":
            raise ValueError(message)
        await send(message)


async def outputs(client: RedisClient, layout: StreamLayout, count: int) -> list[Output]:
    """Read the first `count` messages that applications sent."""
    found: list[Output] = []
    async for output in RedisOutput(client=client, layout=layout, block=0.2).read():
        found.append(output)
        if len(found) == count:
            break
    return found


async def publish(client: RedisClient, layout: StreamLayout, *events: tuple[str, Any]) -> None:
    publisher = RedisPublisher(client=client, layout=layout)
    await publisher.publish(*(Event(scope_id, message) for scope_id, message in events))


async def pending(client: RedisClient, layout: StreamLayout, scope_id: str) -> int:
    """Return how many events of the scope's partition are given out and not acknowledged."""
    script = "return redis.call('XPENDING', KEYS[1], ARGV[1])[1]"
    key = layout.keys(layout.partition_of(scope_id)).events
    return int(await client.execute_command("EVAL", script, 1, key, layout.group))


async def dead(client: RedisClient, layout: StreamLayout, scope_id: str) -> int:
    """Return how many events of the scope's partition are buried."""
    return int(await client.execute_command("XLEN", layout.keys(layout.partition_of(scope_id)).dead))


async def usurp(client: RedisClient, layout: StreamLayout, scope_id: str) -> int:
    """Take the partition of this scope as another worker does once the lease has expired; return the token."""
    keys = layout.keys(layout.partition_of(scope_id))
    await client.execute_command("DEL", keys.lease)
    names = (keys.lease, keys.fence, keys.events, keys.output, keys.history)
    return int(await client.execute_command("EVAL", TAKE.source, 5, *names, "usurper", 60_000, layout.group))


def test_events_are_handled_in_order_and_acknowledged(run: Run) -> None:
    async def main(client: RedisClient, layout: StreamLayout) -> None:
        await publish(client, layout, *((f"s{n % 7}", n) for n in range(140)))
        async with RedisServer(echo, client=client, layout=layout) as server:
            found = await outputs(client, layout, 140)
            assert server.redis_counters.partitions == 4
        for scope in range(7):
            assert [o.message for o in found if o.scope_id == f"s{scope}"] == list(range(scope, 140, 7))
        assert [await pending(client, layout, f"s{n}") for n in range(7)] == [0] * 7
        leases = [await client.execute_command("EXISTS", layout.keys(p).lease) for p in range(4)]
        assert leases == [0] * 4
        assert not await client.execute_command("ZCARD", layout.workers_key)

    run(main)


def test_scopes_and_messages_travel_whole(run: Run) -> None:
    async def tell(scope: Scope, receive: Receive, send: Send) -> None:
        await send([scope, await receive()])

    async def main(client: RedisClient, layout: StreamLayout) -> None:
        event = Event("rööm", {"text": "höi"}, scope={"type": "chat", "extensions": {"x": 1}})
        await RedisPublisher(client=client, layout=layout).publish(event)
        async with RedisServer(tell, client=client, layout=layout):
            (output,) = await outputs(client, layout, 1)
        about = {"id": "rööm", "partition": layout.partition_of("rööm"), "token": 1}
        assert output.message == [
            {"type": "chat", "extensions": {"x": 1, "asgikit.redis": about}},
            {"text": "höi"},
        ]
        assert (output.scope_id, output.token) == ("rööm", 1)

    run(main)


def test_what_was_not_handled_is_handed_to_the_next_worker_first(run: Run) -> None:
    """At least once: an event is acknowledged when the application came back for the next one, not before."""
    taken = asyncio.Event()

    async def stuck(scope: Scope, receive: Receive, send: Send) -> None:
        await send(await receive())
        await receive()
        taken.set()
        await asyncio.Event().wait()

    async def main(client: RedisClient, layout: StreamLayout) -> None:
        await publish(client, layout, *(("s", n) for n in range(4)))
        async with RedisServer(stuck, client=client, layout=layout, drain_timeout=0):
            await taken.wait()
        assert await pending(client, layout, "s") == 3
        await publish(client, layout, ("s", 4))
        async with RedisServer(echo, client=client, layout=layout):
            found = await outputs(client, layout, 5)
        assert [(o.message, o.token) for o in found] == [(0, 1), (1, 2), (2, 2), (3, 2), (4, 2)]
        assert await pending(client, layout, "s") == 0

    run(main)


@pytest.mark.parametrize("how", ["send", "acknowledge", "read"])
def test_a_worker_that_lost_its_lease_does_nothing(run: Run, how: str) -> None:
    """The clock stands still, so only Redis can say that the lease is lost; it refuses whatever comes."""
    gate, handled = asyncio.Event(), asyncio.Event()
    errors: list[BaseException] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            while True:
                await receive()
                handled.set()
                await gate.wait()
                if how == "send":
                    await send("late")
        except BaseException as error:
            errors.append(error)
            raise

    async def main(client: RedisClient, layout: StreamLayout) -> None:
        server = RedisServer(
            app, client=client, layout=layout, clock=ManualClock(), block=0.05, on_failure=ignore, worker_id="w"
        )
        async with server:
            if how == "read":
                await until(lambda: server.redis_counters.partitions == 4)
                assert await usurp(client, layout, "s") == 2
                await publish(client, layout, ("s", 1))
            else:
                await publish(client, layout, ("s", 1))
                await handled.wait()
                assert await usurp(client, layout, "s") == 2
                gate.set()
            await until(lambda: server.redis_counters.lost == 1)
            assert layout.partition_of("s") not in server.tokens
            await until(lambda: not server.scope_ids())
        keys = layout.keys(layout.partition_of("s"))
        assert await client.execute_command("XLEN", keys.output) == 0
        assert await client.execute_command("XLEN", keys.events) == 1
        assert await pending(client, layout, "s") == (0 if how == "read" else 1)
        assert server.redis_counters.refused == (0 if how == "read" else 1)
        assert any(isinstance(error, FencedError) for error in errors) == (how == "send")

    run(main)


def _handled(server: RedisServer, count: int) -> bool:
    return server.counters.handled >= count


def test_a_lease_that_could_not_be_prolonged_is_lost_by_the_local_clock(run: Run) -> None:
    """A worker that slept, or cannot reach Redis, stops acting by itself when its lease time is over."""
    handled = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        handled.set()
        await asyncio.Event().wait()

    async def main(client: RedisClient, layout: StreamLayout) -> None:
        clock = ManualClock()
        server = RedisServer(
            app, client=client, layout=layout, clock=clock, lease_time=60.0, block=0.05, drain_timeout=0
        )
        async with server:
            await publish(client, layout, ("s", 1))
            await handled.wait()
            await until(lambda: len(server.tokens) == 4)
            assert set(server.tokens.values()) == {1}
            clock.advance(61)
            await until(lambda: server.redis_counters.lost == 4)
            await until(lambda: server.counters.lost == 1)
            clock.advance(21)  # in Redis the leases are still its own: it takes them again, with new tokens
            await until(lambda: set(server.tokens.values()) == {2})
        assert await pending(client, layout, "s") == 1

    run(main)


def test_a_worker_that_waits_for_events_hears_at_the_next_beat_that_its_lease_is_lost(run: Run) -> None:
    async def main(client: RedisClient, layout: StreamLayout) -> None:
        clock = ManualClock()
        server = RedisServer(echo, client=client, layout=layout, clock=clock, lease_time=60.0, block=5.0)
        async with server:
            await until(lambda: server.redis_counters.partitions == 4)
            await usurp(client, layout, "s")
            await turn()
            async with asyncio.timeout(3):
                clock.advance(21)
                await until(lambda: server.redis_counters.lost == 1)

    run(main)


def test_an_instance_that_outlives_its_lease_cannot_act_under_the_next_one(run: Run) -> None:
    """The partition is not taken again while the instance is being ended, and afterwards its token is too old."""
    handled, gate = asyncio.Event(), asyncio.Event()
    errors: list[Exception] = []

    async def stubborn(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        handled.set()
        for _ in range(5):
            with contextlib.suppress(asyncio.CancelledError):
                await gate.wait()
                break
        try:
            await send("under an old lease")
        except FencedError as error:
            errors.append(error)

    async def main(client: RedisClient, layout: StreamLayout) -> None:
        clock = ManualClock()
        one = StreamLayout(prefix=layout.prefix, partitions=1)
        server = RedisServer(stubborn, client=client, layout=one, clock=clock, lease_time=60, block=0.05, grace_time=30)
        async with server:
            await publish(client, one, ("s", 1))
            await handled.wait()
            clock.advance(61)
            await until(lambda: server.redis_counters.lost == 1)
            await beaten(client, one, clock)
            assert server.tokens == {}
            while server.tokens != {0: 2}:
                clock.advance(1)
                await client.execute_command("PING")
            gate.set()
            await until(lambda: bool(errors))
            assert "started under token 1 of partition 0" in str(errors[0])

    run(main)


async def beaten(client: RedisClient, layout: StreamLayout, clock: ManualClock) -> None:
    """Let the worker say once more that it lives, and wait long enough for what it would do about it."""
    await client.execute_command("DEL", layout.workers_key)
    while not await client.execute_command("EXISTS", layout.workers_key):
        clock.advance(1)
        await turn()
    for _ in range(20):
        await client.execute_command("PING")


def test_a_server_that_stops_takes_no_more_partitions(run: Run) -> None:
    handled, gate = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        handled.set()
        await gate.wait()

    async def main(client: RedisClient, layout: StreamLayout) -> None:
        clock = ManualClock()
        server = RedisServer(
            app, client=client, layout=layout, clock=clock, lease_time=60, block=0.05, drain_timeout=900
        )
        running = asyncio.create_task(server.arun())
        await publish(client, layout, ("s", 1))
        await handled.wait()
        await until(lambda: server.redis_counters.partitions == 4)
        other = (layout.partition_of("s") + 1) % 4
        await client.execute_command("DEL", layout.keys(other).lease)
        server.stop()
        await beaten(client, layout, clock)
        await until(lambda: other not in server.tokens)
        await beaten(client, layout, clock)
        assert other not in server.tokens
        gate.set()
        await running
        assert await pending(client, layout, "s") == 0

    run(main)


class Late:
    """A client whose acknowledgements wait for a lease to be given back, but not for long."""

    def __init__(self, client: RedisClient) -> None:
        self.client = client
        self.given_back = asyncio.Event()

    async def execute_command(self, *args: Any) -> Any:
        if args[1] == ACT.sha:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.given_back.wait(), 0.5)
        reply = await self.client.execute_command(*args)
        if args[1] in {RELEASE.sha, RELEASE.source}:
            self.given_back.set()
        return reply

    async def aclose(self) -> None:
        await self.client.aclose()


def test_a_lease_is_given_back_after_the_last_acknowledgement(run: Run) -> None:
    handled = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        handled.set()

    async def main(client: RedisClient, four: StreamLayout) -> None:
        layout = StreamLayout(prefix=four.prefix, partitions=1)
        async with RedisServer(app, client=Late(client), layout=layout) as server:
            await until(lambda: server.redis_counters.partitions == 1)
            for _ in range(20):  # until the readers wait for events, each on a connection that is open
                await client.execute_command("PING")
            await publish(client, layout, ("s", 1))
            await handled.wait()
        assert await pending(client, layout, "s") == 0
        assert await client.execute_command("EXISTS", layout.keys(layout.partition_of("s")).lease) == 0

    run(main)


def test_a_server_that_stops_without_redis_leaves_nothing_running(run: Run) -> None:
    """N3: neither a task, nor leases that are prolonged once Redis is back, with nobody who serves them."""

    async def main(client: RedisClient, layout: StreamLayout) -> None:
        class Silent(RedisClient):
            silent = False

            async def execute_command(self, *args: Any) -> Any:
                if self.silent:
                    await asyncio.Event().wait()
                return await client.execute_command(*args)

            async def aclose(self) -> None:
                """Whoever made the client closes it."""

        borrowed = Silent()
        clock = ManualClock()
        server = RedisServer(echo, client=borrowed, layout=layout, clock=clock, block=0.05)
        before = asyncio.all_tasks()
        running = asyncio.create_task(server.arun())
        await until(lambda: server.redis_counters.partitions == 4)
        borrowed.silent = True
        server.stop()
        while not running.done():
            await advance(clock, 1.0)
        await running
        assert asyncio.all_tasks() == before

    run(main)


def test_a_discarded_scope_does_not_cost_the_partition(run: Run) -> None:
    """N2: the reader was waiting for a place for its event; others of the partition go on."""
    gate, handled = asyncio.Event(), asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            await receive()
            handled.set()
            await gate.wait()

    async def main(client: RedisClient, layout: StreamLayout) -> None:
        layout = StreamLayout(prefix=layout.prefix, partitions=1)
        server = RedisServer(app, 1, client=client, layout=layout, clock=ManualClock(), block=0.05, on_failure=ignore)
        async with server:
            await publish(client, layout, ("busy", 1), ("waits", 2), ("busy", 3))
            await until(lambda: server.counters.waiting == 1)
            await server.discard("waits")
            gate.set()
            await until(lambda: server.counters.handled == 2)
            assert (server.redis_counters.lost, server.counters.lost) == (0, 1)

    run(main)


def test_a_dead_workers_partitions_are_taken_after_the_lease_time(run: Run) -> None:
    async def main(client: RedisClient, layout: StreamLayout) -> None:
        keys = layout.keys(layout.partition_of("s"))
        names = (keys.lease, keys.fence, keys.events, keys.output, keys.history)
        await client.execute_command("EVAL", TAKE.source, 5, *names, "dead worker", 300, layout.group)
        await publish(client, layout, ("s", 1), ("s", 2))
        await client.execute_command(
            "XREADGROUP", "GROUP", layout.group, "holder", "COUNT", 1, "STREAMS", keys.events, ">"
        )
        async with RedisServer(echo, client=client, layout=layout, lease_time=2):
            found = await outputs(client, layout, 2)
        assert [(o.message, o.token) for o in found] == [(1, 2), (2, 2)]

    run(main)


def test_workers_share_the_partitions_and_hand_over_in_order(run: Run) -> None:
    async def main(client: RedisClient, layout: StreamLayout) -> None:
        await publish(client, layout, *((f"s{n % 20}", n) for n in range(400)))
        async with RedisServer(echo, client=client, layout=layout, lease_time=3) as first:
            await until(lambda: first.redis_counters.partitions == 4)
            async with RedisServer(echo, client=client, layout=layout, lease_time=3) as second:
                await publish(client, layout, *((f"s{n % 20}", n) for n in range(400, 800)))
                await until(lambda: second.redis_counters.partitions == 2)
                assert first.redis_counters.partitions == 2
                await publish(client, layout, *((f"s{n % 20}", n) for n in range(800, 1200)))
                found = await outputs(client, layout, 1200)
            await until(lambda: first.redis_counters.partitions == 4)
        for scope in range(20):
            assert [o.message for o in found if o.scope_id == f"s{scope}"] == list(range(scope, 1200, 20))
        assert first.redis_counters.lost == second.redis_counters.lost == 0
        assert first.redis_counters.released == 2

    run(main)


def test_an_event_that_no_application_can_handle_is_buried(run: Run) -> None:
    failures: list[ApplicationFailure] = []

    async def main(client: RedisClient, layout: StreamLayout) -> None:
        await publish(client, layout, ("s", 1), ("s", "raise"), ("s", 2))
        keys = layout.keys(layout.partition_of("s"))
        await client.execute_command("XADD", keys.events, "*", "id", "s", "scope", "", "message", "no JSON")
        await client.execute_command("XADD", keys.events, "*", "nothing", "known")
        await publish(client, layout, ("s", 3))
        async with RedisServer(echo, client=client, layout=layout, on_failure=failures.append):
            found = await outputs(client, layout, 3)
            assert [o.message for o in found] == [1, 2, 3]
        assert len(failures) == 3
        assert await dead(client, layout, "s") == 3
        assert await pending(client, layout, "s") == 0

    run(main)


def test_another_number_of_partitions_is_refused(run: Run) -> None:
    async def main(client: RedisClient, layout: StreamLayout) -> None:
        await publish(client, layout, ("s", 1))
        other = StreamLayout(prefix=layout.prefix, partitions=5)
        with pytest.raises(PartitionCountError, match="made with 4 partitions, this layout says 5"):
            await publish(client, other, ("s", 1))
        with pytest.raises(PartitionCountError):
            await RedisServer(echo, client=client, layout=other).arun()

    run(main)


def test_trimming_never_removes_what_is_not_acknowledged(run: Run) -> None:
    """Also what another consumer group has not acknowledged stays; a stream without groups is left alone."""

    async def main(client: RedisClient, layout: StreamLayout) -> None:
        keys = layout.keys(layout.partition_of("s"))
        await publish(client, layout, *(("s", n) for n in range(1000)))
        connection = Connection(client=client, clock=ManualClock())

        async def trim() -> int:
            await connection.script(TRIM, (keys.events,), (100_000,))
            return int(await client.execute_command("XLEN", keys.events))

        async def give(group: str, count: int) -> list[str]:
            script = (
                "local r, ids = redis.call('XREADGROUP', 'GROUP', ARGV[1], 'c', 'COUNT', ARGV[2], 'STREAMS', KEYS[1],"
                " '>'), {} for i, e in ipairs(r[1][2]) do ids[i] = e[1] end return ids"
            )
            return list(await client.execute_command("EVAL", script, 1, keys.events, group, count))

        assert await trim() == 1000
        await client.execute_command("XGROUP", "CREATE", keys.events, "a", "0")
        assert await trim() == 1000
        ids = await give("a", 600)
        assert await trim() == 1000
        await client.execute_command("XACK", keys.events, "a", *ids[:350], *ids[351:])
        left = await trim()
        assert 650 <= left <= 750
        await client.execute_command("XGROUP", "CREATE", keys.events, "b", "0")
        await client.execute_command("XACK", keys.events, "a", ids[350])
        assert await trim() == left
        others = await give("b", 1000)
        await client.execute_command("XACK", keys.events, "b", *others)
        assert 400 <= await trim() <= 500
        await client.execute_command("XACK", keys.events, "a", *await give("a", 1000))
        assert await trim() <= 100

    run(main)


def test_the_server_trims_as_it_goes(run: Run) -> None:
    async def main(client: RedisClient, layout: StreamLayout) -> None:
        async with RedisServer(echo, client=client, layout=layout, trim_every=200, output_limit=300) as server:
            for start in range(0, 3000, 100):
                await publish(client, layout, *(("s", n) for n in range(start, start + 100)))
                await until(partial(_handled, server, start + 100))
        keys = layout.keys(layout.partition_of("s"))
        assert await client.execute_command("XLEN", keys.events) < 1000
        assert await client.execute_command("XLEN", keys.output) < 1000

    run(main)


def test_a_lost_connection_loses_nothing(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Redis is killed and started again in the middle: everything goes on by itself, in order."""
    layout = StreamLayout(partitions=2)

    async def main(redis: RedisProcess) -> None:
        client = connect(redis.url)
        async with asyncio.timeout(40), RedisServer(echo, client=client, layout=layout, lease_time=1.0) as server:
            await publish(client, layout, *((f"s{n % 9}", n) for n in range(900)))
            await outputs(client, layout, 300)
            redis.end(9)
            publishing = asyncio.create_task(publish(client, layout, *((f"s{n % 9}", n) for n in range(900, 1800))))
            await turn()
            redis.start()
            await publishing
            last: dict[str, int] = {}
            reader = RedisOutput(client=client, layout=layout)
            async for output in reader.read():
                assert output.message <= last.get(output.scope_id, int(output.scope_id[1:]) - 9) + 9
                last[output.scope_id] = max(output.message, last.get(output.scope_id, 0))
                if sorted(last.values()) == list(range(1791, 1800)):
                    break
            assert server.counters.lost <= 900
        await client.aclose()

    with RedisProcess(tmp_path_factory.mktemp("redis")) as redis:
        asyncio.run(main(redis))


@pytest.mark.parametrize("protocol", [2, 3])
def test_both_protocols_of_redis(redis_process: RedisProcess, protocol: int) -> None:
    async def main() -> None:
        layout = StreamLayout(prefix=f"protocol-{protocol}")
        client = connect(f"{redis_process.url}?protocol={protocol}")
        await publish(client, layout, ("s", 1), ("t", 2))
        async with RedisServer(echo, client=client, layout=layout):
            assert sorted(o.message for o in await outputs(client, layout, 2)) == [1, 2]
        await client.aclose()

    asyncio.run(main())


def test_without_redis_py_the_error_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)
    with pytest.raises(MissingExtraError, match="pip install redis"):
        connect("redis://localhost")


def test_json_says_what_it_cannot_take() -> None:
    assert JSONCodec().decode(JSONCodec().encode({"ä": [1, None]})) == {"ä": [1, None]}
    with pytest.raises(TypeError):
        JSONCodec().encode(b"bytes")


def test_importing_needs_no_redis_py() -> None:
    import subprocess

    code = "import sys; sys.modules['redis'] = None; import asgikit.server.redis"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)


class Lossy:
    """A client that loses one reply in four: the command is done, and the connection breaks before the answer."""

    def __init__(self, client: RedisClient) -> None:
        self.client = client
        self.random = random.Random(7)
        self.lost = 0

    async def execute_command(self, *args: Any) -> Any:
        reply = await self.client.execute_command(*args)
        if self.random.random() < 0.25:
            self.lost += 1
            raise ConnectionError("lost")
        return reply

    async def aclose(self) -> None:
        await self.client.aclose()


def test_lost_replies_lose_no_event_and_no_order(run: Run) -> None:
    """What was given out in a reply that never arrived is given out again, before anything newer."""

    async def main(client: RedisClient, layout: StreamLayout) -> None:
        lossy = Lossy(client)
        async with RedisServer(echo, client=lossy, layout=layout, prefetch=20, block=0.05, lease_time=3) as server:
            for start in range(0, 600, 30):
                await publish(client, layout, *((f"s{n % 6}", n) for n in range(start, start + 30)))
            last = {f"s{n}": n - 6 for n in range(6)}
            async for output in RedisOutput(client=client, layout=layout, block=0.2).read():
                assert output.message <= last[output.scope_id] + 6, "an event was passed over"
                last[output.scope_id] = max(last[output.scope_id], output.message)
                if sorted(last.values()) == list(range(594, 600)):
                    break
            assert lossy.lost > 10
            assert server.counters.lost == 0

    run(main)


def test_a_cancellation_that_the_client_swallows_is_renewed() -> None:
    """Seen in redis-py 8.1 while it connects; a task that cannot be cancelled would keep the server from ending."""

    class Swallowing:
        async def execute_command(self, *args: Any) -> Any:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                return b"PONG"

        async def aclose(self) -> None:
            pass

    async def main() -> None:
        task = asyncio.create_task(Connection(client=Swallowing(), clock=ManualClock()).command("PING"))
        await turn()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())


def test_a_partition_is_taken_by_one_worker_and_tokens_only_grow(run: Run) -> None:
    """Whoever is second gets nothing; one whose grant was lost on the way gets a new, larger token."""

    async def main(client: RedisClient, layout: StreamLayout) -> None:
        keys = layout.keys(0)
        names = (keys.lease, keys.fence, keys.events, keys.output, keys.history)

        async def take(worker: str) -> int:
            return int(await client.execute_command("EVAL", TAKE.source, 5, *names, worker, 60_000, layout.group))

        assert [await take("a"), await take("b"), await take("a"), await take("b")] == [1, 0, 2, 0]
        await client.execute_command("DEL", keys.lease)
        assert [await take("b"), await take("a")] == [3, 0]

    run(main)


def test_giving_back_a_lease_that_is_lost_takes_nothing_from_its_new_holder(run: Run) -> None:
    async def main(client: RedisClient, layout: StreamLayout) -> None:
        token = await usurp(client, layout, "s")
        lease = layout.keys(layout.partition_of("s")).lease
        names = (layout.workers_key, lease)
        await client.execute_command("EVAL", RELEASE.source, 2, *names, "w", f"{token - 1}:w")
        assert await client.execute_command("EXISTS", lease) == 1
        await client.execute_command("EVAL", RELEASE.source, 2, *names, "usurper", f"{token}:usurper")
        assert await client.execute_command("EXISTS", lease) == 0

    run(main)


def test_no_more_is_read_ahead_than_was_said(run: Run) -> None:
    gate = asyncio.Event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            await gate.wait()
            await send(message)

    async def main(client: RedisClient, layout: StreamLayout) -> None:
        one = StreamLayout(prefix=layout.prefix, partitions=1)
        await publish(client, one, *((f"s{n}", n) for n in range(100)))
        async with RedisServer(app, client=client, layout=one, prefetch=10) as server:
            await until(lambda: server.counters.delivered == 10)
            await publish(client, one, ("more", 100))
            assert await pending(client, one, "s") == 10
            assert server.counters.instances == 10
            gate.set()
            assert len(await outputs(client, one, 101)) == 101

    run(main)


def test_an_event_that_was_deleted_while_it_was_pending_holds_nobody_up(run: Run) -> None:
    async def main(client: RedisClient, layout: StreamLayout) -> None:
        keys = layout.keys(layout.partition_of("s"))
        await client.execute_command("XGROUP", "CREATE", keys.events, layout.group, "0", "MKSTREAM")
        await publish(client, layout, ("s", 1), ("s", 2))
        script = "return redis.call('XREADGROUP', 'GROUP', ARGV[1], 'holder', 'STREAMS', KEYS[1], '>')[1][2][1][1]"
        first = await client.execute_command("EVAL", script, 1, keys.events, layout.group)
        await client.execute_command("XDEL", keys.events, first)
        async with RedisServer(echo, client=client, layout=layout) as server:
            assert [o.message for o in await outputs(client, layout, 1)] == [2]
            assert server.redis_counters.lost == 0
        assert await pending(client, layout, "s") == 0

    run(main)


class Broken:
    """A client whose first act is answered with an error that trying again would not mend."""

    def __init__(self, client: RedisClient) -> None:
        self.client = client
        self.errors = 1

    async def execute_command(self, *args: Any) -> Any:
        if args[1] in {ACT.sha, ACT.source} and self.errors:
            self.errors -= 1
            raise ResponseError("MISCONF the disk is full")
        return await self.client.execute_command(*args)

    async def aclose(self) -> None:
        await self.client.aclose()


def test_a_partition_that_cannot_be_written_is_given_up_and_taken_again(
    run: Run, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody hangs in `send`, nothing is lost, and the log says why."""

    async def main(client: RedisClient, layout: StreamLayout) -> None:
        await publish(client, layout, ("s", 1), ("s", 2))
        async with RedisServer(echo, client=Broken(client), layout=layout, lease_time=3, on_failure=ignore) as server:
            assert [o.message for o in await outputs(client, layout, 2)] == [1, 2]
            assert server.redis_counters.lost == 1

    run(main)
    assert "the disk is full" in caplog.text


def test_a_hand_over_does_not_wait_for_an_event_that_nobody_has_taken(run: Run) -> None:
    """The reader was waiting for a place; what it had in hand stays pending, for whoever is next."""
    gate, handled = asyncio.Event(), asyncio.Event()
    seen: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            handled.set()
            await gate.wait()
            seen.append((message, scope["extensions"]["asgikit.redis"]["token"]))

    async def main(client: RedisClient, four: StreamLayout) -> None:
        layout = StreamLayout(prefix=four.prefix, partitions=1)
        server = RedisServer(app, client=client, layout=layout, queue_size=1, drain_timeout=900, clock=ManualClock())
        async with server:
            await publish(client, layout, *(("s", n) for n in range(4)))
            await handled.wait()
            await turn()
            consumer = server._consumers[0]
            server._hand_over(consumer.lease)
            await until(lambda: consumer._reader is not None and consumer._reader.done())
            gate.set()
            await until(lambda: len(seen) == 4)
        assert seen == [(0, 1), (1, 1), (2, 2), (3, 2)]

    run(main)
