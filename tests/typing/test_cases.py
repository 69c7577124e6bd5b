"""Every case under every checker: one test each. The checkers run once, for the first test that asks."""

from collections.abc import Mapping

import pytest
from _pytest.mark import ParameterSet

from tests.support.packages import require_packages
from tests.typing import _suite as suite
from tests.typing._checkers import CHECKERS, Checker
from tests.typing._expectations import Case
from tests.typing._verdicts import Verdict

require_packages(suite.missing())

CASES = suite.load_cases()
KNOWN = suite.known_failures()


@pytest.fixture(autouse=True)
def _nothing_stays() -> None:
    """Leave out the guard of `tests/conftest.py`: thousands of look-ups in a dictionary start and leave nothing."""


@pytest.fixture(scope="session")
def verdicts() -> Mapping[str, Mapping[str, Verdict]]:
    """The verdicts of every installed checker, by its name and the case's id."""
    answers = suite.run_all(CHECKERS, [suite.cases_job()])["cases"]
    return {checker.name: suite.verdicts(answers[checker], CASES) for checker in CHECKERS}


def _parameter(checker: Checker, case: Case) -> ParameterSet:
    known = KNOWN.get((checker.name, case.id))
    marks = [pytest.mark.xfail(reason=known.reason, strict=True)] if known else []
    return pytest.param(checker, case, marks=marks, id=f"{checker.name}-{case.id}")


@pytest.mark.timeout(300)  # the first test waits for all the checkers
@pytest.mark.parametrize(("checker", "case"), [_parameter(checker, case) for checker in CHECKERS for case in CASES])
def test_case(checker: Checker, case: Case, verdicts: Mapping[str, Mapping[str, Verdict]]) -> None:
    """J7: user code that calls every public name is right where it should be, and wrong where it should be.

    P2, P4: scopes and events as small as the specification allows; applications of every spelling.
    """
    verdict = verdicts[checker.name][case.id]
    assert verdict.outcome == "ok", verdict.explain()


def test_known_failures_name_checkers_and_cases_that_exist() -> None:
    known = set(KNOWN)
    assert known <= {(checker.name, case.id) for checker in CHECKERS for case in CASES}


def test_titles_are_unique() -> None:
    ids = [case.id for case in CASES]
    assert sorted(ids) == sorted(set(ids))


def test_there_are_enough_cases() -> None:
    assert sum(case.number > 0 for case in CASES) >= 300
