"""The harness itself: a harness that cannot fail would prove nothing."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.typing._broken import broken_sources
from tests.typing._cache import check
from tests.typing._checkers import Checker, CheckerCrash, Job
from tests.typing._diagnostics import (
    Diagnostic,
    from_gitlab,
    from_mypy,
    from_pyrefly,
    from_pyright,
    from_zuban,
)
from tests.typing._expectations import read_cases
from tests.typing._pages import block_case
from tests.typing._report import Judgement, matrix, shares
from tests.typing._verdicts import Outcome, judge, judge_all

TEXT = """\
import x
# case: right
f(1)
# case: wrong
f("a")  # E: not a string
g(
    "a",  # E[call]
)  # E[call]
h()  # E?
"""


def _found(line: int, rule: str = "arg-type", file: str = "calls") -> Diagnostic:
    return Diagnostic(file, line, rule, "no")


def test_a_file_is_cut_at_its_titles() -> None:
    top, right, wrong = read_cases("calls", TEXT)
    assert (top.lines, right.lines, wrong.lines) == (range(1, 2), range(2, 4), range(4, 10))
    assert (right.id, right.required, right.allowed) == ("calls: right", (), frozenset())
    assert wrong.required == (frozenset({7, 8}), frozenset({5}))
    assert wrong.allowed == {5, 7, 8, 9}


@pytest.mark.parametrize(
    ("found", "outcome"),
    [
        ([_found(5), _found(7)], "ok"),
        ([_found(5), _found(8)], "ok"),
        ([_found(5), _found(8), _found(9)], "ok"),
        ([_found(5)], "missed"),
        ([], "missed"),
        ([_found(5), _found(7), _found(6)], "false error"),
        ([_found(6)], "false error"),
        ([_found(5), _found(7), _found(3)], "ok"),
        ([_found(5), _found(7), _found(6, file="others")], "ok"),
        ([_found(5), _found(7, "no-untyped-call")], "missed"),
        ([_found(5), _found(7, "reportUnknownMemberType")], "missed"),
    ],
)
def test_a_case_is_judged_by_its_own_lines(found: list[Diagnostic], outcome: Outcome) -> None:
    """A line of another case or file counts neither way; "untyped" diagnostics never satisfy an expected error."""
    assert judge(read_cases("calls", TEXT)[2], found).outcome == outcome


def test_an_untyped_diagnostic_where_none_belongs_is_a_false_error() -> None:
    assert judge(read_cases("calls", TEXT)[1], [_found(3, "reportUnknownMemberType")]).outcome == "false error"


def test_a_verdict_explains_itself() -> None:
    told = judge(read_cases("calls", TEXT)[2], [_found(5), _found(6)]).explain()
    assert told == "calls.py:6: [arg-type] no\ncalls.py:7 or 8: no error reported"


MYPY = {"file": "/a/calls.py", "line": 5, "message": "no", "code": "arg-type", "severity": "error"}
PYRIGHT = {
    "file": "/a/calls.py",
    "severity": "error",
    "message": "no",
    "rule": "arg-type",
    "range": {"start": {"line": 4}},
}
GITLAB = {
    "check_name": "arg-type",
    "description": "no",
    "severity": "major",
    "location": {"path": "/a/calls.py", "positions": {"begin": {"line": 5}}},
}
PYREFLY = {"path": "/a/calls.py", "line": 5, "name": "arg-type", "description": "no", "severity": "error"}


def test_six_formats_become_one() -> None:
    expected = [_found(5)]
    note = json.dumps({**MYPY, "severity": "note"})
    assert list(from_mypy(f"{json.dumps(MYPY)}\n{note}\n")) == expected
    warning = {**PYRIGHT, "severity": "warning"}
    assert list(from_pyright(json.dumps({"generalDiagnostics": [PYRIGHT, warning]}))) == expected
    assert list(from_gitlab(json.dumps([GITLAB, {**GITLAB, "severity": "minor"}]))) == expected
    assert list(from_pyrefly(json.dumps({"errors": [PYREFLY]}))) == expected
    assert list(from_zuban("/a/calls.py:5: error: no  [arg-type]\n/a/calls.py:5: note: see\n")) == expected


def _checker(program: Path, script: str) -> Checker:
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o700)
    return Checker(program.name, lambda job, folder: [], from_mypy)


def _job(folder: Path) -> Job:
    return Job("cases", (folder,), (folder,), folder)


@pytest.mark.parametrize("script", ["exit 2", "kill -SEGV $$", "echo panicked; exit 101", "echo not json; exit 1"])
def test_a_checker_that_crashes_is_an_error_and_no_silence(
    script: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    checker = _checker(tmp_path / "fake", script)
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    with pytest.raises(CheckerCrash):
        checker.check(_job(tmp_path))


def test_a_checker_that_stops_early_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The canary: a run that says nothing of the last file counts as a crash."""
    from tests.typing import _suite as suite

    checker = _checker(tmp_path / "fake", "exit 0")
    monkeypatch.setattr("sys.executable", str(tmp_path / "python"))
    answer = suite.run_all([checker], [_job(tmp_path)])["cases"][checker]
    assert isinstance(answer, CheckerCrash)
    with pytest.raises(CheckerCrash, match="stopped early"):
        suite.verdicts(answer, [])


