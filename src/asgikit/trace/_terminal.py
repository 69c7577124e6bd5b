"""A time line for the terminal, drawn by rich."""

import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from asgikit.errors import MissingExtraError
from asgikit.trace._lanes import Lane, end_of, lay_out
from asgikit.trace._trace import Span

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

__all__ = ("draw",)

_LONGEST: Final = 12


def draw(spans: Sequence[Span], *, console: "Console | None" = None) -> None:
    """Print one row for each lane, the slowest functions, and what the colours mean.

    Raises:
        MissingExtraError: rich is not installed.
    """
    try:
        from rich.console import Console  # noqa: PLC0415 - an extra
        from rich.table import Table  # noqa: PLC0415
    except ImportError as missing:
        message = "drawing a trace in the terminal needs rich: pip install rich"
        raise MissingExtraError(message) from missing
    console = console or Console(file=sys.stdout)
    if not spans:
        console.print("no crossings were recorded")
        return
    end, lanes = end_of(spans), lay_out(spans)
    label = max(len(lane.thread) for lane in lanes) if lanes else 0
    width = max(20, console.width - label - 5)
    table = Table(title=f"{len(spans)} crossings in {_duration(end)}", box=None, pad_edge=False, title_justify="left")
    table.add_column("thread", no_wrap=True)
    table.add_column(f"0 … {_duration(end)}", no_wrap=True)
    for lane in lanes:
        table.add_row(lane.thread, _bar(lane, end, width))
    console.print(table)
    console.print("[green]█[/] function on a thread   [blue]█[/] coroutine on a loop   [red]█[/] raised   ░ queued")
    console.print(_slowest(spans))


def _bar(lane: Lane, end: float, width: int) -> "Text":
    """Draw one lane: every character is a slice of time, in the colour of what ran in it."""
    from rich.text import Text  # noqa: PLC0415

    cells: list[tuple[str, str]] = [(" ", "")] * width

    def fill(start: float, stop: float, mark: str, style: str) -> None:
        first = min(width - 1, int(start / end * width))
        last = min(width, max(first + 1, round(stop / end * width)))
        for cell in range(first, last):
            if mark != "░" or cells[cell][0] == " ":
                cells[cell] = (mark, style)

    for span in lane.spans:
        started = span.started or 0.0
        fill(span.queued, started, "░", "dim")
    for span in lane.spans:
        started = span.started or 0.0
        fill(started, end if span.finished is None else span.finished, "█", _colour(span))
    text = Text()
    for mark, style in cells:
        text.append(mark, style=style)
    return text


def _colour(span: Span) -> str:
    if span.error:
        return "red"
    return "green" if span.direction == "sync_to_async" else "blue"


def _slowest(spans: Sequence[Span]) -> "str":
    """Name the functions by the time that they ran for, longest first."""
    totals: dict[str, tuple[int, float]] = {}
    for span in spans:
        if span.started is not None and span.finished is not None:
            calls, seconds = totals.get(span.name, (0, 0.0))
            totals[span.name] = (calls + 1, seconds + span.finished - span.started)
    longest = sorted(totals.items(), key=lambda item: -item[1][1])[:_LONGEST]
    return "\n".join(f"{_duration(seconds):>9} in {calls:4} x {name}" for name, (calls, seconds) in longest)


def _duration(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds * 1e6:.0f} us"
