"""The command line: `python -m asgikit`. Thin: it finds the room that has the command and hands over.

A command is one entry of `COMMANDS`: its name, the module that has it, and the line that help shows. The module
is imported only when its command is called, so that help and version stay quick and need no extra. It has two
functions: `add_arguments(parser)` declares the arguments, `run(arguments)` does the job and returns the exit status.
"""

import argparse
import importlib
import sys
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple, Protocol, cast

from asgikit import __version__

__all__ = ("COMMANDS", "Command", "CommandModule", "main")


class Command(NamedTuple):
    """Where a command lives and what help says about it."""

    module: str
    summary: str


class CommandModule(Protocol):
    """What a room's command module has."""

    def add_arguments(self, parser: argparse.ArgumentParser, /) -> None:
        """Declare the arguments of the command."""

    def run(self, arguments: argparse.Namespace, /) -> int:
        """Do the job on the calling thread and return the exit status."""
        ...


COMMANDS: Final[Mapping[str, Command]] = {
    "serve": Command("asgikit.wsgi._serve", "serve an ASGI or WSGI application with uvicorn"),
    "trace": Command("asgikit.trace._command", "run a program and record the crossings of its bridge"),
}


def main(argv: Sequence[str] | None = None, *, commands: Mapping[str, Command] = COMMANDS) -> int:
    """Run the command that `argv` (default: the process's arguments) asks for, and return its exit status.

    Raises:
        SystemExit: help or the version was asked for (status 0), or the arguments are wrong (status 2).
    """
    arguments = list(sys.argv[1:] if argv is None else argv)
    parser = argparse.ArgumentParser(prog="asgikit", description="Synchronous and asynchronous Python, bridged.")
    parser.add_argument("--version", action="version", version=f"asgikit {__version__}")
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND")
    wanted = arguments[0] if arguments else None
    for name, command in commands.items():
        subparser = subparsers.add_parser(name, help=command.summary, description=command.summary)
        if name == wanted:
            module = cast("CommandModule", importlib.import_module(command.module))
            module.add_arguments(subparser)
            subparser.set_defaults(run=module.run)
    chosen = parser.parse_args(arguments)
    if not hasattr(chosen, "run"):
        parser.print_help()
        return 0
    status: int = chosen.run(chosen)
    return status


if __name__ == "__main__":
    sys.exit(main())
