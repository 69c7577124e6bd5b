"""The tables: where everything ran, what it cost, and what memory it took."""

from legacy import Job
from load import Result
from record import Kind, Tally
from rich.console import Console
from rich.table import Table
from rich.text import Text

BAR = 15


def show(console: Console, ours: Result, theirs: Result) -> None:
    console.print(_places(ours), "", _side_by_side(ours, theirs), "", sep="\n")
    for result in (ours, theirs):
        console.print(_summary(result))


def show_legacy(console: Console, jobs: list[Job]) -> None:
    """Show what went through the Flask application, and that its memory did not grow with it."""
    table = _table("A Flask application behind WsgiToAsgi (python -m asgikit serve)")
    table.add_column("job", no_wrap=True)
    table.add_column("what came of it", no_wrap=True)
    table.add_column("time", justify="right", style="green", no_wrap=True)
    table.add_column("peak memory", justify="right", style="cyan", no_wrap=True)
    for job in jobs:
        table.add_row(job.name, job.outcome, f"{job.seconds:.2f} s", f"{job.memory / 1e6:.0f} MB")
    console.print("", table, sep="\n")


def _table(title: str) -> Table:
    look = Table(title=title, box=None, padding=(0, 1, 0, 0), pad_edge=False)
    look.title_style, look.title_justify, look.header_style = "bold", "left", "underline"
    return look


def _places(result: Result) -> Table:
    table = _table(f"Where every crossing ran ({result.kit})")
    table.add_column("crossing", no_wrap=True)
    table.add_column("ran on thread", style="cyan", no_wrap=True)
    table.add_column("on loop", style="magenta", no_wrap=True)
    table.add_column("calls", justify="right", no_wrap=True)
    table.add_column("median", justify="right", style="green", no_wrap=True)
    for kind in Kind:
        tally = result.record.tallies[kind]
        table.add_row(kind, _some(tally.threads), _some(tally.loops) or "-", str(len(tally.seconds)), _time(tally))
    return table


def _side_by_side(ours: Result, theirs: Result) -> Table:
    table = _table("The same load on both: median time of a call, and threads used")
    table.add_column("crossing", no_wrap=True)
    for result in (ours, theirs):
        table.add_column(result.kit.split()[0], justify="right", no_wrap=True)
        table.add_column("on", justify="right", style="cyan", no_wrap=True)
    table.add_column(Text.assemble(("█ ours ", "green"), ("░ theirs", "red")), no_wrap=True)
    for kind in Kind:
        mine, other = ours.record.tallies[kind], theirs.record.tallies[kind]
        table.add_row(kind, _time(mine), _count(mine), _time(other), _count(other), _bars(mine, other))
    return table


def _summary(result: Result) -> Text:
    text = Text.assemble(
        (result.kit, "bold"),
        f": {result.answered} of {result.requests} requests answered in {result.seconds:.1f} s; ",
        f"{result.announced_orders} orders announced",
    )
    for kind, tally in result.record.tallies.items():
        if tally.error:
            text.append(f"\n  {kind.strip()}: {tally.error}", "red")
    return text


def _time(tally: Tally) -> Text:
    return Text(f"{tally.median * 1000:.2f} ms") if tally.seconds else Text("not possible", "red")


def _count(tally: Tally) -> str:
    return str(len(tally.threads) or "")


def _bars(ours: Tally, theirs: Tally) -> Text:
    """Return one bar in two parts: as far as the quicker came, and what the slower needed beyond that."""
    if not (ours.seconds and theirs.seconds):
        return Text()
    mine, other = (tally.median / max(ours.median, theirs.median) * BAR for tally in (ours, theirs))
    both, slower = round(min(mine, other)), "red" if other > mine else "green"
    return Text.assemble(("█" * both, "green"), (("░" if other > mine else "█") * (BAR - both), slower))


def _some(names: set[str]) -> str:
    """Name one and count the rest."""
    ordered = sorted(names, key=lambda name: (len(name), name))
    return " +".join([*ordered[:1], *([str(len(ordered) - 1)] if len(ordered) > 1 else [])])
