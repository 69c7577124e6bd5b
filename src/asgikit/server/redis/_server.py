"""A StatelessServer whose stream lies in Redis and is shared by any number of processes and machines."""

import asyncio
import os
import secrets
import socket
from asyncio import Task, get_running_loop
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from functools import partial
from typing import Any, TypedDict, final

from typing_extensions import Unpack

from asgikit.errors import FencedError, PartitionCountError
from asgikit.protocols import ApplicationLike, Clock, DoubleCallable, InstanceStore
from asgikit.server._failure import FailureHook, logger
from asgikit.server._named import create_named_task
from asgikit.server._server import StatelessServer
from asgikit.server._waiting import wait_all
from asgikit.server.redis._codec import Codec, JSONCodec
from asgikit.server.redis._connection import Connection, RedisClient, as_text, end_task
from asgikit.server.redis._consumer import PartitionConsumer, ReadRules
from asgikit.server.redis._keeper import LeaseKeeper
from asgikit.server.redis._layout import StreamLayout
from asgikit.server.redis._writer import Lease

__all__ = ("RedisCounters", "RedisServer", "ServerOptions", "check_partitions")


class ServerOptions(TypedDict, total=False):
    """What `RedisServer` passes on to `StatelessServer` as it is."""

    queue_size: int
    idle_timeout: float | None
    drain_timeout: float
    grace_time: float
    clock: Clock | None
    store: Callable[[], InstanceStore[Hashable, Any]]
    on_failure: FailureHook
    double_callable: bool


@final
@dataclass(frozen=True, slots=True, kw_only=True)
class RedisCounters:
    """What one worker knows about its leases; a snapshot."""

    partitions: int
    """Partitions that it holds now."""
    taken: int
    """Leases taken so far."""
    lost: int
    """Leases that expired, or that Redis said were another's."""
    released: int
    """Leases handed over to workers that had too few."""
    refused: int
    """Acts that Redis refused because the lease was lost."""


