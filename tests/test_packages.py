"""A package that is missing never makes a test pass: it is skipped by name, or under CI fails where it could be had."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.support import packages
from tests.support.packages import left_out, require_packages

EXTRAS = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def names(extra: str) -> set[str]:
    return {re.split(r"[^\w-]", requirement)[0] for requirement in EXTRAS[extra]}


def outcome(*needed: str) -> str:
    """Return what becomes of a test that needs these; a skip is caught too, lest it skip the test that looks."""
    try:
        require_packages(needed)
    except (pytest.skip.Exception, pytest.fail.Exception) as ending:
        return f"{type(ending).__name__}: {ending}"
    return "runs"


@pytest.fixture
def gil(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(packages, "free_threaded", lambda: request.param == "without the GIL")
    monkeypatch.setattr(packages, "installed", {"pytest"}.__contains__)


@pytest.mark.usefixtures("gil")
@pytest.mark.parametrize(
    ("gil", "ci", "needed", "expected"),
    [
        ("with the GIL", "true", ("pytest",), "runs"),
        ("with the GIL", "", ("pytest", "gevent"), "Skipped: needs gevent: pip install gevent"),
        ("with the GIL", "true", ("gevent",), "Failed: needs gevent: pip install gevent"),
        ("without the GIL", "true", ("pytest",), "runs"),
        ("without the GIL", "", ("gevent",), "Skipped: needs gevent: left out of `tests-free-threaded`"),
        ("without the GIL", "true", ("gevent",), "Skipped: needs gevent: left out of `tests-free-threaded`"),
        ("without the GIL", "", ("stray",), "Skipped: needs stray: pip install stray"),
        ("without the GIL", "true", ("stray",), "Failed: needs stray: pip install stray"),
        ("without the GIL", "true", ("gevent", "stray"), "Failed: needs gevent, stray: pip install gevent stray"),
    ],
    indirect=["gil"],
)
def test_what_becomes_of_a_test_whose_package_is_missing(
    monkeypatch: pytest.MonkeyPatch, ci: str, needed: tuple[str, ...], expected: str
) -> None:
    monkeypatch.setenv("CI", ci)
    assert outcome(*needed).startswith(expected)


def test_what_is_installed_is_asked_of_the_environment() -> None:
    assert packages.installed("pytest")
    assert not packages.installed("no-such-package")


def test_what_is_left_out_without_the_gil_is_the_difference_of_the_two_extras() -> None:
    assert left_out() == {"channels-redis", "distributed", "gevent", "mypy", "uvloop"}
    assert left_out() == names("tests") - names("tests-free-threaded") - {"asgikit"}
