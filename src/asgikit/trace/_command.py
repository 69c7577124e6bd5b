"""`python -m asgikit trace package.module:bridge [-m module | script] args...`: a program under the recorder."""

import argparse
import importlib
import runpy
import sys
import traceback
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from operator import attrgetter
from pathlib import Path
from typing import Any, final

from asgikit.trace._trace import check_format, record

__all__ = ("add_arguments", "run")

_MISUSE = 2
_INTERRUPTED = 130  # what a shell says of Ctrl-C


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the command."""
    parser.usage = "asgikit trace package.module:bridge [-o FILE] (-m module | script) arguments..."
    parser.add_argument("bridge", metavar="package.module:bridge", help="where the bridge is; dots lead into it")
    parser.add_argument(
        "rest",
        nargs=argparse.REMAINDER,
        metavar="-o FILE, -m module or script, arguments",
        help="where to save the trace (.html, .json or .svg; without -o it is drawn here), and what to run",
    )


@final
@dataclass(frozen=True)
class _Asked:
    """What stands behind the bridge on the command line."""

    output: str | None
    module: str | None
    program: tuple[str, ...]

    @classmethod
    def parse(cls, rest: Sequence[str]) -> "_Asked":
        """Read options up to the program, whose own options are not ours (argparse would read them).

        Raises:
            ValueError: there is no program, or an option lacks its value.
        """
        words = list(rest)
        output = None
        while words and words[0].partition("=")[0] in {"-o", "--output"}:
            option, equals, output = words.pop(0).partition("=")
            if not equals:
                output = _value(option, words)
        module = _value(words.pop(0), words) if words[:1] == ["-m"] else None
        if module is None and not words:
            message = "give a script, or -m and a module, to run"
            raise ValueError(message)
        return cls(output, module, tuple(words))


def _value(option: str, words: list[str]) -> str:
    if not words:
        message = f"{option} needs a value"
        raise ValueError(message)
    return words.pop(0)


def run(arguments: argparse.Namespace) -> int:
    """Run the program, then save or draw what its bridge did. Returns the program's exit status, or 2 for misuse."""
    try:
        asked = _Asked.parse(arguments.rest)
        bridge = _prepare(arguments.bridge, asked)
    except (ImportError, AttributeError, TypeError, ValueError, OSError) as error:
        print(f"asgikit trace: {error}", file=sys.stderr)  # noqa: T201 - a command prints
        return _MISUSE
    with record(bridge) as trace:
        status = _run_program(asked.module, asked.program)
    if trace.dropped:
        message = f"asgikit trace: crossings that came later than those that are kept: {trace.dropped}"
        print(message, file=sys.stderr)  # noqa: T201 - a command prints
    if asked.output is None:
        trace.show()
    else:
        trace.save(asked.output)
    return status


def _prepare(bridge: str, asked: _Asked) -> Any:
    """Find out what can go wrong before anything runs, and return the bridge.

    Raises:
        ImportError, TypeError, ValueError, OSError: the user's mistake.
    """
    if asked.output is not None:
        check_format(Path(asked.output))
        if not Path(asked.output).absolute().parent.is_dir():
            message = f"there is no folder to save {asked.output!r} in"
            raise FileNotFoundError(message)
    if (asked.output is None or asked.output.endswith(".svg")) and find_spec("rich") is None:
        message = "drawing a trace needs rich (pip install rich); a page for the browser, -o trace.html, needs nothing"
        raise ImportError(message)
    if asked.module is None and not Path(asked.program[0]).exists():
        message = f"there is no script {asked.program[0]!r}"
        raise FileNotFoundError(message)
    if str(Path.cwd()) not in sys.path:
        sys.path.insert(0, str(Path.cwd()))
    if asked.module is None:
        sys.path.insert(0, str(Path(asked.program[0]).resolve().parent))  # as for `python script`
    _check_apart(bridge.partition(":")[0], asked)
    return _find(bridge)


def _check_apart(module: str, asked: _Asked) -> None:
    """Refuse a bridge that the program itself makes: imported for its bridge, the program would run twice.

    Raises:
        ValueError: the module is the program; its bridge would not be the one that is recorded.
    """
    program = Path(asked.program[0]).resolve() if asked.module is None else _file_of(asked.module, runs=True)
    if module == "__main__" or (program is not None and _file_of(module) == program):
        message = (
            f"{module!r} is the program itself, which would run twice, each time with a bridge of its own: move the"
            " bridge to a module that the program imports, or record in it, `with asgikit.trace.record(bridge)`"
        )
        raise ValueError(message)


def _file_of(module: str, *, runs: bool = False) -> Path | None:
    """Return the file that importing `module` runs, or, if `runs`, that `python -m module` does."""
    try:
        spec = find_spec(module)
        if runs and spec is not None and spec.submodule_search_locations is not None:
            spec = find_spec(f"{module}.__main__")
    except (ImportError, ValueError):
        return None  # importing it will say why
    return None if spec is None or spec.origin is None else Path(spec.origin).resolve()


def _find(path: str) -> Any:
    module, colon, name = path.partition(":")
    if not colon:
        message = f"no bridge at {path!r}: write package.module:name"
        raise ValueError(message)
    try:
        bridge = attrgetter(name)(importlib.import_module(module))
    except (ImportError, AttributeError) as error:
        message = f"no bridge at {path!r}: {error}"
        raise ImportError(message) from error
    if not callable(getattr(bridge, "observe", None)):
        message = f"{bridge!r}, at {path!r}, is no bridge"
        raise TypeError(message)
    return bridge


def _run_program(module: str | None, rest: Sequence[str]) -> int:
    """Run the program as its own `__main__`; however it ends, the trace is not lost."""
    try:
        if module is not None:
            with _argv([module, *rest]):
                runpy.run_module(module, run_name="__main__", alter_sys=True)
        else:
            with _argv(rest):
                runpy.run_path(rest[0], run_name="__main__")
    except SystemExit as exit_:
        return _status(exit_.code)
    except KeyboardInterrupt:
        return _INTERRUPTED
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def _status(code: object) -> int:
    """Return what the interpreter would end with."""
    if code is None or isinstance(code, int):
        return code or 0
    print(code, file=sys.stderr)  # noqa: T201 - as the interpreter does
    return 1


@contextmanager
def _argv(argv: Sequence[str]) -> Generator[None, None, None]:
    before, sys.argv = sys.argv, list(argv)
    try:
        yield
    finally:
        sys.argv = before
