"""`python -m tests.typing`: the cases, the source and the public interface under all checkers, as a table.

Exits with 1 on a regression: a case that fails and is not known to, one that is known to and does not, an error in the
source, a symbol of unknown type, a share below the bounds. Exits with 2 when a checker crashes or is missing.
"""

import argparse
import sys
import time
from collections.abc import Sequence

from tests.typing import _suite as suite
from tests.typing._checkers import CHECKERS, Checker, CheckerCrash, Job
from tests.typing._report import Judgement, Known, matrix, shares
from tests.typing._suite import Answers
from tests.typing._verify import verify

EACH_CHECKER, ALL_CHECKERS = 0.95, 0.90


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.typing", description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="ask the checkers again, whatever is cached")
    parser.add_argument("--only", choices=("cases", "source"), help="one half of the work")
    names = [checker.name for checker in CHECKERS]
    parser.add_argument("--checker", action="append", choices=names, help="these checkers, not all six")
    return parser.parse_args()


def _crashes(answers: Answers) -> list[str]:
    return [str(answer) for answer in answers.values() if isinstance(answer, CheckerCrash)]


def _cases(checkers: Sequence[Checker], answers: Answers) -> list[str]:
    cases = suite.load_cases()
    known: Known = {key: failure.outcome for key, failure in suite.known_failures().items()}
    judgements = [
        Judgement(checker.name, checker.version() or "", suite.verdicts(answers[checker], cases))
        for checker in checkers
    ]
    print(matrix(judgements, known))
    worst, common = shares(judgements)
    print(f"\nRight in the worst checker: {worst:.1%}; in all of them: {common:.1%}.")
    problems = [surprise for judgement in judgements for surprise in judgement.surprises(known)]
    if worst < EACH_CHECKER or common < ALL_CHECKERS:
        problems.append(f"below the bounds: {EACH_CHECKER:.0%} in each checker, {ALL_CHECKERS:.0%} in all")
    return problems


def _source(job: Job, answers: Answers) -> list[str]:
    counts = ", ".join(
        f"{checker.name} {len(answer)}" for checker, answer in answers.items() if isinstance(answer, list)
    )
    print(f"Errors in the source, Python {job.python}: {counts}.")
    return [
        f"{checker.name}, {job.python}: {found.file}.py:{found.line}: [{found.rule}] {found.message}"
        for checker, answer in answers.items()
        if isinstance(answer, list)
        for found in answer
    ]


def _completeness() -> list[str]:
    found = verify("asgikit", suite.SRC)
    print(f"Public symbols of known type: {found.known}, {found.score:.2%}; others: {len(found.lacking)}.")
    return [f"unknown or ambiguous: {name}" for name in found.lacking] or ([] if found.score == 1 else ["incomplete"])


def main() -> int:
    """Run what was asked for and print it; return the exit status."""
    options = _arguments()
    checkers = [checker for checker in CHECKERS if not options.checker or checker.name in options.checker]
    if missing := [checker.name for checker in checkers if checker.version() is None]:
        print(f"Not installed: {', '.join(missing)}. They are in the extra `types` of this repository.")
        return 2
    started = time.monotonic()
    jobs = [
        *([suite.cases_job()] if options.only != "source" else []),
        *(suite.SOURCE_JOBS if options.only != "cases" else ()),
    ]
    answers = suite.run_all(checkers, jobs, fresh=options.fresh)
    if crashes := [crash for job in jobs for crash in _crashes(answers[job.name])]:
        print("\n".join(crashes))
        return 2
    problems = _cases(checkers, answers["cases"]) if options.only != "source" else []
    if options.only != "cases":
        problems += [problem for job in suite.SOURCE_JOBS for problem in _source(job, answers[job.name])]
        problems += _completeness()
    print(f"{time.monotonic() - started:.1f} s.")
    print("\n".join(["", *problems]) if problems else "No regression.")
    return 1 if problems else 0


sys.exit(main())
