"""Signatures broken on purpose: `python -m tests.typing --broken` shows that every checker notices each of them."""

import shutil
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.typing import _suite as suite
from tests.typing._checkers import Checker
from tests.typing._report import Judgement, Known

__all__ = ("BREAKS", "Break", "broken_sources", "unnoticed")


@dataclass(frozen=True)
class Break:
    """One edit that makes the library's types wrong: in a file, `old` becomes `new`, so many times."""

    name: str
    file: str
    old: str
    new: str
    times: int


_BRIDGE = "bridge/_wrapping.py"

BREAKS: tuple[Break, ...] = (
    Break("sync_to_async forgets the parameters", _BRIDGE, "Callable[_P, _Coro[_R]]", "Callable[..., _Coro[_R]]", 4),
    Break("async_to_sync gives Any", _BRIDGE, ") -> Callable[_P, _R]: ...", ") -> Callable[_P, Any]: ...", 1),
    Break("executor= needs no thread_sensitive=", _BRIDGE, "executor: None = None", "executor: object = None", 2),
    Break("the status of a response is text", "spec/_http.py", "status: int", "status: str", 1),
)
"""What is tried. Each must fail cases that are right otherwise, in all checkers."""


def broken_sources(folder: Path) -> Iterator[tuple[Break, Path]]:
    """Yield a copy of the sources in `folder` for every break. Raises LookupError when an edit no longer fits."""
    for number, broken in enumerate(BREAKS, 1):
        src = folder / f"broken-{number}"
        shutil.rmtree(src, ignore_errors=True)
        shutil.copytree(suite.SRC, src, ignore=shutil.ignore_patterns("__pycache__"))
        file = src / "asgikit" / broken.file
        text = file.read_text(encoding="utf-8")
        if text.count(broken.old) < broken.times:
            message = f"{broken.name}: {broken.old!r} is not {broken.times} times in {broken.file}"
            raise LookupError(message)
        file.write_text(text.replace(broken.old, broken.new, broken.times), encoding="utf-8")
        yield broken, src


def unnoticed(checkers: Sequence[Checker], answers: Mapping[str, suite.Answers], known: Known) -> Iterator[str]:
    """Yield a line per break and checker that fails no further case; print how many cases each break fails."""
    cases = suite.load_cases()
    for number, broken in enumerate(BREAKS, 1):
        counts: dict[str, int] = {}
        for checker in checkers:
            verdicts = suite.verdicts(answers[f"broken-{number}"][checker], cases)
            judgement = Judgement(checker.name, checker.version() or "", verdicts)
            counts[checker.name] = len(list(judgement.surprises(known)))
        print(f"{broken.name}: {', '.join(f'{name} {count}' for name, count in counts.items())}")
        yield from (f"{name} does not notice: {broken.name}" for name, count in counts.items() if not count)
