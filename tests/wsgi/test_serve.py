"""`python -m asgikit serve`, as a process of its own."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path

import pytest

from asgikit.__main__ import main

ROOT = Path(__file__).parents[2]
SITE = "tests.wsgi.site_to_serve"
TIMEOUT = 30


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def serving(path: str, *options: str) -> Generator[tuple["subprocess.Popen[str]", int]]:
    """Start the command in a process group of its own, as a shell does; yield once it says that it listens."""
    port = free_port()
    command = [sys.executable, "-m", "asgikit", "serve", path, "--port", str(port), *options]
    environment = os.environ | {"PYTHONUNBUFFERED": "1"}
    workers = int(options[options.index("--workers") + 1]) if "--workers" in options else 1
    with subprocess.Popen(
        command, cwd=ROOT, env=environment, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        try:
            assert process.stderr is not None
            said: list[str] = []
            while sum("Application startup complete" in line for line in said) < workers or "running on" not in "".join(
                said
            ):
                line = process.stderr.readline()
                assert line, f"it ended: {''.join(said)}"
                said.append(line)
            yield process, port
        finally:
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)


def ask(port: int) -> tuple[int, str]:
    connection = HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    connection.request("GET", "/")
    response = connection.getresponse()
    try:
        return response.status, response.read().decode()
    finally:
        connection.close()


def interrupt(process: "subprocess.Popen[str]") -> str:
    """Press Ctrl-C: the whole process group gets the signal. Return what it says from then on."""
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=TIMEOUT)
    return said


@pytest.mark.parametrize("workers", ["1", "2"])
def test_flask_until_ctrl_c(workers: str) -> None:
    """It answers, and Ctrl-C ends it with status 0 and no traceback."""
    with serving(f"{SITE}:flask_app", "--workers", workers, "--threads", "3") as (process, port):
        status, text = ask(port)
        pid, thread = text.split()
        assert (status, thread) == (200, "asgikit-wsgi-1")
        assert (pid == str(process.pid)) is (workers == "1")
        said = interrupt(process)
    assert process.returncode == 0
    assert "Traceback" not in said


@pytest.mark.parametrize(
    ("path", "options", "answer"),
    [
        (f"{SITE}:asgi_app", [], "asgi"),
        (f"{SITE}:LegacyApp", [], "asgi"),
        (f"{SITE}:guess", ["--interface", "wsgi"], "guessed"),
    ],
)
def test_interfaces(path: str, options: list[str], answer: str) -> None:
    with serving(path, *options) as (process, port):
        assert ask(port) == (200, answer)
        assert "Traceback" not in interrupt(process)
    assert process.returncode == 0


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("no_such_module:app", "there is no module 'no_such_module'"),
        ("tests.no_such_module:app", "there is no module 'tests.no_such_module'"),
        (f"{SITE}:no_such_app", "has no 'no_such_app'"),
        (f"{SITE}:number", "is of type int, and no application"),
        (f"{SITE}:guess", "does not say which interface it speaks: add --interface"),
        (SITE, "write module:app"),
        (":app", "write module:app"),
        ("module:", "write module:app"),
    ],
)
def test_misuse_is_one_line_and_status_2(path: str, words: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["serve", path]) == 2
    said = capsys.readouterr().err
    assert words in said
    assert said.count("\n") == 1


@pytest.mark.parametrize("option", ["--workers", "--threads"])
def test_numbers_are_checked(option: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["serve", f"{SITE}:flask_app", option, "0"])
    assert "must be at least 1" in capsys.readouterr().err


def test_what_the_module_itself_lacks_is_shown_in_full(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "lacking.py").write_text("import no_such_dependency\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    with pytest.raises(ModuleNotFoundError, match="no_such_dependency"):
        main(["serve", "lacking:app"])


def test_missing_uvicorn_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    assert main(["serve", f"{SITE}:flask_app"]) == 2
    assert "pip install uvicorn" in capsys.readouterr().err