def _counted(answers: Iterator[int]) -> Checker:
    def configure(job: Job, folder: Path) -> list[str]:
        raise AssertionError

    @dataclass(frozen=True)
    class Counted(Checker):
        def check(self, job: Job) -> list[Diagnostic]:
            return [_found(next(answers))]

    return Counted("fake", configure, from_mypy)


def test_answers_are_kept_until_something_changes(tmp_path: Path) -> None:
    cases = tmp_path / "cases"
    cases.mkdir()
    (cases / "calls.py").write_text(TEXT)
    job = Job("cases", (cases,), (cases,), tmp_path)
    checker = _counted(iter([1, 2, 3]))
    assert check(checker, job) == check(checker, job) == [_found(1)]
    assert check(checker, job, fresh=True) == [_found(2)]
    (cases / "calls.py").write_text(TEXT + "\n")
    assert check(checker, job) == check(checker, job) == [_found(3)]


def _judgement(checker: str, *found: Diagnostic) -> Judgement:
    return Judgement(checker, "1.0", judge_all(read_cases("calls", TEXT), found))


def test_the_matrix_counts_titled_cases() -> None:
    lines = matrix(
        [_judgement("a", _found(5), _found(7)), _judgement("b", _found(3))], {("b", "calls: right"): "missed"}
    )
    assert [line.split()[1:] for line in lines.splitlines()[2:]] == [
        ["1.0", "2", "2", "0", "0", "0", "100.0%"],
        ["1.0", "2", "0", "1", "1", "1", "0.0%"],
    ]


def test_shares_are_of_the_worst_and_of_all() -> None:
    assert shares([_judgement("a", _found(5), _found(7)), _judgement("b", _found(3), _found(5), _found(7))]) == (
        0.5,
        0.5,
    )


def test_surprises_go_both_ways() -> None:
    """A regression is told, and so is an improvement; a known failure is not."""
    worse = _judgement("a", _found(3), _found(5), _found(7))
    assert [told.splitlines()[0] for told in worse.surprises({})] == ["a: calls: right: false error, expected ok"]
    assert list(worse.surprises({("a", "calls: right"): "false error"})) == []
    better = _judgement("a", _found(5), _found(7))
    assert list(better.surprises({("a", "calls: right"): "missed"})) == ["a: calls: right: ok, expected missed"]


PAGE = """\
# A heading
Words.

```python
f(1)
```

```console
$ ls  # E
```

## Another

```python
# a comment is no heading
f("a")  # E
```
"""


def test_a_page_is_a_file_of_cases_in_which_every_line_keeps_its_number() -> None:
    """Q2: the documentation is client code, and is checked like it."""
    text = block_case(PAGE)
    cases = read_cases("page", text)
    assert [case.title for case in cases] == ["the top of the file", "A heading", "Another"]
    assert text.splitlines()[4] == "f(1)"
    assert cases[1].required == ()
    assert cases[2].required == (frozenset({16}),)


def test_the_breaks_fit_the_source(tmp_path: Path) -> None:
    """`--broken` edits the source as text; when a signature moves, its break has to follow."""
    for broken, src in broken_sources(tmp_path):
        assert broken.new in (src / "asgikit" / broken.file).read_text()
