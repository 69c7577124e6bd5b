"""The bench judges others, so it is tested itself: with entrants whose times are known."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import NoReturn

import pytest

from tests.bench.__main__ import all_rows, chosen, run_rows
from tests.bench.measure import measure
from tests.bench.shape import OURS, Bar, Entrant, Round, Row


@contextmanager
def taking(*seconds_per_call: float) -> Generator[Round]:
    """Yield rounds that say they took so long, each time the next of these; the last one for ever."""
    left = iter(seconds_per_call)
    last = seconds_per_call[-1]
    yield lambda calls: calls * next(left, last)


def row(*bars: Bar, ours: tuple[float, ...] = (1.0,), theirs: tuple[float, ...] = (2.0,)) -> Row:
    entrants: dict[str, Entrant] = {OURS: partial(taking, *ours), "other": partial(taking, *theirs)}
    return Row("a-row", "nothing", entrants, bars, 10)


def test_a_bar_is_a_part_of_the_rivals_time() -> None:
    result = measure(row(Bar("other", 0.5), Bar("other", 0.49)), 0)
    assert [verdict.reached for verdict in result.verdicts] == [True, False]
    assert (result.median(OURS), result.ratio("other")) == (1.0, 0.5)


def test_a_rate_bar_says_how_many_times_as_much() -> None:
    assert measure(row(Bar.rate("other", 2.0)), 0).reached
    assert not measure(row(Bar.rate("other", 2.1)), 0).reached


def test_each_round_is_compared_with_the_rivals_round_beside_it() -> None:
    """A machine that grows slower all the time changes no ratio. The first round warms up and does not count."""
    slower = (9.0, 1.0, 2.0, 3.0, 4.0, 5.0)
    result = measure(row(ours=slower, theirs=tuple(2 * seconds for seconds in slower)), 0)
    assert result.ratio("other") == 0.5
    assert len(result.times[OURS]) == 5


def test_a_bar_against_a_rival_that_is_not_there_is_not_reached() -> None:
    def missing() -> NoReturn:
        raise ImportError("no such library")

    entrants: dict[str, Entrant] = {OURS: partial(taking, 1.0), "other": missing}
    result = measure(Row("a-row", "nothing", entrants, (Bar("other", 100.0),), 10), 0)
    assert (result.reached, result.missing) == (False, {"other": "no such library"})


def test_a_missed_bar_shows_in_the_table_and_in_the_outcome(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [row(Bar("other", 0.4))]
    outcome, reached = run_rows(rows, 0)
    assert not reached
    assert "MISSED x0.40 other" in capsys.readouterr().out
    assert outcome[0]["bars"] == [{"rival": "other", "ratio": 0.4, "got": 0.5, "ok": False}]


def test_a_bar_that_the_floor_itself_would_miss_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    entrants: dict[str, Entrant] = {OURS: partial(taking, 1.0), "other": partial(taking, 2.0)}
    floors = {"floor": partial(taking, 0.9)}, {"floor": partial(taking, 0.7)}
    rows = [Row("a-row", "nothing", entrants | floor, (Bar("other", 0.4),), 10) for floor in floors]
    run_rows(rows, 0)
    said = capsys.readouterr().out
    assert "MISSED x0.40 other (floor x0.45)" in said
    assert said.count("(floor") == 1


def test_every_row_has_a_name_of_its_own_and_bars_against_those_who_take_part() -> None:
    rows = all_rows()
    assert len({row.name for row in rows}) == len(rows)
    for row in rows:
        assert OURS in row.entrants, row.name
        assert {bar.rival for bar in row.bars} <= set(row.entrants), row.name


def test_a_row_that_does_not_exist_is_named_with_those_that_do() -> None:
    with pytest.raises(SystemExit, match=r"no row is named nested, scoop; there are: a-row"):
        chosen([row()], ["nested", "a-row", "scoop"])
    assert [found.name for found in chosen([row()], ["a-row"])] == ["a-row"]


def test_what_names_no_row_names_a_group() -> None:
    rows = [replace(row(), name=name) for name in ("cold", "cold-pooled", "local-read", "local-write")]
    assert chosen(rows, ["local"]) == rows[2:]
    assert chosen(rows, ["cold"]) == rows[:1]
