"""Runs type checkers over the cases of `cases.txt`, once with asgiref's own types and once with the stubs.

A case passes in a checker if every line marked `# E` is reported and no other line is.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
STUBS = HERE.parent.parent / "stubs" / "asgiref-stubs" / "asgiref-stubs"
HEADER = "from typing import Any, ParamSpec, TypeVar, assert_type  # pyright: ignore  # noqa: F401\n"
PLAIN_LINE = re.compile(r"^(?:ERROR )?(?P<file>[^\s:]+\.py):(?P<line>\d+)(?::[\d:-]+)?: ?(?P<rest>.*)$")
TIMEOUT = 100


@dataclass(frozen=True)
class Case:
    """One block of `cases.txt`: its title and the client code under it."""

    title: str
    code: str

    def must_fail(self) -> set[int]:
        """The lines, counted from 1 in the written file, that a checker must report."""
        lines = (HEADER + self.code).splitlines()
        return {number for number, line in enumerate(lines, 1) if line.endswith("# E")}


def cases() -> list[Case]:
    """All cases, in the order of the file."""
    blocks = (HERE / "cases.txt").read_text().split("\n# --- ")[1:]
    return [Case(*block.split("\n", 1)) for block in blocks]


def shadow(folder: Path) -> Path:
    """A search path that holds the stubs under the package's own name."""
    path = folder / "path"
    shutil.copytree(STUBS, path / "asgiref")
    return path


def write(folder: Path, stubs: Path | None) -> None:
    """Write the cases and the configuration that points every checker at `stubs`."""
    folder.mkdir()
    for number, case in enumerate(cases()):
        (folder / f"case{number:02}.py").write_text(HEADER + case.code)
    # Proves that the checker did not stop early.
    (folder / "canary.py").write_text('canary: int = ""\n')
    config = {"include": ["."], "typeCheckingMode": "strict", "pythonVersion": "3.11"}
    if stubs is not None:
        config["stubPath"] = str(stubs)
    (folder / "pyrightconfig.json").write_text(json.dumps(config))


def commands(folder: Path, stubs: Path | None) -> dict[str, list[str]]:
    """The command line of every checker that is installed."""
    interpreter = sys.executable
    plain: dict[str, list[str]] = {
        "mypy": ["--strict", "--no-error-summary", "--hide-error-context", "--cache-dir=/dev/null", "."],
        "pyright": ["--outputjson", "--pythonpath", interpreter],
        "basedpyright": ["--outputjson", "--pythonpath", interpreter],
        "ty": ["check", "--output-format=concise", "--python", interpreter, "."],
        "pyrefly": ["check", "--output-format=min-text", "--python-interpreter-path", interpreter, "."],
        "zuban": ["check", "--strict", "--python-executable", interpreter, "."],
    }
    if stubs is not None:
        plain["ty"][1:1] = ["--extra-search-path", str(stubs)]
        plain["pyrefly"][1:1] = ["--search-path", str(stubs)]
    found = {
        name: shutil.which(name, path=os.pathsep.join((str(Path(interpreter).parent), os.environ["PATH"])))
        for name in plain
    }
    return {name: [program, *plain[name]] for name, program in found.items() if program}


def reported(name: str, command: list[str], folder: Path, stubs: Path | None) -> dict[str, set[int]]:
    """Which lines of which file one checker reports."""
    environ = os.environ | ({"MYPYPATH": str(stubs)} if stubs else {})
    run = subprocess.run(command, cwd=folder, env=environ, capture_output=True, text=True, timeout=TIMEOUT, check=False)
    lines: dict[str, set[int]] = defaultdict(set)
    for file, line in _json(run.stdout) if name.endswith("pyright") else _plain(run.stdout + run.stderr):
        lines[Path(file).name].add(line)
    assert "canary.py" in lines, f"{name} stopped early:\n{run.stdout}\n{run.stderr}"
    return lines


def _json(output: str) -> Iterator[tuple[str, int]]:
    for diagnostic in json.loads(output)["generalDiagnostics"]:
        if diagnostic["severity"] == "error":
            yield diagnostic["file"], diagnostic["range"]["start"]["line"] + 1


def _plain(output: str) -> Iterator[tuple[str, int]]:
    for line in output.splitlines():
        match = PLAIN_LINE.match(line)
        if match and not match["rest"].lstrip().startswith(("note", "warning")):
            yield match["file"], int(match["line"])


def passing(name: str, command: list[str], folder: Path, stubs: Path | None) -> set[str]:
    """The titles of the cases that pass in one checker."""
    lines = reported(name, command, folder, stubs)
    return {
        case.title for number, case in enumerate(cases()) if lines.get(f"case{number:02}.py", set()) == case.must_fail()
    }
