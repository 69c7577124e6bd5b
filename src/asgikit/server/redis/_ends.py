"""The two other ends: who publishes events, and who reads what the applications sent."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, cast, final

from asgikit.loop import MonotonicClock
from asgikit.protocols import Clock
from asgikit.server.redis._codec import Codec, JSONCodec
from asgikit.server.redis._connection import Argument, Connection, RedisClient, as_text
from asgikit.server.redis._layout import StreamLayout
from asgikit.server.redis._scripts import PUBLISH
from asgikit.server.redis._server import check_partitions

__all__ = ("Event", "Output", "RedisOutput", "RedisPublisher")


@final
@dataclass(frozen=True, slots=True)
class Event:
    """A message for the application of one scope."""

    scope_id: str
    message: Any
    scope: Mapping[str, Any] | None = None
    """The scope for the instance that this event may start; None: `{"type": "redis", "id": scope_id}`."""


@final
@dataclass(frozen=True, slots=True)
class Output:
    """A message that an application sent."""

    scope_id: str
    message: Any
    partition: int
    token: int
    """The fencing token of the lease under which it was sent."""
    entry: str
    """Its place in the output stream of the partition."""


@final
class RedisPublisher:
    """Puts events into the partition streams. The client is borrowed; methods belong to the loop's thread.

    When the connection is lost while an event is being published, it is published again after, so that
    it is there at least once.
    """

    def __init__(
        self,
        *,
        client: RedisClient,
        layout: StreamLayout | None = None,
        codec: Codec | None = None,
        clock: Clock | None = None,
    ) -> None:
        """Take the parts; nothing is sent yet."""
        self.layout: StreamLayout = StreamLayout() if layout is None else layout
        self._codec: Codec = JSONCodec() if codec is None else codec
        self._connection = Connection(client=client, clock=MonotonicClock() if clock is None else clock)
        self._checked = False

    async def publish(self, *events: Event) -> None:
        """Put the events into their streams, in this order and in one round trip; returns when Redis has them.

        Raises:
            PartitionCountError: the streams were made with another number of partitions.
        """
        if not self._checked:
            await check_partitions(self._connection, self.layout)
            self._checked = True
        keys = [self.layout.keys(partition).events for partition in range(self.layout.partitions)]
        await self._connection.script(PUBLISH, keys, list(self._arguments(events)))

    def _arguments(self, events: Iterable[Event]) -> Iterator[Argument]:
        for event in events:
            yield self.layout.partition_of(event.scope_id) + 1
            yield event.scope_id
            yield b"" if event.scope is None else self._codec.encode(event.scope)
            yield self._codec.encode(event.message)


@final
class RedisOutput:
    """Reads what applications sent, from all partitions. The client is borrowed."""

    def __init__(
        self,
        *,
        client: RedisClient,
        layout: StreamLayout | None = None,
        codec: Codec | None = None,
        clock: Clock | None = None,
        block: float = 1.0,
    ) -> None:
        """Take the parts; a read that finds nothing blocks for `block` seconds, less than the client's time-out."""
        self.layout: StreamLayout = StreamLayout() if layout is None else layout
        self._codec: Codec = JSONCodec() if codec is None else codec
        self._connection = Connection(client=client, clock=MonotonicClock() if clock is None else clock)
        self._block = block

    async def read(self, *, start: Mapping[int, str] | None = None, count: int = 500) -> AsyncIterator[Output]:
        """Yield what is sent, for ever: in order within a partition, and so within a scope.

        `start` gives the entry of each partition to begin behind; from the beginning where there is none. Nothing is
        acknowledged: keep the last `entry` of each partition to go on from there later.
        """
        keys = {self.layout.keys(partition).output: partition for partition in range(self.layout.partitions)}
        behind = {key: (start or {}).get(partition, "0-0") for key, partition in keys.items()}
        while True:
            reply = await self._connection.command(
                "XREAD", "COUNT", count, "BLOCK", int(self._block * 1000), "STREAMS", *behind, *behind.values()
            )
            for key, entry, fields in _entries(reply):
                behind[key] = entry
                yield Output(
                    scope_id=as_text(fields["id"]),
                    message=self._codec.decode(_as_bytes(fields["message"])),
                    partition=keys[key],
                    token=int(fields["token"]),
                    entry=entry,
                )


def _entries(reply: Any) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Go through a reply to XREAD, in each of the forms that redis-py gives it.

    Streams are a list of pairs or a dict; the entries of one are a list, or a list in a list; fields are
    a dict or a flat list.
    """
    streams = cast("Any", reply).items() if isinstance(reply, dict) else reply or ()
    for key, found in streams:
        entries: Any = (
            found[0] if found and isinstance(found[0], list) and isinstance(found[0][0], list | tuple) else found
        )
        for entry, fields in entries:
            pairs = (
                cast("Any", fields).items() if isinstance(fields, dict) else zip(fields[::2], fields[1::2], strict=True)
            )
            yield as_text(key), as_text(entry), {as_text(name): value for name, value in pairs}


def _as_bytes(value: bytes | str) -> bytes:
    return value if isinstance(value, bytes) else value.encode()
