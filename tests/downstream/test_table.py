"""The comparison of two runs, and the list of what is excused."""

import tomllib
from pathlib import Path

from tests.downstream.suites import SUITES
from tests.downstream.table import Comparison, lines

BEFORE = {"a": "passed", "b": "passed", "c": "passed", "d": "failed", "e": "skipped", "f": "passed"}
AFTER = {"a": "passed", "b": "failed", "d": "passed", "e": "skipped", "f": "failed"}


def test_what_is_lost_gained_and_excused() -> None:
    comparison = Comparison("suite 1", BEFORE, AFTER, known={"f": "why"}, flaky=["b"])
    assert comparison.lost() == ["c", "f"]  # `c` never ran
    assert comparison.unexcused() == ["c"]
    assert comparison.gained() == ["d"]
    assert comparison.row() == ("suite 1", "4 passed, 1 failed", "3 passed, 1 failed", "1", "1")


def test_the_table_names_them() -> None:
    table = lines([Comparison("suite 1", BEFORE, AFTER, known={"f": "why"}, flaky=["b"])])
    assert table[0].split("  ")[0] == "suite"
    assert [line.split()[0] for line in table[3:]] == ["LOST", "known", "second", "gained"]
    assert "f: why" in table[4]


def test_few_are_excused_and_each_has_a_reason() -> None:
    known = tomllib.loads((Path(__file__).parent / "known.toml").read_text())
    assert set(known) <= {suite.name for suite in SUITES}
    assert len(known.get("asgiref", {})) < 5
    assert all(reason for reasons in known.values() for reason in reasons.values())
