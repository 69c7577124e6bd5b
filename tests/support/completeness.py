"""`python -m tests.support.completeness`: every public symbol of asgikit has a known type, or this fails and names it.

What `pyright --verifytypes asgikit --ignoreexternal` judges, with the two numbers that its exit status leaves out.
"""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Literal, TypedDict


class Diagnostic(TypedDict):
    """One finding."""

    severity: Literal["error", "warning", "information"]
    message: str


class Symbol(TypedDict):
    """One symbol of the package."""

    name: str
    isExported: bool
    isTypeKnown: bool
    isTypeAmbiguous: bool
    diagnostics: list[Diagnostic]


class Counts(TypedDict):
    """How many exported symbols are of which kind."""

    withKnownType: int
    withAmbiguousType: int
    withUnknownType: int


class Completeness(TypedDict):
    """What pyright says of the package as a whole."""

    exportedSymbolCounts: Counts
    completenessScore: float
    symbols: list[Symbol]


class Report(TypedDict):
    """The part of pyright's JSON that counts here."""

    generalDiagnostics: list[Diagnostic]
    typeCompleteness: Completeness


def read_report() -> Report:
    """Run pyright over the installed package."""
    command = [sys.executable, "-m", "pyright", "--verifytypes", "asgikit", "--ignoreexternal", "--outputjson"]
    # this mode looks at the first python on PATH and at nothing else
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, env={**os.environ, "PATH": path}
    )
    try:
        report: Report = json.loads(done.stdout)
    except ValueError:
        sys.exit(f"pyright did not answer with JSON:\n{done.stdout}\n{done.stderr}")
    return report


def faults(report: Report) -> list[str]:
    """Say what keeps `report` from being complete."""
    package = report["typeCompleteness"]
    found = [entry["message"] for entry in report["generalDiagnostics"] if entry["severity"] == "error"]
    for symbol in package["symbols"]:
        # an exported class is spoilt by what it refers to, so the reason stands at another symbol, often a private one
        reasons = [entry["message"] for entry in symbol["diagnostics"] if "partially" not in entry["message"]]
        if reasons and not symbol["isTypeKnown"]:
            found.append(f"{symbol['name']}: {'; '.join(reasons)}")
    counts = package["exportedSymbolCounts"]
    complete = package["completenessScore"] == 1 and not counts["withAmbiguousType"] and not counts["withUnknownType"]
    if complete:
        found.clear()  # what no exported symbol refers to may be inferred
    elif not found:
        found.append(f"the completeness score is {package['completenessScore']}")
    if not counts["withKnownType"]:
        found.append("no symbol at all: is asgikit installed in this environment, with py.typed?")
    return found


def main() -> int:
    """Print the verdict and return the exit status."""
    report = read_report()
    found = faults(report)
    counts = report["typeCompleteness"]["exportedSymbolCounts"]
    score = report["typeCompleteness"]["completenessScore"]
    print(
        f"verifytypes: {score:.1%} of the exported symbols are complete:"
        f" {counts['withKnownType']} known, {counts['withAmbiguousType']} ambiguous, {counts['withUnknownType']} not"
    )
    print(*found, sep="\n", end="\n" if found else "")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
