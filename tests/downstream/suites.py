"""What each suite is: where its tests come from, how it is started, and how its results are read."""

import contextlib
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.downstream.environment import PYTHON, source, workplace
from tests.downstream.services import redis_and_sentinel
from tests.downstream.versions import ROOT, SOURCES

HERE = Path(__file__).parent
LIMIT = 1500.0
"""Seconds after which a suite that does not end is killed."""

DJANGO_LABELS = (
    *("admin_scripts", "admin_views", "asgi", "async", "auth_tests", "basic", "cache", "decorators", "deprecation"),
    *("generic_relations", "handlers", "httpwrappers", "i18n", "logging_tests", "mail", "middleware"),
    *("middleware_exceptions", "servers", "sessions_tests", "signals", "staticfiles_tests", "template_tests"),
    *("test_client", "test_client_regress", "test_utils", "update_only_fields", "urlpatterns_reverse", "view_tests"),
    "wsgi",
)
"""Every test application of Django 5.2 that imports asgiref or holds async code, and the neighbours of the handlers."""


class SuiteError(RuntimeError):
    """A suite could not be run to its end."""


@dataclass(frozen=True)
class Suite:
    """One suite: `place` makes the folder to run in, `arguments` are what the interpreter gets, `read` its results."""

    name: str
    place: Callable[[], Path]
    arguments: Sequence[str]
    again: Callable[[Sequence[str]], Sequence[str]]
    read: Callable[[Path], dict[str, str]]
    results: str
    services: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext

    def run(self, *, drop_in: bool, only: Sequence[str] = ()) -> dict[str, str]:
        """Run it, or the tests `only`, on asgiref or the drop-in; return test -> `passed`, `failed` or `skipped`."""
        folder = self.place()
        arguments = self.again(only) if only else self.arguments
        through = ["-m", "asgikit.compat.asgiref"] if drop_in else []
        with self.services(), (folder / "output.txt").open("w") as output:
            try:
                subprocess.run(
                    [PYTHON, *through, *arguments],
                    cwd=folder / "tests" if self.name == "django" else folder,
                    env=environ(),
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    timeout=LIMIT,
                    check=False,
                )
            except subprocess.TimeoutExpired:
                print(f"{self.name}: killed after {LIMIT:.0f} s", file=sys.stderr)
        output_end = (folder / "output.txt").read_text()[-4000:]
        results = folder / self.results
        if not results.exists():
            raise SuiteError(f"{self.name} left no results:\n{output_end}")
        self._check_in_force(results.parent / "asgiref-in-force.txt", drop_in=drop_in)
        return self.read(results)

    def _check_in_force(self, file: Path, *, drop_in: bool) -> None:
        """Refuse results that came of the other asgiref: they would prove nothing."""
        wanted = "asgikit.compat.asgiref" if drop_in else "asgiref"
        found = file.read_text() if file.exists() else "unknown: the suite did not come to its end"
        if found != wanted:
            raise SuiteError(f"{self.name} should have run on {wanted}; it ran on {found}")


def environ() -> dict[str, str]:
    """The environment of every run; asgikit is importable in all, but in force only where it is asked for."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTEST", "ASGIKIT", "DJANGO"))}
    return kept | {"PYTHONPATH": os.pathsep.join((str(ROOT / "src"), str(HERE / "support")))}


def from_junit(file: Path) -> dict[str, str]:
    """Read pytest's XML report."""
    return {f"{case.get('classname')}::{case.get('name')}": _outcome(case) for case in ET.parse(file).iter("testcase")}


def _outcome(case: ET.Element) -> str:
    kinds: Mapping[str, str] = {"failure": "failed", "error": "failed", "skipped": "skipped"}
    return next((kinds[child.tag] for child in case if child.tag in kinds), "passed")


def from_json_lines(file: Path) -> dict[str, str]:
    """Read what `support/downstream_django.py` wrote: one `[test, outcome]` a line; the last one counts."""
    outcomes: dict[str, str] = {}
    for line in file.read_text().splitlines():
        test, outcome = json.loads(line)
        if outcomes.get(test) != "failed":
            outcomes[test] = outcome
    return outcomes


PYTEST = (
    "-m",
    "pytest",
    "-q",
    "-p",
    "no:cacheprovider",
    "-p",
    "downstream_probe",
    "--junitxml=results.xml",
    "--timeout=60",
)


def _pytest_again(*options: str) -> Callable[[Sequence[str]], Sequence[str]]:
    def again(tests: Sequence[str]) -> Sequence[str]:
        names = {test.split("::")[1].split("[")[0] for test in tests}
        return (*PYTEST, *options, "-k", " or ".join(sorted(names)), "tests")

    return again


def _tests_of(suite: str, *files: str) -> Callable[[], Path]:
    def place() -> Path:
        root = source(suite)
        return workplace(suite, [(root / "tests", "tests"), *((root / file, file) for file in files)])

    return place


def _project(name: str) -> Callable[[], Path]:
    return lambda: workplace(name, [(HERE / "projects" / name, "tests")])


DJANGO = ("runtests.py", "--settings=downstream_django_settings", "--parallel=1")


def _by_pytest(
    name: str,
    place: Callable[[], Path],
    *options: str,
    services: Callable[[], contextlib.AbstractContextManager[None]] = contextlib.nullcontext,
) -> Suite:
    """Return a suite that pytest runs, with its results as JUnit has them."""
    arguments = (*PYTEST, *options, "tests")
    return Suite(name, place, arguments, _pytest_again(*options), from_junit, "results.xml", services)


SUITES = (
    _by_pytest("asgiref", _tests_of("asgiref", "setup.cfg")),
    _by_pytest("daphne", _tests_of("daphne", "pyproject.toml")),
    _by_pytest("channels_redis", _tests_of("channels_redis", "setup.cfg"), services=redis_and_sentinel),
    _by_pytest("channels", _project("channels"), "-c", "tests/pytest.ini", "--rootdir=.", services=redis_and_sentinel),
    Suite(
        name="django",
        place=_tests_of("django"),
        arguments=(*DJANGO, *DJANGO_LABELS),
        again=lambda tests: (*DJANGO, *tests),
        read=from_json_lines,
        results="tests/results.jsonl",
    ),
)


def title(suite: Suite) -> str:
    """The release that a suite comes from, for the table."""
    return SOURCES.get(suite.name, f"{suite.name} project (ours)").replace("==", " ")
