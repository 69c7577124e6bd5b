"""The leases of one worker: beats, takes, prolongs, notices what is lost."""

from asyncio import Future, Task, get_running_loop
from collections.abc import Callable
from functools import partial

from asgikit.protocols import Cancellable, Clock
from asgikit.server._failure import logger
from asgikit.server._named import create_named_task
from asgikit.server._waiting import resolve
from asgikit.server.redis._connection import Argument, Connection, as_text, end_task
from asgikit.server.redis._layout import StreamLayout
from asgikit.server.redis._plan import make_plan
from asgikit.server.redis._scripts import RELEASE, TAKE, TICK
from asgikit.server.redis._writer import Lease

__all__ = ("LeaseKeeper",)


class LeaseKeeper:
    """Keeps a fair share of the partitions for one worker. Belongs to the loop's thread.

    A lease counts as lost when Redis says so, and also when it could not be prolonged for its whole time
    by the local clock: a worker that cannot ask does not act.
    """

    def __init__(
        self,
        *,
        worker: str,
        layout: StreamLayout,
        connection: Connection,
        clock: Clock,
        lease_time: float,
        on_taken: Callable[[Lease], object],
        on_lost: Callable[[Lease], object],
        on_release: Callable[[Lease], object],
    ) -> None:
        """Start nothing. The callbacks run on the loop; `on_release` asks for a hand-over, ended by `let_go`."""
        self._worker = worker
        self._layout = layout
        self._connection = connection
        self._clock = clock
        self._lease_time = lease_time
        self._on_taken = on_taken
        self._on_lost = on_lost
        self._on_release = on_release
        self._leases: dict[int, Lease] = {}
        self._busy: set[int] = set()
        self._taking = True
        self._releasing = False
        self._task: Task[None] | None = None
        self._expiry: Cancellable | None = None
        self._resting: Future[None] | None = None

    def start(self) -> None:
        """Begin to beat."""
        self._task = create_named_task(get_running_loop(), self._run(), f"asgikit-redis-keeper-{self._worker}")

    def take_no_more(self) -> None:
        """Keep what is held, and take nothing new."""
        self._taking = False

    def block(self, partition: int) -> None:
        """Do not take this partition again until `unblock`: what the last lease left is still being cleaned up."""
        self._busy.add(partition)

    def unblock(self, partition: int) -> None:
        """Allow the partition to be taken again."""
        self._busy.discard(partition)
        if self._resting is not None:
            resolve(self._resting)

    def drop(self, lease: Lease) -> None:
        """Forget a lease that is lost."""
        if self._leases.get(lease.partition) == lease:
            del self._leases[lease.partition]

    async def let_go(self, lease: Lease) -> None:
        """Give a lease back, so that another worker can take the partition at once."""
        self.drop(lease)
        self._releasing = False
        key = self._layout.keys(lease.partition).lease
        await self._connection.script(RELEASE, (self._layout.workers_key, key), (self._worker, lease.value))

    async def end(self) -> None:
        """Stop beating, without a word to Redis: leases that were not let go expire by themselves."""
        if self._task is not None:
            await end_task(self._task)
        if self._expiry is not None:
            self._expiry.cancel()

    async def close(self) -> None:
        """Stop beating, and leave the set of workers."""
        await self.end()
        keys = (self._layout.workers_key, self._layout.workers_key)
        await self._connection.script(RELEASE, keys, (self._worker, ""))

    async def _run(self) -> None:
        while True:
            try:
                await self._beat()
            except Exception:
                logger.exception("A beat of worker %s failed; the next one comes", self._worker)
            await self._rest(self._lease_time / 3)

    async def _beat(self) -> None:
        believed = dict(self._leases)
        partitions = range(self._layout.partitions)
        asked_at = self._clock.now()
        values_believed = (believed[partition].value if partition in believed else "" for partition in partitions)
        arguments: list[Argument] = [self._worker, self._milliseconds, *values_believed]
        workers, values = await self._connection.script(
            TICK,
            (self._layout.workers_key, *(self._layout.keys(partition).lease for partition in partitions)),
            arguments,
        )
        held = [as_text(value) for value in values]
        for partition, lease in believed.items():
            if held[partition] != lease.value and self._leases.get(partition) == lease:
                self._lose(lease)
        self._watch_expiry(asked_at + self._lease_time)
        holders = {partition: self._holder(partition, held[partition]) for partition in partitions}
        await self._follow_plan({as_text(worker) for worker in workers}, holders)

    def _holder(self, partition: int, value: str) -> str | None:
        """Return who holds the partition. Its own lease of which a worker does not know is as good as free."""
        holder = value.partition(":")[2] or None
        unknown = holder == self._worker and partition not in self._leases and partition not in self._busy
        return None if unknown else holder

    async def _follow_plan(self, workers: set[str], holders: dict[int, str | None]) -> None:
        plan = make_plan(me=self._worker, workers=workers, holders=holders)
        for partition in plan.take:
            if self._taking and partition not in self._busy:
                await self._take(partition)
        if plan.release in self._leases and self._taking and not self._releasing:
            self._releasing = True
            self._on_release(self._leases[plan.release])

    async def _take(self, partition: int) -> None:
        keys = self._layout.keys(partition)
        token = await self._connection.script(
            TAKE,
            (keys.lease, keys.fence, keys.events, keys.output, keys.history),
            (self._worker, self._milliseconds, self._layout.group),
        )
        if token:
            lease = self._leases[partition] = Lease(partition, int(token), self._worker)
            self._on_taken(lease)

    @property
    def _milliseconds(self) -> int:
        return int(self._lease_time * 1000)

    # Losing

    def _lose(self, lease: Lease) -> None:
        self.drop(lease)
        self._releasing = False
        self._on_lost(lease)

    def _watch_expiry(self, until: float) -> None:
        if self._expiry is not None:
            self._expiry.cancel()
        delay = max(0.0, until - self._clock.now())
        self._expiry = self._clock.call_later(get_running_loop(), delay, self._expired)

    def _expired(self) -> None:
        self._expiry = None
        for lease in list(self._leases.values()):
            self._lose(lease)

    async def _rest(self, seconds: float) -> None:
        loop = get_running_loop()
        self._resting = over = loop.create_future()
        timer = self._clock.call_later(loop, seconds, partial(resolve, over))
        try:
            await over
        finally:
            self._resting = None
            timer.cancel()
