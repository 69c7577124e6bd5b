"""Packages of the extra `tests` that some tests need, and what happens where one is not installed.

The test is skipped and names the package. Under `CI=true` it fails instead, with one exception: on a build without
the GIL, what the extra `tests-free-threaded` leaves out cannot be installed there and counts as no fault.
"""

import os
import re
import tomllib
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest

from tests.support.interpreter import free_threaded

__all__ = ("installed", "left_out", "require_package", "require_packages")

_PROJECT = Path(__file__).parents[2] / "pyproject.toml"


def installed(name: str) -> bool:
    """Whether the distribution `name` is installed; imports nothing."""
    try:
        version(name)
    except PackageNotFoundError:
        return False
    return True


def left_out() -> frozenset[str]:
    """Return what the extra `tests` has and `tests-free-threaded` has not."""
    requirements = tomllib.loads(_PROJECT.read_text(encoding="utf-8"))["project"]["optional-dependencies"]["tests"]
    return frozenset(re.split(r"[^\w-]", line, maxsplit=1)[0] for line in requirements) - {"asgikit"}


def require_package(name: str) -> None:
    """Skip the test (under `CI=true`: fail it) unless the distribution `name` is installed, naming it."""
    require_packages((name,))


def require_packages(names: tuple[str, ...]) -> None:
    """Do the same for several, naming those that are missing."""
    missing = [name for name in names if not installed(name)]
    if not missing:
        return
    if free_threaded() and left_out().issuperset(missing):
        reason = f"needs {', '.join(missing)}: left out of `tests-free-threaded` (no wheels for 3.13 without the GIL)"
    else:
        reason = f"needs {', '.join(missing)}: pip install {' '.join(missing)} (make test does it)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason)
    pytest.skip(reason, allow_module_level=True)
