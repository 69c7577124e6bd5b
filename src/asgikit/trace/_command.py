"""`python -m asgikit trace package.module:bridge [-m module | script] args...`: a program under the recorder."""

import argparse
import importlib
import runpy
import sys
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from operator import attrgetter
from pathlib import Path
from typing import Any

from asgikit.trace._trace import record

__all__ = ("add_arguments", "run")

_MISUSE = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.add_argument("bridge", metavar="package.module:bridge", help="where the bridge is; dots lead into it")
    parser.add_argument("-o", "--output", metavar="FILE", help="save to FILE.json or FILE.html; else draw it here")
    parser.add_argument("-m", dest="module", metavar="MODULE", help="run a module, as python -m does")
    parser.add_argument("program", nargs=argparse.REMAINDER, help="the script to run, if no module, and arguments")


def run(arguments: argparse.Namespace) -> int:
    """Run the program, then save or draw what its bridge did. Returns the program's exit status, or 2 for misuse."""
    if not arguments.module and not arguments.program:
        print("asgikit trace: give a script, or -m and a module, to run", file=sys.stderr)  # noqa: T201
        return _MISUSE
    sys.path.insert(0, str(Path.cwd()))
    try:
        bridge = _find(arguments.bridge)
    except (ImportError, AttributeError, ValueError) as error:
        print(f"asgikit trace: no bridge at {arguments.bridge!r}: {error}", file=sys.stderr)  # noqa: T201
        return _MISUSE
    with record(bridge) as trace:
        status = _run_program(arguments.module, arguments.program)
    if arguments.output is None:
        trace.show()
    else:
        trace.save(arguments.output)
    return status


def _find(path: str) -> Any:
    module, colon, name = path.partition(":")
    if not colon:
        message = "write package.module:name"
        raise ValueError(message)
    return attrgetter(name)(importlib.import_module(module))


def _run_program(module: str | None, rest: Sequence[str]) -> int:
    """Run the program as its own `__main__`; its exit is caught, so that the trace is not lost."""
    try:
        if module is not None:
            with _argv([module, *rest]):
                runpy.run_module(module, run_name="__main__", alter_sys=True)
        else:
            with _argv(rest):
                runpy.run_path(rest[0], run_name="__main__")
    except SystemExit as exit_:
        return exit_.code if isinstance(exit_.code, int) else int(exit_.code is not None)
    return 0


@contextmanager
def _argv(argv: Sequence[str]) -> Generator[None, None, None]:
    before, sys.argv = sys.argv, list(argv)
    try:
        yield
    finally:
        sys.argv = before
