"""The row `redis`: workers that are killed, frozen and cut off, and every event handled, in order, by nobody else.

Four worker processes serve events over a thousand scopes from a Redis that syncs every write. Every second one
of them is killed (SIGKILL) and another started; one is frozen (SIGSTOP) past its lease and continued; Redis
itself is killed and started again. The workers run on a clock that does not notice that they were frozen,
so whatever a woken one tries, only Redis can refuse.

What is checked, from the output streams alone: every event is there; no event of a scope comes before
its predecessor; no entry of a lease comes after the moment at which a later lease was taken (`history`).
"""

import asyncio
import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from asyncio import AbstractEventLoop
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from asgikit.protocols import Cancellable
from asgikit.server.redis import (
    Event,
    Output,
    RedisClient,
    RedisOutput,
    RedisPublisher,
    RedisServer,
    StreamLayout,
    connect,
)
from tests.support.redis import RedisProcess

__all__ = ("ROWS",)

EVENTS: Final = 100_000
SCOPES: Final = 1_000
WORKERS: Final = 4
LEASE: Final = 1.5
KILL_EVERY: Final = 1.0
LIMIT: Final = 300.0
LAYOUT: Final = StreamLayout(prefix="stress", partitions=16)
COUNTERS: Final = "{stress}:counters"
STEP: Final = 0.05


# -- a worker process -------------------------------------------------------------------------------------------------


class FrozenClock:
    """A clock that counts steps of its own: for whoever was frozen no time has passed."""

    def __init__(self) -> None:
        self._time = 0.0
        self._last = time.monotonic()

    def now(self) -> float:
        """Return seconds of which this process was awake."""
        here = time.monotonic()
        self._time += min(here - self._last, 2 * STEP)
        self._last = here
        return self._time

    def call_later(self, loop: AbstractEventLoop, delay: float, callback: Callable[[], object], /) -> Cancellable:
        """Look again in small steps, so that time spent frozen counts as one step."""
        return _Timer(self, loop, self.now() + delay, callback)


class _Timer:
    def __init__(self, clock: FrozenClock, loop: AbstractEventLoop, due: float, callback: Callable[[], object]) -> None:
        self._clock, self._loop, self._due, self._callback = clock, loop, due, callback
        self._handle = loop.call_later(STEP / 5, self._look)

    def _look(self) -> None:
        left = self._due - self._clock.now()
        if left <= 0:
            self._callback()
        else:
            self._handle = self._loop.call_later(min(STEP, left), self._look)

    def cancel(self) -> None:
        self._handle.cancel()


