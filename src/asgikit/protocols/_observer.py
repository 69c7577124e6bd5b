"""Being told of every crossing, for tracing and metrics."""

from dataclasses import dataclass
from typing import Literal, Protocol, final

__all__ = ("Crossing", "Observer")


@final
@dataclass(slots=True, eq=False)
class Crossing:
    """One crossing, as observers see it; filled in as it goes on. Times are seconds of the bridge's clock.

    Attributes:
        name: the function that is called, such as `shop.views.checkout`.
        direction: `sync_to_async` runs a function on a thread, `async_to_sync` a coroutine on a loop.
        parent: the crossing from inside which this one was made, or None.
        caller: the name of the thread that asked.
        queued_at: when it was asked for.
        thread: the name of the thread that runs it; None until it has started.
        started_at: when it started there; None until then.
        finished_at: when it ended; None until then.
        error: what it raised, for as long as `finished` runs; None otherwise.
    """

    name: str
    direction: Literal["sync_to_async", "async_to_sync"]
    parent: "Crossing | None"
    caller: str
    queued_at: float
    thread: str | None = None
    started_at: float | None = None
    finished_at: float | None = None
    error: BaseException | None = None

    @property
    def queue_time(self) -> float | None:
        """Seconds between being asked for and starting; None until it has started."""
        return None if self.started_at is None else self.started_at - self.queued_at

    @property
    def run_time(self) -> float | None:
        """Seconds between starting and ending; None until it has ended."""
        if self.started_at is None or self.finished_at is None:
            return None
        return self.finished_at - self.started_at


class Observer(Protocol):
    """Is told of crossings. Methods must be quick; what they raise is logged and changes nothing."""

    def queued(self, crossing: Crossing, /) -> None:
        """A crossing was asked for. Runs on the caller's thread, before anything is posted."""

    def started(self, crossing: Crossing, /) -> None:
        """It starts. Runs on the thread, and in the context, that the call itself runs in."""

    def finished(self, crossing: Crossing, /) -> None:
        """It has ended, `crossing.error` saying how. Runs where `started` ran."""

    def abandoned(self, crossing: Crossing, /) -> None:
        """Its caller waits no more, though it goes on. Runs on the caller's thread."""

    def stalled(self, crossing: Crossing, report: str, /) -> None:
        """It has waited long for a busy thread; `report` names both calls. Runs on the caller's thread."""
