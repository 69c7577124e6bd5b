"""What the checkers say, in one form: the six output formats, and which rules only lament missing types. Pure."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import PurePath
from typing import Any

__all__ = ("Diagnostic", "from_gitlab", "from_mypy", "from_pyrefly", "from_pyright", "from_zuban")


@dataclass(frozen=True)
class Diagnostic:
    """One error: the stem of the file's name, the line, the rule and the words of the checker."""

    file: str
    line: int
    rule: str
    message: str

    @property
    def untyped(self) -> bool:
        """Whether it only says that a type is missing or Any: never what a rejected misuse looks like."""
        return self.rule in _UNTYPED or self.rule.startswith("reportUnknown")


_UNTYPED = frozenset(
    {
        "has-type",
        "implicit-any",
        "misc-any",
        "no-any-return",
        "no-untyped-call",
        "no-untyped-def",
        "reportAny",
        "reportExplicitAny",
        "reportMissingParameterType",
        "reportMissingTypeArgument",
        "reportMissingTypeStubs",
        "reportUntypedFunctionDecorator",
        "unannotated-parameter",
        "unannotated-return",
        "untyped-decorator",
    }
)


def _stem(path: str) -> str:
    return PurePath(path).stem


def from_mypy(output: str) -> Iterator[Diagnostic]:
    """Read `--output json`: one object per line."""
    for line in output.splitlines():
        found: dict[str, Any] = json.loads(line)
        if found["severity"] == "error":
            yield Diagnostic(_stem(found["file"]), found["line"], found["code"] or "", found["message"])


def from_pyright(output: str) -> Iterator[Diagnostic]:
    """Read `--outputjson` of pyright and basedpyright, which count lines from 0."""
    for found in json.loads(output)["generalDiagnostics"]:
        if found["severity"] == "error":
            line = found["range"]["start"]["line"] + 1
            yield Diagnostic(_stem(found["file"]), line, found.get("rule", ""), found["message"])


def from_gitlab(output: str) -> Iterator[Diagnostic]:
    """Read ty's `--output-format gitlab`."""
    for found in json.loads(output):
        if found["severity"] in {"major", "critical", "blocker"}:
            place = found["location"]
            line = place["positions"]["begin"]["line"]
            yield Diagnostic(_stem(place["path"]), line, found["check_name"], found["description"])


def from_pyrefly(output: str) -> Iterator[Diagnostic]:
    """Read `--output-format json`."""
    for found in json.loads(output)["errors"]:
        if found.get("severity", "error") == "error":
            yield Diagnostic(_stem(found["path"]), found["line"], found["name"], found["description"])


_ZUBAN = re.compile(r"^(?P<file>[^:]+):(?P<line>\d+): error: (?P<message>.*?)(?:  \[(?P<rule>[\w-]+)\])?$")


def from_zuban(output: str) -> Iterator[Diagnostic]:
    """Read mypy's plain text."""
    for line in output.splitlines():
        if match := _ZUBAN.match(line):
            yield Diagnostic(_stem(match["file"]), int(match["line"]), match["rule"] or "", match["message"])