async def answer(scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    """Handle each event by one act: the output that the parent checks."""
    while True:
        await send(await receive())


async def work(url: str, name: str) -> None:
    """Serve until the end of time, and tell now and then what was refused."""
    client = connect(url)
    server = RedisServer(
        answer, client=client, layout=LAYOUT, worker_id=name, lease_time=LEASE, clock=FrozenClock(), on_failure=_quiet
    )
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    async with server:
        telling = asyncio.create_task(_tell(server, client))
        await server.wait_stopped()
        telling.cancel()
    await client.aclose()


def _quiet(failure: object) -> None:
    """Applications of a lost lease fail when they send: that is what is wanted here."""


async def _tell(server: RedisServer, client: RedisClient) -> None:
    while True:
        counters = server.redis_counters
        told = json.dumps({"refused": counters.refused, "lost": counters.lost, "taken": counters.taken})
        try:
            await client.execute_command("HSET", COUNTERS, server.worker_id, told)
        except Exception as error:
            print(error, file=sys.stderr)
        await asyncio.sleep(0.1)


# -- the parent -------------------------------------------------------------------------------------------------------


@dataclass
class Workers:
    """The worker processes, as many as there should be."""

    url: str
    log: Path
    running: "list[subprocess.Popen[bytes]]" = field(default_factory=list["subprocess.Popen[bytes]"])
    frozen: "subprocess.Popen[bytes] | None" = None
    started: int = 0
    killed: int = 0
    woken: int = 0

    def start(self) -> None:
        self.started += 1
        command = [sys.executable, "-m", "tests.stress.rows_redis", "--worker", self.url, f"w{self.started}"]
        with self.log.open("ab") as log:
            self.running.append(subprocess.Popen(command, stdout=log, stderr=log, env=os.environ.copy()))

    def kill_one(self) -> None:
        victim = random.choice([worker for worker in self.running if worker is not self.frozen])
        victim.kill()
        victim.wait()
        self.running.remove(victim)
        self.killed += 1

    def freeze_one(self) -> None:
        self.frozen = self.running[0]
        self.frozen.send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        if self.frozen is not None and not self.woken:
            self.frozen.send_signal(signal.SIGCONT)
            self.woken += 1

    def end(self) -> None:
        for worker in self.running:
            worker.send_signal(signal.SIGCONT)
            worker.terminate()
        for worker in self.running:
            worker.wait(30)


@dataclass
class Findings:
    """What the output streams say."""

    seen: dict[str, int] = field(default_factory=dict[str, int])
    """For each scope, the number of its events that have been handled, without a gap."""
    entries: int = 0
    violations: int = 0
    last_of_token: dict[tuple[int, int], str] = field(default_factory=dict[tuple[int, int], str])

    handled: int = 0

    def take(self, output: Output) -> None:
        number: int = output.message
        self.entries += 1
        done = self.seen.get(output.scope_id, 0)
        if number > done:
            self.violations += 1
        self.handled += number == done
        self.seen[output.scope_id] = max(done, number + 1)
        self.last_of_token[output.partition, output.token] = output.entry


async def publish(publisher: RedisPublisher, events: int) -> None:
    """Put all events into Redis, in batches, while the workers work."""
    for start in range(0, events, 500):
        batch = range(start, min(start + 500, events))
        await publisher.publish(*(Event(f"s{number % SCOPES}", number // SCOPES) for number in batch))


async def restart(redis: RedisProcess) -> None:
    """Kill Redis and start it again, which takes seconds: it reads all that it has written."""
    redis.end(signal.SIGKILL)
    await asyncio.to_thread(redis.start)


async def torment(workers: Workers, redis: RedisProcess, findings: Findings, events: int) -> None:
    """Kill, freeze and cut off, until cancelled. The kills keep to the second, whatever else takes its time."""
    frozen_at = 0.0
    due = time.monotonic()
    async with asyncio.TaskGroup() as others:
        while True:
            due += KILL_EVERY
            await asyncio.sleep(due - time.monotonic())
            workers.kill_one()
            workers.start()
            if not frozen_at and findings.handled > events * 0.15:
                frozen_at = time.monotonic()
                workers.freeze_one()
            if workers.frozen is not None and time.monotonic() > frozen_at + 2 * LEASE:
                workers.wake()
            if not redis.kills and findings.handled > events * 0.5:
                others.create_task(restart(redis))


async def watch(reader: RedisOutput, findings: Findings, events: int) -> None:
    """Read output until every event has been handled."""
    async for output in reader.read():
        findings.take(output)
        if findings.handled >= events:
            return


async def settled(client: RedisClient) -> int:
    """Wait until nothing is pending any more, and return how many events were buried."""
    script = "return redis.call('XPENDING', KEYS[1], ARGV[1])[1]"
    keys = [LAYOUT.keys(partition) for partition in range(LAYOUT.partitions)]
    for key in keys:
        while await client.execute_command("EVAL", script, 1, key.events, LAYOUT.group):  # noqa: ASYNC110 - in Redis
            await asyncio.sleep(0.05)
    return sum([int(await client.execute_command("XLEN", key.dead)) for key in keys])


async def fenced_acts(client: RedisClient, findings: Findings) -> int:
    """Count leases of which an act stands behind the moment at which a later lease was taken."""
    count = 0
    script = (
        "local t = {} for _, e in ipairs(redis.call('XRANGE', KEYS[1], '-', '+')) do"
        " t[#t + 1] = e[2][2] .. ' ' .. e[2][6] end return t"
    )
    for partition in range(LAYOUT.partitions):
        history = await client.execute_command("EVAL", script, 1, LAYOUT.keys(partition).history)
        taken = [(int(token), _place(entry)) for token, entry in (line.decode().split() for line in history)]
        for (where, token), last in findings.last_of_token.items():
            if where == partition:
                count += any(later > token and _place(last) > place for later, place in taken)
    return count


def _place(entry: str) -> tuple[int, int]:
    milliseconds, sequence = entry.split("-")
    return int(milliseconds), int(sequence)


async def run(redis: RedisProcess, workers: Workers, events: int) -> str:
    """Do it all, and say what came out.

    Raises:
        AssertionError: it is not what was promised.
    """
    client = connect(redis.url)
    findings = Findings()
    for _ in range(WORKERS):
        workers.start()
    started = time.monotonic()
    tormenting = asyncio.create_task(torment(workers, redis, findings, events))
    publishing = asyncio.create_task(publish(RedisPublisher(client=client, layout=LAYOUT), events))
    with contextlib.suppress(TimeoutError):  # what is missing then is counted as lost
        async with asyncio.timeout(LIMIT):
            await watch(RedisOutput(client=client, layout=LAYOUT), findings, events)
    elapsed = time.monotonic() - started
    for task in (tormenting, publishing):
        task.cancel()
    await asyncio.wait([tormenting, publishing])
    if workers.frozen is not None:
        workers.frozen.send_signal(signal.SIGCONT)
    async with asyncio.timeout(30):
        buried = await settled(client)
    told = await client.execute_command("HVALS", COUNTERS)
    refused = sum(json.loads(value)["refused"] for value in told)
    fenced = await fenced_acts(client, findings)
    await client.aclose()
    lost = events - findings.handled + buried
    report = f"""
    events                    {events} over {SCOPES} scopes, {LAYOUT.partitions} partitions
    workers                   {WORKERS} at a time: {workers.killed} killed, {workers.woken} frozen and woken
    Redis                     killed and started again {redis.kills} times, every write synced
    handled                   {findings.entries} times
    duplicates                {findings.entries - findings.handled}
    losses                    {lost}
    order violations          {findings.violations}
    acts by fenced consumers  {fenced} ({refused} tried, and refused by Redis)
    throughput                {events / elapsed:.0f} events/s ({elapsed:.1f} s, from the start of the processes)"""
    assert lost == findings.violations == fenced == 0, report
    assert workers.killed >= int(elapsed / KILL_EVERY) - 1, f"a kill was left out\n{report}"
    assert workers.woken, f"it was over before a frozen worker had been woken: too few events\n{report}"
    assert redis.kills, f"it was over before Redis had been killed: too few events\n{report}"
    return report


def survive(events: int = EVENTS) -> str:
    """Run the row with this many events and return its report.

    Raises:
        AssertionError: something was promised and not kept; what the workers said is noted on the error.
    """
    with tempfile.TemporaryDirectory() as name, RedisProcess(Path(name)) as redis:
        workers = Workers(redis.url, Path(name) / "workers.log")
        try:
            return asyncio.run(run(redis, workers, events))
        except AssertionError as error:
            error.add_note(workers.log.read_text()[-4000:])
            raise
        finally:
            workers.end()


ROWS: Final[Mapping[str, Callable[[], str]]] = {"redis": survive}


if __name__ == "__main__":
    if "--worker" in sys.argv:
        asyncio.run(work(*sys.argv[-2:]))
    else:
        print("redis ...", survive(*map(int, sys.argv[1:])))
