"""`python -m tests.downstream [suite ...]`: the table; exits with 1 if a test is lost without a written reason.

`python -m tests.downstream serve` measures a project under real servers instead.
"""

import argparse
import json
import sys
import tomllib
from collections.abc import Mapping
from pathlib import Path

from tests.downstream import environment, serve
from tests.downstream.services import ServiceError
from tests.downstream.suites import SUITES, Suite, SuiteError, title
from tests.downstream.table import Comparison, lines
from tests.downstream.versions import CACHE

KNOWN = Path(__file__).parent / "known.toml"


def main(arguments: list[str]) -> int:
    """Run the suites that were named, or all of them."""
    parser = argparse.ArgumentParser(prog="python -m tests.downstream", description=__doc__)
    parser.add_argument("suites", nargs="*", metavar="suite", help=", ".join(suite.name for suite in SUITES))
    parser.add_argument("--on", choices=("asgiref", "asgikit"), help="run one side only, and keep its results")
    parser.add_argument(
        "--keep", action="store_true", help="use the kept results of the run on asgiref, if there are any"
    )
    options = parser.parse_args(arguments)
    if options.suites == ["serve"]:
        environment.prepare()
        return serve.main()
    unknown = set(options.suites) - {suite.name for suite in SUITES}
    if unknown:
        parser.error(f"no such suite: {', '.join(sorted(unknown))}")
    environment.prepare()
    chosen = [suite for suite in SUITES if not options.suites or suite.name in options.suites]
    if options.on:
        for suite in chosen:
            run(suite, drop_in=options.on == "asgikit")
        return 0
    comparisons: list[Comparison] = []
    for suite in chosen:
        try:
            comparisons.append(compare(suite, keep=options.keep))
        except (ServiceError, SuiteError) as error:
            print(f"{title(suite)} could not be run: {error}", file=sys.stderr)
    print("\n".join(lines(comparisons)))
    return int(len(comparisons) < len(chosen) or any(comparison.unexcused() for comparison in comparisons))


def compare(suite: Suite, *, keep: bool) -> Comparison:
    """Run one suite both ways. What fails on asgikit alone gets a second run, and is named if that one passes."""
    known: Mapping[str, str] = tomllib.loads(KNOWN.read_text()).get(suite.name, {})
    before = run(suite, drop_in=False, keep=keep)
    after = run(suite, drop_in=True)
    first = Comparison(title(suite), before, after, known)
    suspects = first.unexcused()
    if not suspects:
        return first
    again = suite.run(drop_in=True, only=suspects)
    return Comparison(title(suite), before, after, known, [test for test in suspects if again.get(test) == "passed"])


def run(suite: Suite, *, drop_in: bool, keep: bool = False) -> Mapping[str, str]:
    """Run one side of one suite and keep its results in the cache."""
    side = "asgikit" if drop_in else "asgiref"
    kept = CACHE / "results" / f"{suite.name}-{side}.json"
    if keep and kept.exists():
        results: dict[str, str] = json.loads(kept.read_text())
        return results
    print(f"{title(suite)} on {side} ...", flush=True)
    results = suite.run(drop_in=drop_in)
    kept.parent.mkdir(parents=True, exist_ok=True)
    kept.write_text(json.dumps(results, indent=1))
    passed = sum(outcome == "passed" for outcome in results.values())
    failed = sum(outcome == "failed" for outcome in results.values())
    print(f"{title(suite)} on {side}: {passed} passed, {failed} failed", flush=True)
    return results


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
