"""Put what `make bench ARGS='--json FILE'` wrote into the table of the README: `python -m tests.bench.readme FILE`."""

import json
import sys
from pathlib import Path
from typing import Any, Final

from tests.bench.shape import OURS
from tests.bench.table import duration

__all__ = ("ROWS", "table", "with_table")

README: Final = Path(__file__).parents[2] / "README.md"
BEGIN: Final = "<!-- bench: written by tests/bench/readme.py -->\n"
END: Final = "<!-- end of bench -->\n"

ROWS: Final = {  # the row, and what the README calls its job; the third, its best rival beside asgiref
    "one-caller-sensitive": ("`sync_to_async`, one caller", "run_in_executor"),
    "hundred-callers-free": ("the same, 100 callers, any thread", "to_thread"),
    "hosting": ("the same, back to the thread that waits", ""),
    "scope": ("a scope with a thread of its own, and one call", ""),
    "nested": ("`async_to_sync` inside `sync_to_async`", "run_coroutine_threadsafe"),
    "cold": ("`async_to_sync`, a fresh loop", "asyncio.run"),
    "cold-shared": ("the same, a shared loop", "run_coroutine_threadsafe"),
    "variables": ("`sync_to_async` with 1,000 context variables", ""),
    "iterate-async": ("one item of an iterator", "a crossing each"),
    "local-read": ("a `Local`, one attribute read", ""),
    "wsgi-hello-50": ("WSGI hello, 50 at once", "uvicorn"),
    "wsgi-upload": ("WSGI, 16 MiB received", "uvicorn"),
}


def table(outcome: dict[str, Any]) -> str:
    """Return the table, and what it was measured on. A row whose bar was missed says so."""
    found = {row["row"]: row for row in outcome["rows"]}
    lines = ["| one … | asgikit | asgiref | another | |", "|---|---|---|---|---|"]
    for name, (job, rival) in ROWS.items():
        row = found[name]
        other = _cell(row, rival)
        missed = "" if all(bar["ok"] for bar in row["bars"]) else "misses its bar"
        lines.append(f"| {job} | {duration(row['seconds'][OURS])} | {_cell(row, 'asgiref')} | {other} | {missed} |")
    return "\n".join(lines) + f"\n\nMeasured by `make bench` ({outcome['where']}).\n"


def _cell(row: dict[str, Any], rival: str) -> str:
    seconds = row["seconds"].get(rival)
    if seconds is None:
        return ""
    named = "" if rival == "asgiref" else f"{rival} "
    return f"{named}{duration(seconds)} (x{row['ratios'][rival]:.2f})"


def with_table(page: str, new: str) -> str:
    """Return `page` with the table between its marks replaced."""
    head, _, rest = page.partition(BEGIN)
    return f"{head}{BEGIN}\n{new}\n{END}{rest.partition(END)[2]}"


if __name__ == "__main__":
    numbers = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    README.write_text(with_table(README.read_text(encoding="utf-8"), table(numbers)), encoding="utf-8")
