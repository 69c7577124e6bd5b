"""Answers of the checkers, kept under a hash of everything that can change them."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict
from importlib.metadata import distributions
from pathlib import Path

from tests.typing._checkers import Checker, Job
from tests.typing._diagnostics import Diagnostic

__all__ = ("check",)


def _files(paths: Iterable[Path]) -> list[Path]:
    return sorted(
        file for path in paths for file in ([path] if path.is_file() else [*path.rglob("*.py"), *path.rglob("*.pyi")])
    )


def _key(checker: Checker, job: Job) -> str:
    digest = hashlib.sha256(Path(__file__).with_name("_checkers.py").read_bytes())
    digest.update(Path(__file__).with_name("_diagnostics.py").read_bytes())
    installed = sorted({f"{found.name}=={found.version}" for found in distributions()})
    digest.update("\n".join([checker.name, job.name, job.python, *installed]).encode())
    for file in _files([*job.paths, *job.search]):
        digest.update(b"\0" + str(file).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:32]


def check(checker: Checker, job: Job, *, fresh: bool = False) -> list[Diagnostic]:
    """Return what the checker says about the job, from the cache unless something changed or `fresh` is true."""
    kept = job.folder / f"{checker.name}-{job.name}.json"
    key = _key(checker, job)
    if not fresh and kept.exists():
        answer = json.loads(kept.read_text(encoding="utf-8"))
        if answer["key"] == key:
            return [Diagnostic(**found) for found in answer["diagnostics"]]
    diagnostics = checker.check(job)
    answer = {"key": key, "diagnostics": [asdict(found) for found in diagnostics]}
    kept.write_text(json.dumps(answer), encoding="utf-8")
    return diagnostics
