"""A time line for the terminal, drawn by rich."""

import io
import re
import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Final

from asgikit.errors import MissingExtraError
from asgikit.trace._lanes import Lane, end_of, lay_out
from asgikit.trace._span import Span

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.text import Text

__all__ = ("as_svg", "draw")

_KEY: Final = (
    ("█", "green", "function on a thread"),
    ("█", "blue", "coroutine on a loop"),
    ("█", "red", "raised"),
    ("█", "yellow", "abandoned"),
    ("░", "dim", "queued"),
)
_LONGEST: Final = 12
_LEAST: Final = 20  # characters of time, in the narrowest terminal
_MARGIN: Final = 2


def draw(spans: Sequence[Span], *, console: "Console | None" = None) -> None:
    """Print one row for each lane, what the colours mean, and the functions that ran longest.

    Raises:
        MissingExtraError: rich is not installed.
    """
    console = console or _console_type()(file=sys.stdout)
    if not spans:
        console.print("no crossings were recorded")
        return
    for part in _picture(spans, console.width):
        console.print(part)


def as_svg(spans: Sequence[Span]) -> str:
    """Return what `draw` prints as an image.

    Raises:
        MissingExtraError: rich is not installed.
    """
    console = _console_type()(file=io.StringIO(), record=True, width=110, force_terminal=True, legacy_windows=False)
    draw(spans, console=console)
    # rich names a font on a server; without it the browser takes a monospaced one of its own, and asks nobody
    return re.sub(r"@font-face \{.*?\}\s*", "", console.export_svg(title="asgikit trace"), flags=re.DOTALL)


def _console_type() -> "type[Console]":
    try:
        from rich.console import Console  # noqa: PLC0415 - an extra
    except ImportError as missing:
        message = "drawing a trace needs rich: pip install rich"
        raise MissingExtraError(message) from missing
    return Console


def _picture(spans: Sequence[Span], width: int) -> "Iterable[RenderableType]":
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    end, lanes = end_of(spans), lay_out(spans)
    label = max((len(lane.thread) for lane in lanes), default=0)
    room = max(_LEAST, width - label - _MARGIN)
    table = Table.grid(padding=(0, _MARGIN, 0, 0))
    table.add_column("thread", no_wrap=True)
    table.add_column("time", no_wrap=True)
    table.add_row(Text("thread", style="bold"), _axis(end, room))
    before = None
    for lane in lanes:
        table.add_row(Text("" if lane.thread == before else lane.thread), _bar(lane, end, room))
        before = lane.thread
    yield Text(f"{len(spans)} crossings in {duration(end)}", style="bold")
    yield Text()
    yield table
    yield Text()
    yield Text("   ").join(Text.assemble((mark, style), " ", words) for mark, style, words in _KEY)
    yield Text()
    yield _slowest(spans)


def _axis(end: float, width: int) -> "Text":
    from rich.text import Text  # noqa: PLC0415

    words = duration(end)
    return Text("0" + words.rjust(width - 1), style="dim")


def _bar(lane: Lane, end: float, width: int) -> "Text":
    """Draw one lane: every character is a slice of time, in the colour of what ran in it."""
    from rich.text import Text  # noqa: PLC0415

    cells: list[tuple[str, str]] = [(" ", "")] * width

    def fill(start: float, stop: float, mark: str, style: str) -> None:
        first = min(width - 1, int(start / end * width))
        last = min(width, max(first + 1, round(stop / end * width)))
        cells[first:last] = [(mark, style)] * (last - first)

    for span in lane.spans:  # what ran is drawn over what waited
        fill(span.queued, span.started or 0.0, "░", "dim")
    for span in lane.spans:
        fill(span.started or 0.0, end if span.finished is None else span.finished, "█", _style(span))
    return Text.assemble(*cells)


def _style(span: Span) -> str:
    if span.abandoned:
        return "yellow"
    if span.error:
        return "red"
    return "green" if span.direction == "sync_to_async" else "blue"


def _slowest(spans: Sequence[Span]) -> "Table":
    """Name the functions by the time that they ran for, longest first."""
    from rich.table import Table  # noqa: PLC0415

    totals: dict[str, tuple[int, float, float]] = {}
    for span in spans:
        if span.started is not None and span.finished is not None:
            calls, ran, waited = totals.get(span.name, (0, 0.0, 0.0))
            ran += span.finished - span.started
            totals[span.name] = (calls + 1, ran, waited + span.started - span.queued)
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("function", no_wrap=True, overflow="ellipsis")
    for title in ("calls", "ran", "queued"):
        table.add_column(title, justify="right", no_wrap=True)
    for name, (calls, ran, waited) in sorted(totals.items(), key=lambda item: -item[1][1])[:_LONGEST]:
        table.add_row(name, str(calls), duration(ran), duration(waited))
    return table


def duration(seconds: float) -> str:
    """Return a length of time in the unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds * 1e6:.0f} us"
