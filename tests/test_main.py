import argparse
import subprocess
import sys

import pytest

import asgikit
from asgikit.__main__ import COMMANDS, Command, main


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("number", type=int)


def run(arguments: argparse.Namespace) -> int:
    number: int = arguments.number
    return number


TABLE = {
    "answer": Command(__name__, "return a number"),
    "broken": Command("asgikit.no_such_module", "never imported unless it is called"),
}


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="0"):
        main(["--version"])
    assert capsys.readouterr().out == f"asgikit {asgikit.__version__}\n"


def test_module_runs_as_a_program() -> None:
    command = [sys.executable, "-m", "asgikit", "--version"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout == f"asgikit {asgikit.__version__}\n"


def test_help_lists_every_command_and_imports_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], commands=TABLE) == 0
    with pytest.raises(SystemExit, match="0"):
        main(["--help"], commands=TABLE)
    shown = capsys.readouterr().out
    assert all(command.summary in shown for command in TABLE.values())


def test_a_command_gets_its_arguments_and_gives_the_exit_status() -> None:
    assert main(["answer", "42"], commands=TABLE) == 42


def test_wrong_arguments_are_status_2(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["answer", "many"], commands=TABLE)
    assert "invalid int value: 'many'" in capsys.readouterr().err


def test_every_command_of_asgikit_shows_its_help(capsys: pytest.CaptureFixture[str]) -> None:
    for name, command in COMMANDS.items():
        with pytest.raises(SystemExit, match="0"):
            main([name, "--help"])
        assert command.summary in capsys.readouterr().out
