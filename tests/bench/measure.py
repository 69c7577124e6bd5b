"""How a row is measured: many short rounds, the entrants taking turns, in one process.

A machine is never quiet, so nothing is compared with what was measured at another time: each round of ours is
divided by the rival's round beside it, and the median of those ratios is what a bar is held against. Garbage is
collected before every round and not during it, as `timeit` does, and every round begins on a machine at rest.
"""

import gc
import statistics
import time
from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

from tests.bench.shape import OURS, Bar, Round, Row

__all__ = ("Measured", "Verdict", "measure")

ROUNDS = 5
"""How many rounds are run with the same threads. The kernel likes to leave a thread on the processor where it is, and
a pair of threads on one processor is several times as quick as a pair on two: so everybody gets new ones often."""

REST = 0.003
"""Seconds of rest before each round. A virtual processor that has been idle for a while is not woken for a short job,
one that was in use a moment ago is: without a rest an entrant's threads ran on one processor or on two, 20 or 50 us a
crossing, by what the entrant before it had done."""


@dataclass(frozen=True)
class Verdict:
    """One bar and what was reached. `ratio` is None when the rival is missing, which does not count as reached."""

    bar: Bar
    ratio: float | None

    @property
    def reached(self) -> bool:
        return self.ratio is not None and self.ratio <= self.bar.ratio


@dataclass(frozen=True)
class Measured:
    """What came out of one row: seconds per job and rounds of every entrant, and who could not take part and why."""

    row: Row
    times: Mapping[str, tuple[float, ...]]
    missing: Mapping[str, str]

    def median(self, name: str) -> float:
        """Seconds that `name` needs for one job."""
        return statistics.median(self.times[name])

    def ratio(self, rival: str, ours: str = OURS) -> float:
        """Our time divided by the rival's, round by round; the median."""
        return statistics.median(mine / its for mine, its in zip(self.times[ours], self.times[rival], strict=True))

    @property
    def verdicts(self) -> list[Verdict]:
        return [Verdict(bar, self.ratio(bar.rival) if bar.rival in self.times else None) for bar in self.row.bars]

    @property
    def reached(self) -> bool:
        return all(verdict.reached for verdict in self.verdicts)

    def as_json(self) -> dict[str, Any]:
        return {
            "row": self.row.name,
            "job": self.row.job,
            "rounds": len(next(iter(self.times.values()))),
            "seconds": {name: self.median(name) for name in self.times},
            "ratios": {name: self.ratio(name) for name in self.times if name != OURS},
            "bars": [
                {"rival": v.bar.rival, "ratio": v.bar.ratio, "got": v.ratio, "ok": v.reached} for v in self.verdicts
            ],
            "missing": dict(self.missing),
        }


def measure(row: Row, seconds: float) -> Measured:
    """Run rounds of all entrants of a row for about `seconds`, at least a few of each."""
    times: dict[str, list[float]] = {name: [] for name in row.entrants}
    missing: dict[str, str] = {}
    deadline = time.perf_counter() + seconds
    names = list(row.entrants)
    while True:
        _build_and_take_turns(row, times, missing, names)
        if time.perf_counter() >= deadline:
            return Measured(row, {name: tuple(values) for name, values in times.items() if values}, missing)


def _build_and_take_turns(
    row: Row, times: Mapping[str, list[float]], missing: dict[str, str], names: list[str]
) -> None:
    """Run some rounds with entrants built afresh."""
    with ExitStack() as stack:
        rounds: dict[str, Round] = {}
        for name, entrant in row.entrants.items():
            try:
                rounds[name] = stack.enter_context(entrant())
            except ImportError as error:
                missing[name] = str(error)
        for round_of in rounds.values():
            round_of(row.calls)  # threads are started, caches are warm
        gc.collect()
        gc.freeze()
        try:
            for _ in range(ROUNDS):
                for name in names:
                    if name in rounds:
                        times[name].append(_undisturbed(rounds[name], row.calls))
                names.append(names.pop(0))  # nobody is always first
        finally:
            gc.unfreeze()


def _undisturbed(round_of: Round, calls: int) -> float:
    time.sleep(REST)
    gc.collect()
    gc.disable()
    try:
        return round_of(calls) / calls
    finally:
        gc.enable()
