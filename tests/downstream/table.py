"""Compares two runs of a suite and prints what came of it. Pure, but for the printing."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Comparison:
    """Both runs of one suite, and what is known about it beforehand."""

    title: str
    asgiref: Mapping[str, str]
    asgikit: Mapping[str, str]
    known: Mapping[str, str] = field(default_factory=dict[str, str])
    flaky: Sequence[str] = ()

    def lost(self) -> list[str]:
        """The tests that pass on asgiref and not on asgikit, one that never ran included."""
        passed = (test for test, outcome in self.asgiref.items() if outcome == "passed")
        return sorted(test for test in passed if self.asgikit.get(test) != "passed" and test not in self.flaky)

    def unexcused(self) -> list[str]:
        """Those of them for which no reason is written down."""
        return [test for test in self.lost() if test not in self.known]

    def gained(self) -> list[str]:
        """The tests that fail on asgiref and pass on asgikit."""
        return sorted(
            test for test, outcome in self.asgikit.items() if outcome == "passed" and self.asgiref.get(test) == "failed"
        )

    def row(self) -> tuple[str, ...]:
        """The line of the table."""
        one, other = Counter(self.asgiref.values()), Counter(self.asgikit.values())
        regained = len(self.flaky)
        return (
            self.title,
            f"{one['passed']} passed, {one['failed']} failed",
            f"{other['passed'] + regained} passed, {other['failed'] - regained} failed",
            str(len(self.unexcused())),
            str(len(self.lost()) - len(self.unexcused())),
        )


HEADER = ("suite", "on asgiref", "on asgikit", "lost", "lost, with a reason")


def lines(comparisons: Sequence[Comparison]) -> list[str]:
    """The table, then the tests that need a word."""
    rows = [HEADER, *(comparison.row() for comparison in comparisons)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    table = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    table.insert(1, "  ".join("-" * width for width in widths))
    return table + [line for comparison in comparisons for line in remarks(comparison)]


def remarks(comparison: Comparison) -> list[str]:
    """What the table cannot say of one suite: names and reasons."""
    excused = [test for test in comparison.lost() if test in comparison.known]
    return [
        *(f"LOST        {comparison.title}: {test}" for test in comparison.unexcused()),
        *(f"known       {comparison.title}: {test}: {comparison.known[test]}" for test in excused),
        *(f"second run  {comparison.title}: {test}" for test in comparison.flaky),
        *(f"gained      {comparison.title}: {test}" for test in comparison.gained()),
    ]
