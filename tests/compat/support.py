"""What the tests of the drop-in share: child processes find the asgikit that is under test, wherever they run."""

import os
from pathlib import Path

import asgikit

CHECK = "asgiref 3.13.0 is the drop-in of asgikit (asgikit.compat.asgiref)"
"""What `--check` prints when the drop-in is in force."""


def environ(**more: str) -> dict[str, str]:
    """The environment of a child process, with `PYTHONPATH` starting where `more` says, if it does."""
    source = str(Path(asgikit.__file__).resolve().parent.parent)
    return os.environ | more | {"PYTHONPATH": os.pathsep.join(filter(None, (more.get("PYTHONPATH"), source)))}
