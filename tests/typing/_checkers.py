"""The six checkers: how each is called, and how its answer is read. One call checks a whole folder."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from tests.typing import _diagnostics as read
from tests.typing._diagnostics import Diagnostic

__all__ = ("CHECKERS", "Checker", "CheckerCrash", "Job")


class CheckerCrash(RuntimeError):
    """A checker did not run to its end, so its silence means nothing."""


@dataclass(frozen=True)
class Job:
    """What is to be checked and how: `client` is strict as a user's project is, `source` as strict as can be."""

    name: str
    paths: tuple[Path, ...]
    search: tuple[Path, ...]
    folder: Path  # for the checkers' configuration and caches
    python: str = "3.11"
    source: bool = False


@dataclass(frozen=True)
class Checker:
    """One checker. `configure` writes what it needs into a folder and returns its arguments."""

    name: str
    configure: Callable[[Job, Path], list[str]]
    parse: Callable[[str], Iterator[Diagnostic]]
    clean_exits: frozenset[int] = frozenset({0, 1})

    def version(self) -> str | None:
        """Return the installed version, or None."""
        try:
            return version(self.name)
        except PackageNotFoundError:
            return None

    def check(self, job: Job) -> list[Diagnostic]:
        """Run over the job's paths and return every error. Blocks for seconds. Raises CheckerCrash."""
        folder = job.folder / f"{self.name}-{job.name}"
        folder.mkdir(parents=True, exist_ok=True)
        command = [str(Path(sys.executable).with_name(self.name)), *self.configure(job, folder)]
        done = subprocess.run(command, capture_output=True, text=True, cwd=folder, env=_environment(), check=False)
        if done.returncode not in self.clean_exits:
            raise CheckerCrash(f"{self.name} ended with {done.returncode}:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
        try:
            return list(self.parse(done.stdout))
        except (ValueError, KeyError) as error:
            raise CheckerCrash(f"{self.name} answered {done.stdout[-2000:]!r} {done.stderr[-2000:]!r}") from error


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("MYPY", "PYTHON", "VIRTUAL"))}
    return kept | {"NO_COLOR": "1", "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1"}


def _paths(paths: Sequence[Path]) -> list[str]:
    return [str(path) for path in paths]


def _ini(job: Job) -> dict[str, str]:
    settings = {
        "strict": "True",
        "python_version": job.python,
        "python_executable": sys.executable,
        "mypy_path": ":".join(_paths(job.search)),
        "namespace_packages": "True",
        "explicit_package_bases": "True",
        "local_partial_types": "True",
    }
    if job.source:
        settings |= {"strict_bytes": "True", "extra_checks": "True"}
        # not `deprecated`: typeshed marks asyncio.iscoroutinefunction for 3.11 too, where there is nothing else
        codes = ["exhaustive-match", "ignore-without-code", "mutable-override", "possibly-undefined"]
        codes += ["redundant-expr", "redundant-self", "truthy-bool", "truthy-iterable", "unimported-reveal"]
        settings["enable_error_code"] = ", ".join(codes)
    return settings


def _write_ini(job: Job, folder: Path, extra: Mapping[str, str]) -> str:
    lines = [f"{name} = {value}" for name, value in (_ini(job) | dict(extra)).items()]
    path = folder / "mypy.ini"
    path.write_text("\n".join(["[mypy]", *lines, ""]), encoding="utf-8")
    return str(path)


def _mypy(job: Job, folder: Path) -> list[str]:
    # zuban's own idea of what is reachable is not yet mypy's, so the rule is for mypy alone
    ini = _write_ini(job, folder, {"cache_dir": str(folder / "cache"), "warn_unreachable": str(job.source)})
    return ["--config-file", ini, "--output", "json", "--no-error-summary", *_paths(job.paths)]


def _zuban(job: Job, folder: Path) -> list[str]:
    return ["mypy", "--config-file", _write_ini(job, folder, {}), "--no-error-summary", *_paths(job.paths)]


