"""`pyright --verifytypes`: how much of the public interface is known."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.typing._checkers import CheckerCrash

__all__ = ("Completeness", "verify")


@dataclass(frozen=True)
class Completeness:
    """The share of public symbols whose type is known, and the names of the others."""

    score: float
    known: int
    lacking: tuple[str, ...]


def verify(package: str, search: Path) -> Completeness:
    """Return the completeness of an importable package. Blocks for seconds. Raises CheckerCrash."""
    pyright = str(Path(sys.executable).with_name("pyright"))
    command = [pyright, "--verifytypes", package, "--ignoreexternal", "--outputjson", "--pythonpath", sys.executable]
    environment = os.environ | {"PYTHONPATH": str(search), "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=search, check=False)
    try:
        found = json.loads(done.stdout)["typeCompleteness"]
    except (ValueError, KeyError) as error:
        raise CheckerCrash(f"verifytypes answered {done.stdout[-2000:]!r} {done.stderr[-2000:]!r}") from error
    exported = [symbol for symbol in found["symbols"] if symbol["isExported"]]
    lacking = tuple(symbol["name"] for symbol in exported if not symbol["isTypeKnown"] or symbol["isTypeAmbiguous"])
    return Completeness(found["completenessScore"], len(exported) - len(lacking), lacking)
