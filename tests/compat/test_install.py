"""`install()`, `python -m asgikit.compat.asgiref`, and the processes that such a program starts."""

import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.compat.support import CHECK, environ

THROUGH = ("-m", "asgikit.compat.asgiref")


def python(*arguments: str, folder: Path, **more: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environ(**more),
        capture_output=True,
        text=True,
        timeout=50,
        check=False,
    )


def write(folder: Path, name: str, text: str) -> str:
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(textwrap.dedent(text))
    return str(file)


def test_check(tmp_path: Path) -> None:
    assert python(*THROUGH, "--check", folder=tmp_path).stdout.strip() == CHECK


def test_check_tells_the_real_one(tmp_path: Path) -> None:
    run = python("-c", "from asgikit.compat.asgiref import check; print(check())", folder=tmp_path)
    assert run.stdout.startswith("asgiref 3.13.0 is the real one (")


def test_install_twice_and_both_names(tmp_path: Path) -> None:
    program = """
        import sys
        from asgikit.compat.asgiref import check, install
        finders = len(sys.meta_path)
        install(); install()
        assert len(sys.meta_path) == finders + 1
        import asgiref, asgiref.sync, asgikit.compat.asgiref.sync
        from asgiref import timeout
        assert asgiref.sync is asgikit.compat.asgiref.sync is sys.modules["asgiref.sync"]
        assert asgiref.sync.__spec__.name == "asgikit.compat.asgiref.sync"
        assert timeout is asgiref.timeout
        print(check())
    """
    assert python(write(tmp_path, "program.py", program), folder=tmp_path).stdout.strip() == CHECK


def test_install_after_the_real_one(tmp_path: Path) -> None:
    program = """
        import asgiref.local
        from asgikit.compat.asgiref import install
        try:
            install()
        except RuntimeError as error:
            print(error)
    """
    run = python(write(tmp_path, "program.py", program), folder=tmp_path)
    assert run.stdout.startswith("the real asgiref was imported already (asgiref, asgiref.local)"), run.stderr
    assert "python -m asgikit.compat.asgiref" in run.stdout


def test_a_module_that_asgiref_has_not(tmp_path: Path) -> None:
    program = "from asgikit.compat.asgiref import install; install(); import asgiref.nothing"
    run = python("-c", program, folder=tmp_path)
    assert run.stderr.strip().endswith("No module named 'asgiref.nothing' (asgikit's asgiref has no such module)")


def test_importing_starts_nothing(tmp_path: Path) -> None:
    """D3: every module of the drop-in is imported, and there is one thread."""
    program = """
        import threading
        from asgikit.compat.asgiref import default_bridge, install
        install()
        import asgiref.sync, asgiref.server, asgiref.testing, asgiref.wsgi, asgiref.timeout, asgiref.typing
        assert threading.enumerate() == [threading.main_thread()]
        assert asgiref.sync.sync_to_async and default_bridge() is default_bridge()
        print("ok")
    """
    run = python("-X", "dev", write(tmp_path, "program.py", program), folder=tmp_path)
    assert run.stdout.strip() == "ok", run.stderr


@pytest.mark.parametrize("form", ["script", "module"])
def test_run_as_the_interpreter_would(form: str, tmp_path: Path) -> None:
    program = """
        import sys
        from asgikit.compat.asgiref import check
        if __name__ == "__main__":
            print(check(), sys.argv[1:], __file__ == sys.argv[0], sys.modules["__main__"].__dict__ is globals())
            raise SystemExit(3)
    """
    file = write(tmp_path, "program.py", program)
    run = python(*THROUGH, *([file] if form == "script" else ["-m", "program"]), "--one", "two", folder=tmp_path)
    assert run.stdout.strip() == f"{CHECK} ['--one', 'two'] True True", run.stderr
    assert run.returncode == 3


def test_usage(tmp_path: Path) -> None:
    run = python(*THROUGH, "--nothing", folder=tmp_path)
    assert run.returncode == 2
    assert run.stderr.startswith("usage: python -m asgikit.compat.asgiref")


CHILDREN = """
    import multiprocessing, subprocess, sys

    def child():
        from asgikit.compat.asgiref import check
        print(check(), flush=True)

    if __name__ == "__main__":
        for method in ("spawn", "fork", "forkserver"):
            process = multiprocessing.get_context(method).Process(target=child)
            process.start()
            process.join()
        subprocess.run([sys.executable, "-c", "from asgikit.compat.asgiref import check; print(check())"])
"""


def test_children(tmp_path: Path) -> None:
    """A spawned, a forked and a fork-server child, and a plain child interpreter."""
    run = python(*THROUGH, write(tmp_path, "program.py", CHILDREN), folder=tmp_path)
    assert run.stdout.splitlines() == [CHECK] * 4, run.stderr


def test_an_existing_sitecustomize_still_runs(tmp_path: Path) -> None:
    write(tmp_path, "site/sitecustomize.py", "import os; os.environ['SEEN'] = __file__")
    program = """
        import os, subprocess, sys
        code = "import os, sitecustomize; print(os.environ['SEEN'] == sitecustomize.__file__)"
        subprocess.run([sys.executable, "-c", code + "; import asgiref; print(asgiref.__name__)"])
    """
    run = python(*THROUGH, write(tmp_path, "program.py", program), folder=tmp_path, PYTHONPATH=str(tmp_path / "site"))
    assert run.stdout.split() == ["True", "asgikit.compat.asgiref"], run.stderr


def test_a_child_that_needs_no_asgiref_pays_nothing(tmp_path: Path) -> None:
    """D3: asgikit is not imported before asgiref is."""
    program = """
        import subprocess, sys
        code = "import sys; print([name for name in sys.modules if name.startswith('asgikit')])"
        subprocess.run([sys.executable, "-c", code])
    """
    run = python(*THROUGH, write(tmp_path, "program.py", program), folder=tmp_path)
    assert run.stdout.strip() == "['asgikit.compat.asgiref._finder']", run.stderr


def test_pytest_option(tmp_path: Path) -> None:
    write(
        tmp_path,
        "test_one.py",
        "def test_one():\n    import asgiref\n    assert asgiref.__name__ == 'asgikit.compat.asgiref'\n",
    )
    run = python(
        "-m",
        "pytest",
        "-p",
        "asgikit.compat.asgiref.pytest_plugin",
        "-p",
        "no:cacheprovider",
        "test_one.py",
        folder=tmp_path,
    )
    assert CHECK in run.stdout.splitlines(), run.stdout
    assert "1 passed" in run.stdout


def test_a_stuck_call_does_not_keep_the_process(tmp_path: Path) -> None:
    """C2: the process goes, at most two seconds later, and says what it leaves."""
    program = """
        import asyncio, threading
        from asgikit.compat.asgiref.sync import sync_to_async

        async def main():
            started = threading.Event()
            task = asyncio.create_task(sync_to_async(lambda: (started.set(), threading.Event().wait()))())
            await asyncio.to_thread(started.wait, 10)
            task.cancel()

        asyncio.run(main())
    """
    run = python(write(tmp_path, "program.py", program), folder=tmp_path)
    assert run.returncode == 0
    assert "interpreter exit leaves these calls behind" in run.stderr