class RedisServer(StatelessServer[dict[str, Any], Any, Any]):
    """Serves events from partition streams, each of them read by one worker at a time, under a lease.

    An event is acknowledged when its application came back for the next one or returned. Until then it is
    pending, and whoever holds the partition next gets it again: every event is handled at least once, in order
    within its scope. An event over which applications failed `max_deliveries` times goes to the stream of the dead.
    What applications send goes to the output stream of the partition. Every read, output and acknowledgement looks at
    the lease in the same step inside Redis, so a worker that slept through its lease does nothing.

    Events of a scope that somebody discards stay pending until their partition changes hands.

    The application finds its lease in `scope["extensions"]["asgikit.redis"]`: `id`, `partition` and `token`. A
    token never shrinks; a database that remembers the largest one it has seen can fence the application's own acts.
    """

    def __init__(
        self,
        application: ApplicationLike[dict[str, Any], Any, Any] | DoubleCallable[dict[str, Any], Any, Any],
        max_applications: int = 1000,
        *,
        client: RedisClient,
        layout: StreamLayout | None = None,
        codec: Codec | None = None,
        worker_id: str | None = None,
        lease_time: float = 10.0,
        prefetch: int = 200,
        block: float = 1.0,
        trim_every: int = 1000,
        output_limit: int | None = None,
        max_deliveries: int = 3,
        **options: Unpack[ServerOptions],
    ) -> None:
        """Take the parts; nothing is sent to Redis before the server is entered.

        The client is borrowed: its owner closes it. A worker that is not heard of for `lease_time` seconds loses
        its partitions to others. `prefetch` events of each partition may be with applications at a time; a read that
        finds nothing blocks for `block` seconds (less than the client's time-out). After `trim_every` events the
        streams are trimmed; `output_limit` entries of output are kept at most, None: all that have not been
        acknowledged by every consumer group on them. The rest is `StatelessServer`'s.

        Raises:
            MissingExtraError: redis-py is not installed.
            ValueError: a number makes no sense.
        """
        super().__init__(application, max_applications, max_deliveries=max_deliveries, queue_policy="wait", **options)
        self.layout: StreamLayout = StreamLayout() if layout is None else layout
        self.worker_id: str = worker_id or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._codec: Codec = JSONCodec() if codec is None else codec
        self._connection = Connection(client=client, clock=self.clock)
        self._lease_time = lease_time
        self._read_rules = ReadRules(prefetch=prefetch, block=block, trim=trim_every, output_limit=output_limit)
        self._keeper = self._new_keeper()
        self._consumers: dict[int, PartitionConsumer] = {}
        self._chores: set[Task[None]] = set()
        self._taken = self._lost = self._released = self._refused = 0

    @property
    def redis_counters(self) -> RedisCounters:
        """What this worker knows about its leases; readable at any time."""
        return RedisCounters(
            partitions=len(self._consumers),
            taken=self._taken,
            lost=self._lost,
            released=self._released,
            refused=self._refused,
        )

    @property
    def tokens(self) -> dict[int, int]:
        """The partitions held now, with the fencing token of each."""
        return {partition: consumer.lease.token for partition, consumer in self._consumers.items()}

    # What StatelessServer asks for

    async def startup(self) -> None:
        """Check the layout against Redis and begin to take partitions.

        Raises:
            PartitionCountError: the streams were made with another number of partitions.
        """
        await check_partitions(self._connection, self.layout)
        self._keeper = self._new_keeper()
        self._keeper.start()

    async def handle(self) -> None:
        """Serve until cancelled; then take nothing more, while what was taken is handled."""
        try:
            await get_running_loop().create_future()
        finally:
            self._keeper.take_no_more()
            await asyncio.gather(*(consumer.stop_reading() for consumer in self._consumers.values()))

    async def application_send(self, scope: dict[str, Any], message: Any, /) -> None:
        """Add the message to the output stream of the scope's partition; returns when Redis has it.

        Raises:
            FencedError: the lease under which this instance was started is lost.
        """
        about = scope["extensions"]["asgikit.redis"]
        consumer = self._consumers.get(about["partition"])
        if consumer is None or consumer.lease.token != about["token"]:
            raise FencedError(
                f"The instance for scope {about['id']!r} was started under token {about['token']} of partition"
                f" {about['partition']}, and that lease is lost: nothing was sent"
            )
        await consumer.writer.send(("id", about["id"], "message", self._codec.encode(message), "token", about["token"]))

    async def cleanup(self) -> None:
        """Send the last acknowledgements, give the leases back and leave; at most for the grace time."""
        leaving = get_running_loop().create_task(self._leave())
        if not await wait_all([leaving], seconds=max(self._rules.grace_time, 1.0), clock=self.clock):
            logger.warning("Redis does not answer at the stop; the leases of %s expire by themselves", self.worker_id)
            await end_task(leaving)
        elif leaving.exception() is not None:
            logger.error("Leaving Redis failed; the leases of %s expire", self.worker_id, exc_info=leaving.exception())
        await self._keeper.end()
        for task in self._chores:
            task.cancel()
        if self._chores:
            await asyncio.wait(self._chores)
        for consumer in self._consumers.values():
            await consumer.close()
        self._consumers.clear()

    # Leases that come and go

    def _new_keeper(self) -> LeaseKeeper:
        return LeaseKeeper(
            worker=self.worker_id,
            layout=self.layout,
            connection=self._connection,
            clock=self.clock,
            lease_time=self._lease_time,
            on_taken=self._begin,
            on_lost=self._lose,
            on_release=self._hand_over,
        )

    def _begin(self, lease: Lease) -> None:
        self._taken += 1
        consumer = self._consumers[lease.partition] = PartitionConsumer(
            lease=lease,
            layout=self.layout,
            connection=self._connection,
            clock=self.clock,
            codec=self._codec,
            rules=self._read_rules,
            deliver=self.deliver,
            on_fenced=self._fenced,
        )
        consumer.start()

    def _fenced(self, consumer: PartitionConsumer, refused: int) -> None:
        self._refused += refused
        self._keeper.drop(consumer.lease)
        self._lose(consumer.lease)

    def _lose(self, lease: Lease) -> None:
        consumer = self._consumers.get(lease.partition)
        if consumer is None or consumer.lease != lease:
            return
        logger.warning("Worker %s lost partition %d (token %d)", self.worker_id, lease.partition, lease.token)
        self._lost += 1
        del self._consumers[lease.partition]
        consumer.lose()
        self._do(lease.partition, self._clear_away(consumer))

    def _hand_over(self, lease: Lease) -> None:
        self._do(lease.partition, self._release(self._consumers[lease.partition]))

    async def _clear_away(self, consumer: PartitionConsumer) -> None:
        """End what runs for a lost partition, before this worker may take it again."""
        await consumer.close()
        await self._end_scopes(consumer.lease.partition)

    async def _release(self, consumer: PartitionConsumer) -> None:
        await consumer.stop_reading()
        await consumer.drain(seconds=self._drain_timeout)
        if consumer.lost:
            return
        await self._end_scopes(consumer.lease.partition)
        await self._give_back(consumer)
        self._released += 1

    async def _leave(self) -> None:
        for consumer in list(self._consumers.values()):
            await self._give_back(consumer)
        await self._keeper.close()

    async def _give_back(self, consumer: PartitionConsumer) -> None:
        await consumer.writer.flush()
        await self._keeper.let_go(consumer.lease)
        if self._consumers.get(consumer.lease.partition) is consumer:
            del self._consumers[consumer.lease.partition]
        await consumer.close()

    async def _end_scopes(self, partition: int) -> None:
        mine = [
            scope_id
            for scope_id in self.scope_ids()
            if isinstance(scope_id, str) and self.layout.partition_of(scope_id) == partition
        ]
        await self.discard(*mine)

    def _do(self, partition: int, chore: Coroutine[Any, Any, None]) -> None:
        """Run a chore of a partition beside everything else; the partition is not taken meanwhile."""
        self._keeper.block(partition)
        task = create_named_task(get_running_loop(), chore, f"asgikit-redis-chore-{partition}")
        self._chores.add(task)
        task.add_done_callback(partial(self._done, partition))

    def _done(self, partition: int, task: "Task[None]") -> None:
        self._chores.discard(task)
        self._keeper.unblock(partition)
        if not task.cancelled() and task.exception() is not None:
            logger.error("Clearing up after partition %d failed", partition, exc_info=task.exception())


async def check_partitions(connection: Connection, layout: StreamLayout) -> None:
    """Note the number of partitions in Redis, or compare it with the one noted.

    Raises:
        PartitionCountError: they differ.
    """
    await connection.command("SET", layout.count_key, layout.partitions, "NX")
    noted = int(as_text(await connection.command("GET", layout.count_key)))
    if noted != layout.partitions:
        raise PartitionCountError(
            f"The streams {layout.prefix!r} were made with {noted} partitions, this layout says {layout.partitions}:"
            " use the same number everywhere, or another prefix"
        )
