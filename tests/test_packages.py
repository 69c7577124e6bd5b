"""A package that is missing never makes a test pass: it is skipped by name, or under CI fails where it could be had."""

import re
import tomllib
from pathlib import Path

import pytest

from tests.support import packages
from tests.support.packages import left_out, require_package, require_packages

EXTRAS = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def names(extra: str) -> set[str]:
    return {re.split(r"[^\w-]", requirement)[0] for requirement in EXTRAS[extra]}


def test_a_package_that_is_there_is_found() -> None:
    require_package("pytest")


@pytest.mark.parametrize("without_gil", [True, False])
def test_a_missing_package_skips_the_test_and_is_named(monkeypatch: pytest.MonkeyPatch, without_gil: bool) -> None:
    monkeypatch.setattr(packages, "free_threaded", lambda: without_gil)
    monkeypatch.setenv("CI", "")
    with pytest.raises(pytest.skip.Exception, match="needs no-such-package: pip install no-such-package"):
        require_packages(("pytest", "no-such-package"))


@pytest.mark.parametrize("without_gil", [True, False])
def test_under_ci_a_missing_package_fails_the_test(monkeypatch: pytest.MonkeyPatch, without_gil: bool) -> None:
    monkeypatch.setattr(packages, "free_threaded", lambda: without_gil)
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="pip install no-such-package"):
        require_package("no-such-package")


def test_under_ci_what_has_no_wheel_without_the_gil_skips_there_and_fails_elsewhere(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(packages, "installed", lambda name: name not in {"gevent", "pytest"})
    monkeypatch.setenv("CI", "true")
    monkeypatch.setattr(packages, "free_threaded", lambda: True)
    with pytest.raises(pytest.skip.Exception, match="needs gevent: left out of `tests-free-threaded`"):
        require_package("gevent")
    with pytest.raises(pytest.fail.Exception, match="needs gevent, pytest"):
        require_packages(("gevent", "pytest"))
    monkeypatch.setattr(packages, "free_threaded", lambda: False)
    with pytest.raises(pytest.fail.Exception, match="needs gevent"):
        require_package("gevent")


def test_what_is_left_out_without_the_gil_is_the_difference_of_the_two_extras() -> None:
    assert left_out() == {"channels-redis", "distributed", "gevent", "mypy", "uvloop"}
    assert left_out() == names("tests") - names("tests-free-threaded") - {"asgikit"}
