"""See every kind of crossing between sync and async code on real input, on asgikit and on asgiref.

python docs/examples/demo [--requests 200] [--at-once 50] [--trace FILE]
"""

import argparse
import asyncio
import multiprocessing
import sys
import tempfile
from collections.abc import Callable, Generator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import legacy
import load
import report
from kits import Kit, with_asgikit, with_asgiref
from rich.console import Console
from rich.progress import Progress
from shop import count_primes

from asgikit.trace import record

Library = Callable[[Executor], AbstractContextManager[Kit]]
LIBRARIES: tuple[Library, ...] = (with_asgikit, with_asgiref)


def main() -> int:
    """Run the load on both libraries and show what happened; 0 if asgikit answered everything."""
    parser = argparse.ArgumentParser(description="See every kind of crossing on real input, on asgikit and on asgiref.")
    parser.add_argument("--requests", type=int, default=200, help="how many to send (200)")
    parser.add_argument("--at-once", type=int, default=50, help="how many of them may be under way (50)")
    parser.add_argument("--trace", metavar="FILE", help="save a picture of asgikit's crossings: .html, .svg or .json")
    options = parser.parse_args()
    if options.trace is not None and not options.trace.endswith((".html", ".svg", ".json")):
        parser.error(f"--trace: {options.trace} ends neither in .html nor in .svg nor in .json")
    console = Console()
    spawn = multiprocessing.get_context("spawn")  # forking a process that has threads is asking for trouble
    with tempfile.TemporaryDirectory() as directory, ProcessPoolExecutor(2, mp_context=spawn) as processes:
        list(processes.map(count_primes, [100_000] * 8))  # neither library pays for starting the processes
        results = [measure(library, processes, Path(directory), options, console) for library in LIBRARIES]
    ours, theirs = results
    report.show(console, ours, theirs)
    report.show_legacy(console, asyncio.run(legacy.run()))
    complete = ours.answered == ours.requests and ours.announced_orders == len(ours.statuses["order"])
    return 0 if complete else 1


def measure(
    library: Library, processes: Executor, directory: Path, options: argparse.Namespace, console: Console
) -> load.Result:
    """Put the whole load on one library, with a progress bar where somebody can see it."""
    with (
        library(processes) as kit,
        Progress(console=console, transient=True, disable=not console.is_terminal) as progress,
    ):
        bar = progress.add_task(f"{options.requests} requests through {kit.name}", total=options.requests)
        with traced(kit, options.trace):
            return load.run(kit, directory, options.requests, options.at_once, lambda: progress.advance(bar))


@contextmanager
def traced(kit: Kit, path: str | None) -> Generator[None]:
    """Record the crossings of asgikit's bridge, if somebody wants to see them."""
    if path is None or kit.bridge is None:
        yield
        return
    with record(kit.bridge) as trace:
        yield
    trace.save(path)


if __name__ == "__main__":
    sys.exit(main())
