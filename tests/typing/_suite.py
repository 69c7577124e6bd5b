"""The suite: where the cases are, what every checker makes of them, and which failures are known."""

import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from tests.typing._cache import check
from tests.typing._checkers import CHECKERS, Checker, CheckerCrash, Job
from tests.typing._diagnostics import Diagnostic
from tests.typing._expectations import Case, read_cases
from tests.typing._verdicts import Outcome, Verdict, judge_all

__all__ = ("CASES_JOB", "SOURCE_JOBS", "KnownFailure", "Results", "known_failures", "load_cases", "run_all", "verdicts")

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
_FOLDER = _ROOT / ".typing_cache"
_CASES = _HERE / "cases"
_CANARY = "zz_canary"
_SRC = _ROOT / "src"

CASES_JOB = Job("cases", (_CASES,), (_SRC, _CASES), _FOLDER)
SOURCE_JOBS = tuple(
    Job(f"source-{python}", (_SRC / "asgikit",), (_SRC,), _FOLDER, python, source=True) for python in ("3.11", "3.14")
)


@dataclass(frozen=True)
class KnownFailure:
    """A case that one checker gets wrong, and why that is left."""

    checker: str
    case: str
    outcome: Outcome
    reason: str


def load_cases() -> list[Case]:
    """Return every case of every file, the canary's too."""
    files = sorted(_CASES.glob("*.py"))
    return [case for file in files for case in read_cases(file.stem, file.read_text(encoding="utf-8"))]


def known_failures() -> dict[tuple[str, str], KnownFailure]:
    """Return the failures that are known, by checker and case."""
    groups = tomllib.loads((_HERE / "known_failures.toml").read_text(encoding="utf-8"))["failures"]
    return {
        (checker, case): KnownFailure(checker, case, group["outcome"], group["reason"])
        for group in groups
        for checker in group["checkers"]
        for case in group["cases"]
    }


Results = Mapping[Checker, "list[Diagnostic] | CheckerCrash"]


def _checked(checker: Checker, job: Job, *, fresh: bool) -> "list[Diagnostic] | CheckerCrash":
    try:
        diagnostics = check(checker, job, fresh=fresh)
    except CheckerCrash as crash:
        return crash
    if not job.source and not any(found.file == _CANARY for found in diagnostics):
        return CheckerCrash(f"{checker.name} did not see the error in {_CANARY}.py: it stopped early")
    return diagnostics


def run_all(checkers: Sequence[Checker], job: Job, *, fresh: bool = False, at_once: int = 2) -> Results:
    """Run every checker over the job, `at_once` of them at a time. Blocks for up to a minute when nothing is cached."""
    job.folder.mkdir(exist_ok=True)
    with ThreadPoolExecutor(at_once) as pool:
        answers = pool.map(lambda checker: _checked(checker, job, fresh=fresh), checkers)
        return dict(zip(checkers, answers, strict=True))


def verdicts(answer: "list[Diagnostic] | CheckerCrash", cases: Sequence[Case]) -> Mapping[str, Verdict]:
    """Return the verdict per case. Raises the crash when there was one."""
    if isinstance(answer, CheckerCrash):
        raise answer
    return judge_all(cases, answer)


INSTALLED = tuple(checker for checker in CHECKERS if checker.version() is not None)
"""The checkers that this environment has."""
