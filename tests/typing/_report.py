"""The matrix, and what in it is a regression. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from tests.typing._verdicts import Outcome, Verdict

__all__ = ("Judgement", "Known", "matrix", "shares")

Known = Mapping[tuple[str, str], Outcome]
"""The known failures: by checker and case, the outcome that is expected."""


@dataclass(frozen=True)
class Judgement:
    """One checker's verdicts against what is known of it."""

    checker: str
    version: str
    verdicts: Mapping[str, Verdict]

    @property
    def titled(self) -> Mapping[str, Verdict]:
        """The verdicts on the cases proper; the tops of the files are judged too, but not counted."""
        return {name: verdict for name, verdict in self.verdicts.items() if verdict.case.number}

    def count(self, outcome: Outcome) -> int:
        """Return how many cases came out so."""
        return sum(verdict.outcome == outcome for verdict in self.titled.values())

    def surprises(self, known: Known) -> Iterator[str]:
        """Yield a paragraph for each case that fails and is not known to, or is known to and does not."""
        for name, verdict in self.verdicts.items():
            expected = known.get((self.checker, name), "ok")
            if verdict.outcome != expected:
                told = f"{self.checker}: {name}: {verdict.outcome}, expected {expected}"
                yield "\n    ".join([told, *verdict.explain().splitlines()])


def matrix(judgements: Sequence[Judgement], known: Known) -> str:
    """Return the table: checker x ok, false error, missed, of these known."""
    head = f"{'checker':<24}{'cases':>7}{'ok':>7}{'false error':>13}{'missed':>8}{'known':>7}{'right':>9}"
    lines = [head, "-" * len(head)]
    for judgement in judgements:
        total = len(judgement.titled)
        known_here = sum(checker == judgement.checker for checker, _ in known)
        counts = (judgement.count("ok"), judgement.count("false error"), judgement.count("missed"))
        name = f"{judgement.checker} {judgement.version}"
        share = counts[0] / total
        lines.append(f"{name:<24}{total:>7}{counts[0]:>7}{counts[1]:>13}{counts[2]:>8}{known_here:>7}{share:>9.1%}")
    return "\n".join(lines)


def shares(judgements: Sequence[Judgement]) -> tuple[float, float]:
    """Return the share of right cases of the worst checker, and of the cases that all checkers get right."""

    def right(judgement: Judgement, name: str) -> bool:
        return judgement.verdicts[name].outcome == "ok"

    names = list(judgements[0].titled)
    worst = min(sum(right(judgement, name) for name in names) for judgement in judgements)
    common = sum(all(right(judgement, name) for judgement in judgements) for name in names)
    return worst / len(names), common / len(names)
