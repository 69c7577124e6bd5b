"""Collecting crossings through the Observer, and what was collected."""

import threading
from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol, final

from asgikit.protocols import Crossing, Observer
from asgikit.trace._span import Span

__all__ = ("Trace", "check_format", "record")


class Observed(Protocol):
    """What can be recorded: a bridge, or a view on one."""

    def observe(self, observer: Observer, /) -> AbstractContextManager[object]:
        """Tell `observer` of every crossing in the block."""
        ...


@final
class Trace:
    """An observer that keeps what it is told (`asgikit.protocols.Observer`). Its methods may be called on any thread.

    Args:
        limit: how many crossings to keep; later ones are only counted, in `dropped`.
    """

    def __init__(self, *, limit: int = 100_000) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._numbers: dict[Crossing, int] = {}
        self._errors: dict[Crossing, str] = {}
        self._abandoned: set[Crossing] = set()
        self._reports: dict[Crossing, str] = {}
        self.dropped: int = 0

    def queued(self, crossing: Crossing, /) -> None:
        """Keep `crossing`, in its place in the order."""
        with self._lock:
            if len(self._numbers) < self._limit:
                self._numbers[crossing] = len(self._numbers)
            else:
                self.dropped += 1

    def started(self, crossing: Crossing, /) -> None:
        """Nothing to keep: the crossing knows when and where."""

    def finished(self, crossing: Crossing, /) -> None:
        """Keep what it raised: the type alone, so that no traceback is kept alive."""
        if crossing.error is not None:
            with self._lock:
                self._errors[crossing] = type(crossing.error).__qualname__

    def abandoned(self, crossing: Crossing, /) -> None:
        """Keep that its caller left."""
        with self._lock:
            self._abandoned.add(crossing)

    def stalled(self, crossing: Crossing, report: str, /) -> None:
        """Keep the report."""
        with self._lock:
            self._reports[crossing] = report

    @property
    def spans(self) -> tuple[Span, ...]:
        """What was recorded so far, in the order in which it was asked for."""
        with self._lock:
            return tuple(self._spans())

    def _spans(self) -> Iterator[Span]:
        if not self._numbers:
            return
        zero = next(iter(self._numbers)).queued_at
        for crossing, number in self._numbers.items():
            parent = crossing.parent
            yield Span(
                number,
                crossing.name,
                crossing.direction,
                None if parent is None else self._numbers.get(parent),
                crossing.caller,
                crossing.thread,
                crossing.queued_at - zero,
                None if crossing.started_at is None else crossing.started_at - zero,
                None if crossing.finished_at is None else crossing.finished_at - zero,
                self._errors.get(crossing),
                crossing in self._abandoned,
                self._reports.get(crossing),
            )

    def save(self, path: str | Path) -> None:
        """Write what was recorded to a file, by its ending.

        `.json` is the Chrome trace-event format, which Perfetto and chrome://tracing open; `.html` is one
        self-contained page that any browser opens without a network; `.svg` is what `show` draws, as an image.

        Raises:
            ValueError: the path ends in something else.
            MissingExtraError: an image is asked for, and rich is not installed.
        """
        path = Path(path)
        check_format(path)
        if path.suffix == ".json":
            from asgikit.trace._chrome import as_json as write  # noqa: PLC0415 - only what is asked for
        elif path.suffix == ".html":
            from asgikit.trace._page import as_page as write  # noqa: PLC0415
        else:
            from asgikit.trace._terminal import as_svg as write  # noqa: PLC0415
        path.write_text(write(self.spans), encoding="utf-8")

    def show(self) -> None:
        """Draw the threads and loops on a time line in the terminal.

        Raises:
            MissingExtraError: rich is not installed.
        """
        from asgikit.trace._terminal import draw  # noqa: PLC0415 - rich is an extra

        draw(self.spans)


def check_format(path: Path) -> None:
    """Say how a trace can be saved, if not so.

    Raises:
        ValueError: the path ends in something else.
    """
    if path.suffix not in {".json", ".html", ".svg"}:
        message = f"a trace is saved as .json, .html or .svg, not as {path.name!r}"
        raise ValueError(message)


@contextmanager
def record(bridge: Observed, *, limit: int = 100_000) -> Generator[Trace, None, None]:
    """Record every crossing of `bridge` that begins in the block, on whatever thread.

    Args:
        bridge: a bridge, or a view on one.
        limit: how many crossings to keep at most.
    """
    trace = Trace(limit=limit)
    with bridge.observe(trace):
        yield trace