def _pyright(rules: Mapping[str, object]) -> Callable[[Job, Path], list[str]]:
    def configure(job: Job, folder: Path) -> list[str]:
        settings = {
            "include": [os.path.relpath(path, folder) for path in job.paths],  # it ignores absolute ones
            "exclude": [],  # the default leaves out folders that begin with a dot
            "extraPaths": _paths(job.search),
            "pythonVersion": job.python,
            "typeCheckingMode": "strict",
            # Cases define what they do not use: a rule of style, not of types.
            **({} if job.source else {"reportUnusedFunction": "none", "reportUnusedClass": "none"}),
            **(rules if job.source else {}),
        }
        path = folder / "pyrightconfig.json"
        path.write_text(json.dumps(settings, indent=1), encoding="utf-8")
        return ["-p", str(path), "--pythonpath", sys.executable, "--outputjson"]

    return configure


def _ty(job: Job, folder: Path) -> list[str]:
    search = [argument for path in job.search for argument in ("--extra-search-path", str(path))]
    python = ["--python", sys.executable, "--python-version", job.python]
    left_out = [argument for rule in _TY_LEFT_OUT for argument in ("--ignore", rule)]
    strict = ["--error", "all", *left_out] if job.source else []
    options = ["--project", str(folder), "--output-format", "gitlab", "--no-progress"]
    return ["check", *options, *python, *search, *strict, *_paths(job.paths)]


def _pyrefly(job: Job, folder: Path) -> list[str]:
    settings = [
        f"search-path = {_paths(job.search)!r}",
        f"python-version = '{job.python}'",
        f"python-interpreter-path = '{sys.executable}'",
        "preset = 'strict'",
        "use-ignore-files = false",
        "disable-project-excludes-heuristics = true",
        "[errors]",
        *(f"{rule} = false" for rule in (_PYREFLY_LEFT_OUT if job.source else _PYREFLY_LEFT_OUT[:1])),
    ]
    path = folder / "pyrefly.toml"
    path.write_text("\n".join(settings) + "\n", encoding="utf-8")
    return ["check", "--config", str(path), "--output-format", "json", "--summary", "none", *_paths(job.paths)]


# Left out of "everything": what is style (an override decorator needs 3.12; a truth test of `str | None` is one), and
# what reports each value that is Any, which the truth sometimes is; what cannot know of other threads.
_TY_LEFT_OUT = (
    *("deprecated", "redundant-condition-strict"),
    *("missing-override-decorator", "truthiness-test-of-none-union"),
    *("unsound-assignment", "unsound-return", "unsound-yield"),
)
_PYREFLY_LEFT_OUT = (
    "missing-override-decorator",
    *("implicit-any-empty-container", "implicit-any-type-argument"),
    "open-unpacking",  # every TypedDict is open on the supported versions
)
_PYRIGHT_SOURCE = {"reportUnnecessaryTypeIgnoreComment": "error", "reportPrivateUsage": "none"}
_BASED_LEFT_OUT = (
    *("Any", "ExplicitAny"),  # the truth, where it stands
    *(
        "ImplicitOverride",
        "ImplicitStringConcatenation",
        "MissingSuperCall",
        "UnusedCallResult",
        "UnusedParameter",
    ),  # style
    *("UnannotatedClassAttribute", "UninitializedInstanceVariable"),  # verifytypes asks for what users can see
    *("ImportCycles", "PrivateUsage"),  # import-linter knows the rooms and which imports happen at run time
    *("IncompatibleUnannotatedOverride", "InvalidCast"),  # of `__slots__`; of a module to a protocol
    "UnsafeMultipleInheritance",  # each of our errors is a builtin one too
    "Unreachable",  # what is for another version of Python
)
_BASED_SOURCE: Mapping[str, object] = {
    **_PYRIGHT_SOURCE,
    "typeCheckingMode": "all",
    "deprecateTypingAliases": False,
    **{f"report{rule}": "none" for rule in _BASED_LEFT_OUT},
}

CHECKERS: tuple[Checker, ...] = (
    Checker("mypy", _mypy, read.from_mypy),
    Checker("pyright", _pyright(_PYRIGHT_SOURCE), read.from_pyright),
    Checker("basedpyright", _pyright(_BASED_SOURCE), read.from_pyright),
    Checker("ty", _ty, read.from_gitlab),
    Checker("pyrefly", _pyrefly, read.from_pyrefly),
    Checker("zuban", _zuban, read.from_zuban),
)
"""The checkers in the order of the matrix."""
