"""A time line for the terminal, drawn by rich."""

import io
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, final

from asgikit.errors import MissingExtraError
from asgikit.trace._lanes import Lane, end_of, lay_out
from asgikit.trace._span import Span

if TYPE_CHECKING:
    from rich.console import Console, RenderableType
    from rich.table import Table
    from rich.terminal_theme import TerminalTheme
    from rich.text import Text

__all__ = ("as_svg", "draw")


@final
@dataclass(frozen=True, slots=True)
class _Ink:
    """How one kind of time is drawn."""

    words: str
    style: str
    plain: str  # the mark where there are no colours to tell them apart

    def mark(self, *, plain: bool) -> str:
        return self.plain if plain or self is _QUEUED else "█"


_FUNCTION: Final = _Ink("function on a thread", "green", "█")
_COROUTINE: Final = _Ink("coroutine on a loop", "blue", "▄")
_RAISED: Final = _Ink("raised", "red", "!")
_ABANDONED: Final = _Ink("abandoned", "yellow", "~")
_QUEUED: Final = _Ink("queued", "dim", "░")
_KEY: Final = (_FUNCTION, _COROUTINE, _RAISED, _ABANDONED, _QUEUED)
_LONGEST: Final = 12
_LEAST: Final = 20  # characters of time, in the narrowest terminal
_MOST: Final = 40  # rows: what does not fit on a screen explains nothing
_MARGIN: Final = 2


def draw(spans: Sequence[Span], *, console: "Console | None" = None) -> None:
    """Print one row for each lane, what the colours mean, and the functions that ran longest.

    Raises:
        MissingExtraError: rich is not installed.
    """
    console = console or _console_type()(file=sys.stdout)
    if not spans:
        console.print("no crossings were recorded: none began through this bridge while it was watched", soft_wrap=True)
        return
    for part in _picture(spans, console.width, plain=console.color_system is None or console.no_color):
        console.print(part)


def as_svg(spans: Sequence[Span]) -> str:
    """Return what `draw` prints as an image.

    Raises:
        MissingExtraError: rich is not installed.
    """
    console = _console_type()(file=io.StringIO(), record=True, width=110, force_terminal=True, legacy_windows=False)
    draw(spans, console=console)
    image = console.export_svg(title="asgikit trace", theme=_theme())
    # rich names a font on a server; without it the browser takes a monospaced one of its own, and asks nobody
    return re.sub(r"@font-face \{.*?\}\s*", "", image, flags=re.DOTALL)


def _console_type() -> "type[Console]":
    try:
        from rich.console import Console  # noqa: PLC0415 - an extra
    except ImportError as missing:
        message = "drawing a trace needs rich: pip install rich"
        raise MissingExtraError(message) from missing
    return Console


def _theme() -> "TerminalTheme":
    """Return colours like those of the page: rich's own green and yellow can hardly be told apart."""
    from rich.terminal_theme import TerminalTheme  # noqa: PLC0415

    black, red, green, yellow, blue = (18, 22, 29), (226, 93, 82), (58, 166, 113), (240, 180, 41), (82, 140, 232)
    white = (230, 233, 239)
    return TerminalTheme(black, white, [black, red, green, yellow, blue, blue, blue, white])


def _picture(spans: Sequence[Span], width: int, *, plain: bool) -> "Iterable[RenderableType]":
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    end, lanes = end_of(spans), lay_out(spans)
    shown = _busiest(lanes, end)
    label = min(max((len(lane.thread) for lane in shown), default=len("thread")), width // 2)
    room = max(_LEAST, width - label - _MARGIN)
    table = Table.grid(padding=(0, _MARGIN, 0, 0))
    table.add_column("thread", no_wrap=True, width=label)
    table.add_column("time", no_wrap=True)
    table.add_row(Text("thread", style="bold"), _axis(end, room))
    before = None
    for lane in shown:
        table.add_row(Text("" if lane.thread == before else lane.thread), _bar(lane, end, room, plain=plain))
        before = lane.thread
    yield Text(f"{len(spans)} crossing{'' if len(spans) == 1 else 's'} in {duration(end)}", style="bold")
    yield Text()
    yield table
    if len(shown) < len(lanes):
        yield Text(
            f"… and {len(lanes) - len(shown)} rows that were less busy; saved as .html, all are there", style="dim"
        )
    yield Text()
    yield Text("  ").join(Text.assemble((ink.mark(plain=plain), ink.style), " ", ink.words) for ink in _KEY)
    yield Text()
    yield _slowest(spans)


def _busiest(lanes: Sequence[Lane], end: float) -> Sequence[Lane]:
    """Leave out, of too many lanes, those in which least time was spent."""
    if len(lanes) <= _MOST:
        return lanes

    def busy(number: int) -> float:
        return sum(
            (end if span.finished is None else span.finished) - (span.started or 0.0) for span in lanes[number].spans
        )

    kept = sorted(range(len(lanes)), key=busy, reverse=True)[:_MOST]
    return [lanes[number] for number in sorted(kept)]


def _axis(end: float, width: int) -> "Text":
    from rich.text import Text  # noqa: PLC0415

    words = duration(end)
    return Text("0" + words.rjust(width - 1), style="dim")


def _bar(lane: Lane, end: float, width: int, *, plain: bool) -> "Text":
    """Draw one lane: every character is a slice of time, in the colour of what ran in it."""
    from rich.text import Text  # noqa: PLC0415

    cells: list[tuple[str, str]] = [(" ", "")] * width

    def fill(start: float, stop: float, ink: _Ink) -> None:
        first = min(width - 1, int(start / end * width))
        last = min(width, max(first + 1, round(stop / end * width)))
        cells[first:last] = [(ink.mark(plain=plain), ink.style)] * (last - first)

    for span in lane.spans:  # what ran is drawn over what waited
        fill(span.queued, span.started or 0.0, _QUEUED)
    for span in lane.spans:
        fill(span.started or 0.0, end if span.finished is None else span.finished, _ink(span))
    return Text.assemble(*cells)


def _ink(span: Span) -> _Ink:
    if span.abandoned:
        return _ABANDONED
    if span.error:
        return _RAISED
    return _FUNCTION if span.direction == "sync_to_async" else _COROUTINE


def _slowest(spans: Sequence[Span]) -> "Table":
    """Name the functions by the time that they ran for, longest first."""
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

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
        table.add_row(Text(name), str(calls), duration(ran), duration(waited))
    return table


def duration(seconds: float) -> str:
    """Return a length of time in the unit that suits it."""
    for unit, size in (("s", 1.0), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds * 1e6:.0f} us"
