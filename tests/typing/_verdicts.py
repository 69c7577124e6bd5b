"""Cases against diagnostics: is the checker right about the case? Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tests.typing._diagnostics import Diagnostic
from tests.typing._expectations import Case

__all__ = ("Outcome", "Verdict", "judge", "judge_all")

Outcome: TypeAlias = Literal["ok", "false error", "missed"]


@dataclass(frozen=True)
class Verdict:
    """What one checker made of one case."""

    case: Case
    false_errors: tuple[Diagnostic, ...]
    missed: tuple[frozenset[int], ...]

    @property
    def outcome(self) -> Outcome:
        """One word; a case with both faults counts as a false error."""
        return "false error" if self.false_errors else "missed" if self.missed else "ok"

    def explain(self) -> str:
        """Return a line per fault, for a person."""
        false = [f"{found.file}.py:{found.line}: [{found.rule}] {found.message}" for found in self.false_errors]
        lines = [" or ".join(map(str, sorted(group))) for group in self.missed]
        return "\n".join([*false, *(f"{self.case.file}.py:{place}: no error reported" for place in lines)])


def judge(case: Case, diagnostics: Sequence[Diagnostic]) -> Verdict:
    """Return the verdict on one case; the diagnostics may be those of the whole run."""
    mine = [found for found in diagnostics if found.file == case.file and found.line in case.lines]
    hit = {found.line for found in mine if not found.untyped}
    false_errors = tuple(found for found in mine if found.line not in case.allowed)
    return Verdict(case, false_errors, tuple(group for group in case.required if not group & hit))


def judge_all(cases: Iterable[Case], diagnostics: Sequence[Diagnostic]) -> Mapping[str, Verdict]:
    """Return the verdicts by the id of their case."""
    return {case.id: judge(case, diagnostics) for case in cases}
