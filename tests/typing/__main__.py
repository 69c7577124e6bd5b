"""`python -m tests.typing`: the cases, the source and the public interface under all checkers, as a table.

Exits with 1 on a regression: a case that fails and is not known to, one that is known to and does not, an error in the
source, a symbol of unknown type, a share below the bounds. Exits with 2 when a checker crashes or is missing.
"""

import argparse
import sys
import time
from collections.abc import Mapping, Sequence

from tests.support.completeness import faults, read_report
from tests.typing import _suite as suite
from tests.typing._broken import broken_sources, unnoticed
from tests.typing._checkers import CHECKERS, Checker, CheckerCrash
from tests.typing._report import Judgement, Known, matrix, shares
from tests.typing._suite import Answers

EACH_CHECKER, ALL_CHECKERS = 0.95, 0.90


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.typing", description=__doc__)
    parser.add_argument("--fresh", action="store_true", help="ask the checkers again, whatever is cached")
    parser.add_argument("--broken", action="store_true", help="break signatures on purpose: do all notice?")
    parser.add_argument("--only", choices=("cases", "source"), help="one half of the work")
    names = [checker.name for checker in CHECKERS]
    parser.add_argument("--checker", action="append", choices=names, help="these checkers, not all six")
    return parser.parse_args()


def _cases(checkers: Sequence[Checker], answers: Answers, known: Known) -> list[str]:
    cases = suite.load_cases()
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


def _source(answers: Mapping[str, Answers]) -> list[str]:
    pythons: dict[str, list[str]] = {}
    for job in suite.SOURCE_JOBS:
        found = {checker.name: suite.sound(answer) for checker, answer in answers[job.name].items()}
        counts = ", ".join(f"{name} {len(diagnostics)}" for name, diagnostics in found.items())
        print(f"Errors in the source, Python {job.python}: {counts}.")
        for name, diagnostics in found.items():
            for error in diagnostics:
                told = f"{error.file}.py:{error.line}: {name}: [{error.rule}] {error.message}"
                pythons.setdefault(told, []).append(job.python)
    return [f"{told} ({', '.join(versions)})" for told, versions in pythons.items()]


def _completeness() -> list[str]:
    report = read_report()
    counts = report["typeCompleteness"]["exportedSymbolCounts"]
    score = report["typeCompleteness"]["completenessScore"]
    ambiguous, unknown = counts["withAmbiguousType"], counts["withUnknownType"]
    print(f"Public symbols: {counts['withKnownType']} known, {ambiguous} ambiguous, {unknown} unknown: {score:.1%}.")
    return [f"verifytypes: {fault}" for fault in faults(report)]


def _broken(checkers: Sequence[Checker], known: Known) -> list[str]:
    jobs = [
        suite.cases_job(f"broken-{number}", src)
        for number, (_, src) in enumerate(broken_sources(suite.FOLDER / "sources"), 1)
    ]
    print("Cases that fail when a signature is broken on purpose:")
    return list(unnoticed(checkers, suite.run_all(checkers, jobs), known))


def _judge(checkers: Sequence[Checker], options: argparse.Namespace, known: Known) -> list[str]:
    cases = [suite.cases_job()] if options.only != "source" else []
    source = suite.SOURCE_JOBS if options.only != "cases" else ()
    answers = suite.run_all(checkers, [*cases, *source], fresh=options.fresh)
    problems = _cases(checkers, answers["cases"], known) if cases else []
    return [*problems, *(_source(answers) + _completeness() if source else [])]


def main() -> int:
    """Run what was asked for and print it; return the exit status."""
    options = _arguments()
    checkers = [checker for checker in CHECKERS if not options.checker or checker.name in options.checker]
    if missing := suite.missing():
        print(f"Not installed: {', '.join(missing)}. They are in the extra `tests` of this repository.")
        return 2
    started = time.monotonic()
    known: Known = {key: failure.outcome for key, failure in suite.known_failures().items()}
    try:
        problems = _broken(checkers, known) if options.broken else _judge(checkers, options, known)
    except CheckerCrash as crash:
        print(crash)
        return 2
    print(f"{time.monotonic() - started:.1f} s.")
    print("\n".join(["", *problems]) if problems else "No regression.")
    return 1 if problems else 0


sys.exit(main())
