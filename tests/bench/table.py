"""Tables: with rich where it is installed, in plain text where not (a free-threaded interpreter has no wheels)."""

from collections.abc import Sequence
from importlib.util import find_spec

__all__ = ("duration", "show")


def show(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Print a table; the first column and the last are words. Cells that begin with `MISSED` stand out."""
    if find_spec("rich") is None:
        _plainly(title, header, rows)
    else:
        _with_rich(title, header, rows)


def duration(seconds: float) -> str:
    """Return a time in the unit that fits."""
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}" if seconds / size < 1000 else f"{seconds / size:.0f} {unit}"
    return f"{seconds * 1e9:.0f} ns"


def _with_rich(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="underline")
    for number, name in enumerate(header):
        table.add_column(name, justify="left" if number == 0 or number == len(header) - 1 else "right")
    for row in rows:
        table.add_row(*(Text(cell, style=_style(cell)) for cell in row))
    console = Console()
    if not console.is_terminal:
        console.width = 200
    console.print(Text(title, style="bold"), table, "", sep="\n")


def _style(cell: str) -> str:
    return "bold red" if cell.startswith("MISSED") else "green" if cell.startswith("ok") else ""


def _plainly(title: str, header: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(header, *rows, strict=True)]
    print(title)
    for row in (header, *rows):
        cells = (
            cell.rjust(width) if number else cell.ljust(width)
            for number, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        print("  ".join(cells).rstrip())
    print()
