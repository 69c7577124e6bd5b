"""`python -m asgikit trace`: a program under the recorder, as a process of its own."""

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

BRIDGE = """
from asgikit import Bridge

bridge = Bridge()

class app:
    b = bridge
"""

PROGRAM = """
import sys
from shop_bridge import bridge

def load():
    print("arguments", sys.argv[1:])
    return "loaded"

async def view():
    return await bridge.run_sync(load)

if __name__ == "__main__":
    bridge.run_async(view)
    if "fail" in sys.argv:
        sys.exit(3)
    if "raise" in sys.argv:
        raise KeyError("lost")
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop_bridge.py").write_text(BRIDGE)
    (tmp_path / "shop_program.py").write_text(PROGRAM)
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "__init__.py").write_text(BRIDGE)
    (tmp_path / "package" / "__main__.py").write_text(PROGRAM.replace("shop_bridge", "package"))
    return tmp_path


def trace(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-m", "asgikit", "trace", *arguments],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        timeout=50,
        check=False,
        env={**os.environ, "COLUMNS": "100", "PYTHONIOENCODING": "utf-8"},
    )


@pytest.mark.parametrize("program", [("shop_program.py",), ("-m", "shop_program")], ids=["script", "module"])
def test_a_program_runs_as_ever_and_its_trace_is_drawn(folder: Path, program: tuple[str, ...]) -> None:
    done = trace(folder, "shop_bridge:bridge", *program, "one", "--two")
    assert (done.returncode, done.stderr) == (0, "")
    printed, *picture = done.stdout.splitlines()
    assert printed == "arguments ['one', '--two']"
    assert picture[0].startswith("2 crossings in ")
    assert any(line.startswith("MainThread ") for line in picture)
    assert any("__main__.view" in line for line in picture)


def test_the_bridge_of_a_package_that_is_run(folder: Path) -> None:
    """`-m package` runs `package/__main__.py`, so a bridge in `package/__init__.py` is another module's."""
    done = trace(folder, "package:bridge", "-m", "package")
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 crossings in " in done.stdout


@pytest.mark.parametrize("output", [("-o", "out.json"), ("--output=out.json",)], ids=["two words", "one word"])
def test_saved_to_a_file(folder: Path, output: tuple[str, ...]) -> None:
    done = trace(folder, "shop_bridge:app.b", *output, "shop_program.py", "-o", "its own")
    assert (done.returncode, done.stderr) == (0, "")
    assert len(json.loads((folder / "out.json").read_text())["traceEvents"]) > 4
    assert done.stdout == "arguments ['-o', 'its own']\n"


def test_the_exit_status_is_the_programs_and_the_trace_is_not_lost(folder: Path) -> None:
    done = trace(folder, "shop_bridge:bridge", "shop_program.py", "fail")
    assert done.returncode == 3
    assert "2 crossings in " in done.stdout


def test_a_program_that_raises_is_drawn_too(folder: Path) -> None:
    done = trace(folder, "shop_bridge:bridge", "shop_program.py", "raise")
    assert done.returncode == 1
    assert "2 crossings in " in done.stdout
    assert "KeyError: 'lost'" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("shop_bridge:bridge",), "give a script, or -m and a module, to run"),
        (("shop_bridge:bridge", "-m"), "-m needs a value"),
        (("shop_bridge:bridge", "-o"), "-o needs a value"),
        (("no_such_module:bridge", "shop_program.py"), "no bridge at 'no_such_module:bridge'"),
        (("shop_bridge:nothing", "shop_program.py"), "no bridge at 'shop_bridge:nothing'"),
        (("shop_bridge", "shop_program.py"), "write package.module:name"),
        (("shop_bridge:app", "shop_program.py"), "is no bridge"),
        (("shop_bridge:bridge", "nowhere.py"), "nowhere.py"),
        (("shop_bridge:bridge", "-o", "x.txt", "shop_program.py"), ".json, .html or .svg"),
        (("shop_bridge:bridge", "-o", "no/such/folder/x.html", "shop_program.py"), "there is no folder to save"),
        (("shop_program:bridge", "shop_program.py"), "'shop_program' is the program itself, which would run twice"),
        (("shop_program:bridge", "-m", "shop_program"), "'shop_program' is the program itself, which would run twice"),
        (("__main__:bridge", "shop_program.py"), "'__main__' is the program itself"),
        (("package.__main__:bridge", "-m", "package"), "'package.__main__' is the program itself"),
    ],
)
def test_misuse_says_what_is_wrong(folder: Path, arguments: tuple[str, ...], words: str) -> None:
    done = trace(folder, *arguments)
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert not done.stdout


def test_crossings_beyond_the_limit_are_told(folder: Path) -> None:
    """A picture that lacks the end of the program says so."""
    script = """
        import functools, sys
        from asgikit.trace import _command, record
        _command.record = functools.partial(record, limit=1)
        from asgikit.__main__ import main
        sys.exit(main(["trace", "shop_bridge:bridge", "-o", "out.html", "shop_program.py"]))
        """
    command = [sys.executable, "-c", textwrap.dedent(script)]
    done = subprocess.run(command, cwd=folder, capture_output=True, encoding="utf-8", timeout=50, check=False)
    assert (done.returncode, done.stderr) == (
        0,
        "asgikit trace: crossings that came later than those that are kept: 1\n",
    )
    assert "out.html" in {path.name for path in folder.iterdir()}


def test_without_rich_it_says_so_before_the_program_runs(folder: Path) -> None:
    """And a page is saved all the same, which needs no rich."""
    script = """
        import importlib.util, sys
        find = importlib.util.find_spec
        importlib.util.find_spec = lambda name, *rest: None if name == "rich" else find(name, *rest)
        from asgikit.__main__ import main
        print(main(["trace", "shop_bridge:bridge", "shop_program.py"]))
        print(main(["trace", "shop_bridge:bridge", "-o", "out.html", "shop_program.py"]))
    """
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(script)], cwd=folder, capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout.splitlines() == ["2", "arguments []", "0"]
    assert "needs rich (pip install rich)" in done.stderr
    assert (folder / "out.html").stat().st_size > 5_000
