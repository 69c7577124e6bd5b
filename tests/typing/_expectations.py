"""What a case file expects, read from its comments. Pure.

A case is the stretch of a file from one `# case: title` line to the next. Within it a line may say:

    # E        an error must be reported on this line
    # E?       an error may be
    # E[tag]   an error must be reported on one of the lines with this tag

On any other line an error is a false one.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

__all__ = ("Case", "read_cases")

_TITLE = re.compile(r"^# case: (?P<title>\S.*)$")
_MARK = re.compile(r"#\s*E(?P<may>\?)?(?:\[(?P<tag>[\w-]+)\])?(?=$|[\s:])")


@dataclass(frozen=True)
class Case:
    """One numbered piece of client code: where it stands, and where errors must and may be."""

    file: str
    number: int
    title: str
    lines: range
    required: tuple[frozenset[int], ...]
    allowed: frozenset[int]

    @property
    def id(self) -> str:
        """The name under which results and known failures speak of the case."""
        return f"{self.file}: {self.title}"


@dataclass(frozen=True)
class _Mark:
    line: int
    tag: str
    optional: bool


def _marks(lines: Sequence[str], numbers: range) -> Iterator[_Mark]:
    for number in numbers:
        for match in _MARK.finditer(lines[number - 1]):
            yield _Mark(number, match["tag"] or f"line {number}", match["may"] is not None)


def _case(file: str, number: int, title: str, lines: Sequence[str], numbers: range) -> Case:
    marks = list(_marks(lines, numbers))
    needed = sorted((mark for mark in marks if not mark.optional), key=lambda mark: mark.tag)
    groups = groupby(needed, key=lambda mark: mark.tag)
    required = tuple(frozenset(mark.line for mark in group) for _, group in groups)
    return Case(file, number, title, numbers, required, frozenset(mark.line for mark in marks))


def read_cases(file: str, text: str) -> list[Case]:
    """Return the cases of one file; what stands above the first title is its own case."""
    lines = text.splitlines()
    titles = [(number, match["title"]) for number, line in enumerate(lines, 1) if (match := _TITLE.match(line))]
    starts = [(1, "the top of the file"), *titles, (len(lines) + 1, "end")]
    return [
        _case(file, index, title, lines, range(start, end))
        for index, ((start, title), (end, _)) in enumerate(pairwise(starts))
    ]
