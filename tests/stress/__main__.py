"""`python -m tests.stress`: long runs that try to break the bridge; `--row NAME`: one, also of another room.

Every row of the bridge runs in a process of its own, so that a hang is seen whatever hangs, and ends with the
stacks of all threads. The exit status is 0 if nothing hung, was lost or leaked.
"""

import argparse
import faulthandler
import importlib
import json
import logging
import pkgutil
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path

from tests import stress
from tests.stress import rows_bridge
from tests.stress.tally import LIMIT, Hang, Tally
from tests.support.interpreter import gil_line
from tests.support.leaks import still_alive

MARK = "tally: "


def rows_of_others() -> dict[str, Callable[[], str]]:
    """Collect the rows of the other rooms: `ROWS` of every file `rows_*.py`; they return a line, or raise."""
    rows = dict[str, Callable[[], str]]()
    for module in sorted(module.name for module in pkgutil.iter_modules(stress.__path__)):
        if module.startswith("rows_") and module != "rows_bridge":
            found: Mapping[str, Callable[[], str]] = importlib.import_module(f"tests.stress.{module}").ROWS
            rows.update(found)
    return rows


def main() -> int:
    """Run what was asked for; 0 if all went well."""
    parser = argparse.ArgumentParser(prog="python -m tests.stress", description=__doc__)
    parser.add_argument("--row", action="append", metavar="NAME", help="only rows whose name has this in it")
    parser.add_argument("--list", action="store_true", help="name the rows and run nothing")
    parser.add_argument("--seconds", type=float, default=120.0, help="for all rows of the bridge together")
    parser.add_argument("--alone", metavar="NAME", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.alone:
        return alone(options.alone, options.seconds)
    ours = chosen(list(rows_bridge.ROWS), options.row)
    others = {name: row for name, row in rows_of_others().items() if options.row and chosen([name], options.row)}
    if options.list:
        print(*rows_bridge.ROWS, *(f"{name} (by name only)" for name in rows_of_others()), sep="\n")
        return 0
    if not ours and not others:
        sys.exit(f"no row is named {', '.join(options.row)}; see --list")
    total = Tally()
    for name in ours:
        tally = supervised(name, options.seconds / len(ours))
        print(f"{name:14} {tally}", flush=True)
        total.add(tally)
    if len(ours) > 1:
        print(f"{'all together':14} {total}")
    all_others = [run_other(name, row) for name, row in others.items()]  # each of them, whatever comes of the first
    good = total.good and all(all_others)
    tell_gil()
    print("ok" if good else "FAILED")
    return 0 if good else 1


def chosen(names: list[str], wanted: list[str] | None) -> list[str]:
    """Return the names that have one of the wanted words in them; all without any."""
    return [name for name in names if not wanted or any(word in name for word in wanted)]


def supervised(name: str, seconds: float) -> Tally:
    """Run one row in a process of its own; what does not end is a hang, what fails has lost something."""
    command = [sys.executable, "-m", "tests.stress", "--alone", name, "--seconds", str(seconds)]
    tally = Tally()
    with subprocess.Popen(
        command, cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            out, _ = process.communicate(timeout=seconds + 4 * LIMIT)
        except subprocess.TimeoutExpired:
            process.kill()
            out, _ = process.communicate()
            tally.hangs += 1
    for line in out.splitlines():
        if line.startswith(MARK):
            tally.add(Tally(**json.loads(line.removeprefix(MARK))))
        else:
            print(f"  {line}")
    if process.returncode != 0 and tally.good:
        tally.hangs += 1
    return tally


def alone(name: str, seconds: float) -> int:
    """Be the process of one row."""
    logging.getLogger("asgikit").setLevel(logging.CRITICAL)  # late errors and leftovers are what is made here
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    faulthandler.dump_traceback_later(seconds + 3 * LIMIT, exit=True)
    tally, before = Tally(), set(threading.enumerate())
    try:
        rows_bridge.ROWS[name](tally, seconds)
    except Hang:
        traceback.print_exc()
        faulthandler.dump_traceback()
        tally.hangs += 1
    except BaseException:
        traceback.print_exc()
        tally.lost += 1
    left = still_alive(set(threading.enumerate()) - before, 5)
    tally.leaked += len(left)
    print(*(f"leaked: {thread.name}" for thread in left), sep="\n", end="\n" if left else "")
    tell_gil()  # of this process, which did the work
    print(MARK + json.dumps(asdict(tally)), flush=True)
    return 0 if tally.good else 1


def tell_gil() -> None:
    """Say whether the GIL is on, where that is a question."""
    if line := gil_line():
        print(line, flush=True)


def run_other(name: str, row: Callable[[], str]) -> bool:
    """Run a row of another room in this process."""
    started = time.monotonic()
    try:
        line = row()
    except Exception:
        traceback.print_exc()
        return False
    print(f"{name:14} {line} ({time.monotonic() - started:.0f} s)", flush=True)
    return True


if __name__ == "__main__":
    sys.exit(main())
