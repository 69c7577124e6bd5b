"""The stubs for the real asgiref: true to the installed package, and worth installing."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.stubs import checkers
from tests.support.packages import require_package, require_packages

MODULES = {path.stem for path in checkers.STUBS.glob("*.pyi")}


def test_every_module_is_covered() -> None:
    require_package("asgiref")
    import asgiref

    package = Path(asgiref.__file__).parent
    assert {path.stem for path in package.glob("*.py")} == MODULES
    assert (checkers.STUBS / "py.typed").read_text() == "partial\n"


@pytest.mark.timeout(checkers.TIMEOUT)
def test_installable(tmp_path: Path) -> None:
    """J7: `pip install stubs/asgiref-stubs`, here with the builder that is installed instead of a fetched one."""
    require_package("hatchling")
    distribution = checkers.STUBS.parent
    command = [sys.executable, "-m", "pip", "install", "-qq", "--no-deps", "--no-build-isolation", "--target", tmp_path]
    subprocess.run([*map(str, command), str(distribution)], check=True, capture_output=True)
    installed = {path.name for path in (tmp_path / "asgiref-stubs").iterdir()}
    assert installed == {path.name for path in checkers.STUBS.iterdir()}


@pytest.mark.timeout(checkers.TIMEOUT)
def test_stubtest_has_no_complaint(tmp_path: Path) -> None:
    """P3, J7: what the stubs say is what the installed asgiref has, by `mypy.stubtest`."""
    require_packages(("asgiref", "mypy"))
    environ = os.environ | {"MYPYPATH": str(checkers.shadow(tmp_path))}
    command = [sys.executable, "-m", "mypy.stubtest", "asgiref"]
    run = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, check=False)
    assert run.stdout.strip() == f"Success: no issues found in {len(MODULES)} modules", run.stdout + run.stderr


KNOWN = {
    # A subclass that widens `*args` of a method with named parameters is refused there.
    "zuban": {"thread_handler overridden as Channels does"},
}


@pytest.mark.timeout(2 * checkers.TIMEOUT)
@pytest.mark.parametrize("checker", ["mypy", "pyright", "basedpyright", "ty", "pyrefly", "zuban"])
def test_cases(checker: str, tmp_path: Path, record_property: Callable[[str, object], None]) -> None:
    """P2, P4, J7: the cases pass with the stubs, and more of them than with asgiref's own types."""
    require_packages(("asgiref", checker))
    stubs = checkers.shadow(tmp_path)
    counts: dict[str, set[str]] = {}
    for title, path in (("asgiref alone", None), ("with the stubs", stubs)):
        folder = tmp_path / title.replace(" ", "_")
        checkers.write(folder, path)
        command = checkers.commands(folder, path)[checker]
        counts[title] = checkers.passing(checker, command, folder, path)
        record_property(title, len(counts[title]))
    print(
        f"{checker}: "
        + ", ".join(f"{len(passed)} of {len(checkers.cases())} {title}" for title, passed in counts.items())
    )
    every = {case.title for case in checkers.cases()}
    assert every - counts["with the stubs"] == KNOWN.get(checker, set())
    assert counts["asgiref alone"] < counts["with the stubs"]
