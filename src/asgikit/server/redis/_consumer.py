"""One partition, for as long as one lease lasts: reads its events in order and hands them to applications."""

from asyncio import Event, Task, get_running_loop
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from asgikit.errors import ClosedError
from asgikit.protocols import Clock
from asgikit.server._failure import logger
from asgikit.server._mailbox import Outcome
from asgikit.server._named import create_named_task
from asgikit.server._waiting import wait_all
from asgikit.server.redis._codec import Codec
from asgikit.server.redis._connection import Connection, as_text, end_task
from asgikit.server.redis._layout import HOLDER, StreamLayout
from asgikit.server.redis._scripts import READ, TRIM
from asgikit.server.redis._writer import Lease, PartitionWriter

__all__ = ("Deliver", "PartitionConsumer", "ReadRules")


class Deliver(Protocol):
    """Hands an event to the application of its scope, as `StatelessServer.deliver` does."""

    def __call__(
        self, scope_id: str, scope: dict[str, Any], message: Any, /, *, done: Callable[[Outcome], object]
    ) -> Awaitable[None]:
        """Wait for a place, not for the application; `done` gets what became of the event."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadRules:
    """How much is read ahead, and what is kept of what has been read."""

    prefetch: int
    """Events that may be with applications and not acknowledged yet."""
    block: float
    """Seconds that a read which finds nothing may block."""
    trim: int
    """Events after which the streams are trimmed."""
    output_limit: int | None
    """Entries to keep of the output stream at most, whether anybody has read them or not; None: all."""


class PartitionConsumer:
    """Reads what earlier holders left unacknowledged first, then what is new; never more than `prefetch` ahead."""

    def __init__(
        self,
        *,
        lease: Lease,
        layout: StreamLayout,
        connection: Connection,
        clock: Clock,
        codec: Codec,
        rules: ReadRules,
        deliver: Deliver,
        on_fenced: Callable[["PartitionConsumer", int], object],
    ) -> None:
        """Start nothing. `on_fenced` is told when Redis refuses this consumer, and how many acts it refused."""
        self.lease = lease
        self.lost = False
        self._layout = layout
        self._keys = layout.keys(lease.partition)
        self._connection = connection
        self._clock = clock
        self._codec = codec
        self._rules = rules
        self._deliver = deliver
        self._on_fenced = on_fenced
        self.writer = PartitionWriter(lease=lease, layout=layout, connection=connection, on_fenced=self._fenced)
        self._in_flight = 0
        self._discarded = 0
        self._since_trim = 0
        self._room = Event()
        self._settled = Event()
        self._reader: Task[None] | None = None

    def start(self) -> None:
        """Begin to read and to write."""
        self.writer.start()
        self._reader = create_named_task(
            get_running_loop(), self._read_all(), f"asgikit-redis-reader-{self.lease.partition}"
        )

    async def stop_reading(self) -> None:
        """Take no more events; those under way go on."""
        if self._reader is not None:
            await end_task(self._reader)

    async def drain(self, *, seconds: float) -> bool:
        """Wait until what was read is handled and acknowledged; False when that takes longer."""
        waiting = get_running_loop().create_task(self._drained())
        try:
            return await wait_all([waiting], seconds=seconds, clock=self._clock)
        finally:
            waiting.cancel()

    def lose(self) -> None:
        """The lease is lost: act no more."""
        self.lost = True
        self.writer.lose()
        self._settled.set()

    async def close(self) -> None:
        """End reader and writer."""
        await self.stop_reading()
        await self.writer.close()

    def _fenced(self, refused: int) -> None:
        self.lose()
        self._on_fenced(self, refused)

    async def _drained(self) -> None:
        while self._in_flight and not self.lost:
            self._settled.clear()
            await self._settled.wait()
        await self.writer.flush()

    # Reading

    async def _read_all(self) -> None:
        try:
            last = "0-0"
            while not self.lost:
                last = await self._read_some(last)
        except Exception:
            logger.exception("Reading partition %d failed; it is given up", self.lease.partition)
            self._fenced(0)

    async def _read_some(self, last: str) -> str:
        """Read once, hand over what comes, and return the last entry that this consumer has had."""
        await self._trim()
        while self._in_flight >= self._rules.prefetch:
            self._room.clear()
            await self._room.wait()
        count = min(100, self._rules.prefetch - self._in_flight)
        reply = await self._connection.script(
            READ, (self._keys.lease, self._keys.events), (self.lease.value, self._layout.group, HOLDER, last, count)
        )
        if not reply:
            self._fenced(0)
            return last
        entries, newest = reply
        for entry, fields in entries:
            await self._hand_over(as_text(entry), fields)
            last = as_text(entry)
        if not entries:
            await self._wait_behind(as_text(newest))
        return last

    async def _wait_behind(self, last: str) -> None:
        """Wait, without taking anything, until the stream has an entry after `last`, or the blocking time is over."""
        await self._connection.command(
            "XREAD", "COUNT", 1, "BLOCK", int(self._rules.block * 1000), "STREAMS", self._keys.events, last
        )

    async def _hand_over(self, entry: str, fields: "list[bytes | str] | None") -> None:
        if fields is None:  # deleted from the stream by somebody while it was pending
            self.writer.acknowledge(entry)
            return
        try:
            scope_id, scope, message = self._decode(fields)
        except Exception as error:
            logger.error("Event %s of partition %d cannot be read: %s", entry, self.lease.partition, error)
            self.writer.bury(entry, f"cannot be read: {error}")
            return
        self._in_flight += 1
        before = self._discarded
        try:
            await self._deliver(scope_id, scope, message, done=partial(self._done, entry))
        except ClosedError:
            if self._discarded == before:  # else it was told of already, and only its scope is closed to it
                raise

    def _decode(self, fields: "list[bytes | str]") -> tuple[str, dict[str, Any], Any]:
        named = {as_text(name): value for name, value in zip(fields[::2], fields[1::2], strict=True)}
        scope_id = as_text(named["id"])
        raw = [value if isinstance(value, bytes) else value.encode() for value in (named["scope"], named["message"])]
        scope: dict[str, Any] = self._codec.decode(raw[0]) if raw[0] else {"type": "redis", "id": scope_id}
        lease = {"id": scope_id, "partition": self.lease.partition, "token": self.lease.token}
        scope["extensions"] = {**scope.get("extensions", {}), "asgikit.redis": lease}
        return scope_id, scope, self._codec.decode(raw[1])

    def _done(self, entry: str, outcome: Outcome) -> None:
        self._in_flight -= 1
        self._room.set()
        self._settled.set()
        if outcome is Outcome.HANDLED:
            self.writer.acknowledge(entry)
        elif outcome is Outcome.FAILED:
            self.writer.bury(entry, "the application failed over it as often as it may be tried")
        else:
            self._discarded += 1
        self._since_trim += 1

    async def _trim(self) -> None:
        """Now and then, remove from the front of both streams what all their readers have acknowledged."""
        if self._since_trim < self._rules.trim:
            return
        self._since_trim = 0
        for key in (self._keys.events, self._keys.output):
            await self._connection.script(TRIM, (key,), (10 * self._rules.trim,))
        if self._rules.output_limit is not None:
            await self._connection.command("XTRIM", self._keys.output, "MAXLEN", "~", self._rules.output_limit)
