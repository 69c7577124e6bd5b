"""`python -m tests.bench`: every row as a table, and whether the bars are met; with `scaling`: how cost grows."""

import argparse
import importlib
import json
import os
import pkgutil
import platform
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests import bench
from tests.bench.measure import Measured, measure
from tests.bench.shape import OURS, Bar, Row
from tests.bench.table import duration, show
from tests.support.interpreter import hear_interrupts


def main() -> int:
    """Measure what was asked for; 0 if every bar was met, 1 if one was missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Measure asgikit against others.")
    parser.add_argument("what", nargs="?", choices=("rows", "scaling"), default="rows")
    parser.add_argument("--row", action="append", metavar="NAME", help="only this row or table (may be repeated)")
    parser.add_argument("--list", action="store_true", help="name the rows and measure nothing")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers to a file, too")
    parser.add_argument("--seconds", type=float, default=4.0, help="time for each row (default: %(default)s)")
    parser.add_argument(
        "--one-processor",
        action="store_true",
        help="keep all threads on one processor: only instructions count then, not where the kernel puts threads",
    )
    options = parser.parse_args()
    if options.one_processor:
        if not hasattr(os, "sched_setaffinity"):
            parser.error("this system has no way to keep a process on one processor")
        os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    hear_interrupts()  # what asyncio.run does for Ctrl-C is part of what it costs
    if options.what == "scaling":
        from tests.bench.scaling import run_tables

        outcome, reached = run_tables(options.row, options.seconds)
    else:
        rows = chosen(all_rows(), options.row)
        if options.list:
            print("\n".join(f"{row.name:24} {row.job}" for row in rows))
            return 0
        outcome, reached = run_rows(rows, options.seconds)
    if options.json:
        options.json.write_text(json.dumps({"where": where(), options.what: outcome}, indent=2) + "\n")
    return 0 if reached else 1


def all_rows() -> list[Row]:
    """Collect the rows of every file `rows_*.py` beside this, the bridge's first."""
    names = sorted(module.name for module in pkgutil.iter_modules(bench.__path__) if module.name.startswith("rows_"))
    return [row for name in names for row in importlib.import_module(f"tests.bench.{name}").ROWS]


def chosen(rows: Sequence[Row], names: Sequence[str] | None) -> list[Row]:
    """Return the rows that were named, or all. A name of no row is that of a group: `local` names `local-read`, ..."""
    if not names:
        return list(rows)
    found = {name: _named(rows, name) for name in names}
    unknown = [name for name, group in found.items() if not group]
    if unknown:
        raise SystemExit(f"no row is named {', '.join(unknown)}; there are: {', '.join(row.name for row in rows)}")
    return [row for group in found.values() for row in group]


def _named(rows: Sequence[Row], name: str) -> list[Row]:
    exactly = [row for row in rows if row.name == name]
    return exactly or [row for row in rows if row.name.startswith(f"{name}-")]


def run_rows(rows: Sequence[Row], seconds: float) -> tuple[list[dict[str, Any]], bool]:
    """Measure the rows and print them; say whether every bar was met."""
    results: list[Measured] = []
    for row in rows:
        print(f"\r\033[K{row.name} ..." if sys.stdout.isatty() else "", end="", flush=True)
        results.append(measure(row, seconds))
    print("\r\033[K" if sys.stdout.isatty() else "", end="")
    title = f"What one job costs; after x, our time as a part of theirs ({where()})"
    show(title, ("row", OURS, "asgiref", "floor", "bars", "others"), [line(result) for result in results])
    return [result.as_json() for result in results], all(result.reached for result in results)


def line(result: Measured) -> list[str]:
    """Show one row: every entrant's time, our part of it, and the bars."""

    def time_of(name: str) -> str:
        seconds = result.median(name)
        return f"{1 / seconds:.0f}/s" if result.row.unit == "rate" else duration(seconds)

    def beside(name: str) -> str:
        return f"{time_of(name)} x{result.ratio(name):.2f}" if name in result.times else ""

    others = [f"{name} {beside(name)}" for name in result.times if name not in {OURS, "asgiref", "floor"}]
    others += [f"{name} missing" for name in result.missing]
    return [result.row.name, time_of(OURS), beside("asgiref"), beside("floor"), bars_of(result), ", ".join(others)]


def bars_of(result: Measured) -> str:
    """Say `ok`, or which bars were missed, and where the floor itself would miss one on this machine."""
    missed = [_missed(result, verdict.bar) for verdict in result.verdicts if not verdict.reached]
    return f"MISSED {', '.join(missed)}" if missed else "ok" if result.row.bars else ""


def _missed(result: Measured, bar: Bar) -> str:
    said = f"x{bar.ratio:.2f} {bar.rival}"
    if bar.rival != "floor" and {"floor", bar.rival} <= result.times.keys():
        floor = result.ratio(bar.rival, ours="floor")
        if floor > bar.ratio:
            said += f" (floor x{floor:.2f})"
    return said


def where() -> str:
    """Say what this was measured on."""
    build = "" if getattr(sys, "_is_gil_enabled", lambda: True)() else " free-threaded"
    processors = f"{used} of {os.cpu_count()}" if (used := _processors()) != os.cpu_count() else f"{used}"
    return f"Python {platform.python_version()}{build}, {platform.system()}, {processors} processors"


def _processors() -> int | None:
    """How many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


if __name__ == "__main__":
    sys.exit(main())
