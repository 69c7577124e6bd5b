"""The suite: where the cases are, what every checker makes of them, and which failures are known."""

import os
import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from tests.support.packages import installed
from tests.typing._cache import check
from tests.typing._checkers import CHECKERS, Checker, CheckerCrash, Job
from tests.typing._diagnostics import Diagnostic
from tests.typing._expectations import Case, read_cases
from tests.typing._pages import write_pages
from tests.typing._verdicts import Outcome, Verdict, judge_all

__all__ = (
    "FOLDER",
    "SOURCE_JOBS",
    "SRC",
    "Answers",
    "KnownFailure",
    "cases_job",
    "known_failures",
    "load_cases",
    "missing",
    "run_all",
    "sound",
    "verdicts",
)

_HERE = Path(__file__).parent
_ROOT = _HERE.parents[1]
FOLDER = _ROOT / ".typing_cache"
_CASES = _HERE / "cases"
_EXAMPLE = _ROOT / "docs" / "examples" / "typed_framework"
_CANARY = "zz_canary"
_CLIENTS = ("anyio", "asgiref", "django", "flask", "hypercorn", "starlette", "uvicorn", "uvloop")
SRC = _ROOT / "src"

SOURCE_JOBS = tuple(
    Job(f"source-{python}", (SRC / "asgikit",), (SRC,), FOLDER, python, source=True) for python in ("3.11", "3.14")
)
"""The library itself, at the oldest and the newest supported Python."""

Answer: TypeAlias = list[Diagnostic] | CheckerCrash
Answers: TypeAlias = Mapping[Checker, Answer]


@dataclass(frozen=True)
class KnownFailure:
    """A case that one checker gets wrong, and why that is left."""

    checker: str
    case: str
    outcome: Outcome
    reason: str


def cases_job(name: str = "cases", src: Path = SRC) -> Job:
    """Return the job that checks every case, after writing the code blocks of the documentation to the cache."""
    pages = write_pages(_ROOT, FOLDER / "pages")
    return Job(name, (_CASES, pages, _EXAMPLE), (src, _CASES, _EXAMPLE), FOLDER)


def load_cases() -> list[Case]:
    """Return every case of every file, the canary's too."""
    files = sorted(file for path in cases_job().paths for file in path.glob("*.py"))
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


def _checked(checker: Checker, job: Job, *, fresh: bool) -> Answer:
    try:
        diagnostics = check(checker, job, fresh=fresh)
    except CheckerCrash as crash:
        return crash
    if not job.source and not any(found.file == _CANARY for found in diagnostics):
        return CheckerCrash(f"{checker.name} did not see the error in {_CANARY}.py: it stopped early")
    return diagnostics


def run_all(checkers: Sequence[Checker], jobs: Sequence[Job], *, fresh: bool = False) -> Mapping[str, Answers]:
    """Return the answers by the name of the job and the checker, as many at a time as there are processors.

    Blocks for up to a minute when nothing is cached.
    """
    FOLDER.mkdir(exist_ok=True)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        futures = {
            (job.name, checker): pool.submit(_checked, checker, job, fresh=fresh)
            for job in jobs
            for checker in checkers
        }
        return {job.name: {checker: futures[job.name, checker].result() for checker in checkers} for job in jobs}


def missing() -> tuple[str, ...]:
    """Return which distributions of the extra `tests` this environment lacks."""
    return tuple(name for name in (*_CLIENTS, *(checker.name for checker in CHECKERS)) if not installed(name))


def sound(answer: Answer) -> list[Diagnostic]:
    """Return the diagnostics. Raises the crash when there was one."""
    if isinstance(answer, CheckerCrash):
        raise answer
    return answer


def verdicts(answer: Answer, cases: Sequence[Case]) -> Mapping[str, Verdict]:
    """Return the verdict per case. Raises the crash when there was one."""
    return judge_all(cases, sound(answer))
