"""All that a worker does for one partition, collected while a round trip is under way and sent as one step."""

from asyncio import CancelledError, Event, Future, Task, get_running_loop
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from asgikit.errors import FencedError
from asgikit.server._failure import logger
from asgikit.server._named import create_named_task
from asgikit.server.redis._connection import Argument, Connection, end_task
from asgikit.server.redis._layout import PartitionKeys, StreamLayout
from asgikit.server.redis._scripts import ACT

__all__ = ("Lease", "PartitionWriter")


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to act for a partition, until it expires or is taken by a larger token."""

    partition: int
    token: int
    worker: str

    @property
    def value(self) -> str:
        """What Redis keeps under the lease's key."""
        return f"{self.token}:{self.worker}"


@dataclass(frozen=True, slots=True)
class _Act:
    args: Sequence[Argument]
    done: "Future[None] | None" = None


class PartitionWriter:
    """Sends output, acknowledgements and burials under one lease; refuses them all once it is lost.

    Belongs to the loop's thread. Acts are done in the order in which they were asked for.
    """

    def __init__(
        self,
        *,
        lease: Lease,
        layout: StreamLayout,
        connection: Connection,
        on_fenced: Callable[[int], object],
        batch: int = 200,
    ) -> None:
        """Start nothing. `on_fenced` is called once, with the number of acts that were refused, when Redis refuses."""
        self._lease = lease
        self._keys: PartitionKeys = layout.keys(lease.partition)
        self._group = layout.group
        self._connection = connection
        self._on_fenced = on_fenced
        self._batch = batch
        self._acts: deque[_Act] = deque()
        self._arrived = Event()
        self._flushed = Event()
        self._flushed.set()
        self._lost = False
        self._task: Task[None] | None = None

    def start(self) -> None:
        """Begin to send."""
        self._task = create_named_task(get_running_loop(), self._run(), f"asgikit-redis-writer-{self._lease.partition}")

    async def send(self, fields: Sequence[Argument]) -> None:
        """Add an entry to the output stream; returns when Redis has it.

        Raises:
            FencedError: the lease is lost, and nothing was sent.
        """
        done: Future[None] = get_running_loop().create_future()
        arguments: list[Argument] = ["send", len(fields), *fields]
        self._add(_Act(arguments, done))
        await done

    def acknowledge(self, entry: str) -> None:
        """Have the entry acknowledged; does nothing when the lease is lost."""
        self._add(_Act(("ack", entry)))

    def bury(self, entry: str, reason: str) -> None:
        """Have the entry copied to the stream of the dead and acknowledged; does nothing when the lease is lost."""
        self._add(_Act(("bury", entry, reason)))

    def lose(self) -> None:
        """Refuse everything from now on: the lease is lost."""
        self._lost = True
        acts = list(self._acts)
        self._acts.clear()
        self._flushed.set()
        for act in acts:
            self._refuse(act)

    async def flush(self) -> None:
        """Wait until all that was asked for is done or refused."""
        await self._flushed.wait()

    async def close(self) -> None:
        """End; what was not sent is refused."""
        self.lose()
        if self._task is not None:
            await end_task(self._task)

    def _add(self, act: _Act) -> None:
        if self._lost:
            self._refuse(act)
            return
        self._acts.append(act)
        self._flushed.clear()
        self._arrived.set()

    async def _run(self) -> None:
        try:
            await self._act_for_ever()
        except Exception:
            logger.exception("Writing for partition %d failed; it is given up", self._lease.partition)
            self.lose()
            self._on_fenced(0)

    async def _act_for_ever(self) -> None:
        while not self._lost:
            await self._arrived.wait()
            batch = [self._acts.popleft() for _ in range(min(len(self._acts), self._batch))]
            if batch:
                await self._act(batch)
            if not self._acts:
                self._arrived.clear()
                self._flushed.set()

    async def _act(self, batch: "list[_Act]") -> None:
        keys = self._keys
        args = [argument for act in batch for argument in act.args]
        try:
            done = await self._connection.script(
                ACT, (keys.lease, keys.events, keys.output, keys.dead), (self._lease.value, self._group, *args)
            )
        except (CancelledError, Exception) as error:
            for act in batch:
                self._refuse(act, error if isinstance(error, Exception) else None)
            raise
        if not done:
            refused = len(batch) + len(self._acts)
            for act in batch:
                self._refuse(act)
            self.lose()
            self._on_fenced(refused)
            return
        for act in batch:
            if act.done is not None and not act.done.done():
                act.done.set_result(None)

    def _refuse(self, act: _Act, cause: Exception | None = None) -> None:
        if act.done is None or act.done.done():
            return
        error = FencedError(
            f"Worker {self._lease.worker} does not hold the lease on partition {self._lease.partition} any more"
            f" (its token was {self._lease.token}), so nothing was sent; whoever holds it now gets the event again"
        )
        error.__cause__ = cause
        act.done.set_exception(error)
