"""Programs that start processes of their own, run on the drop-in: each child says what it uses."""

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import textwrap
import time
from collections.abc import Generator
from pathlib import Path

import pytest

from tests.compat.support import CHECK, environ
from tests.support.packages import require_package, require_packages

APPLICATION = """
    import os
    from asgikit.compat.asgiref import check

    async def application(scope, receive, send):
        if scope["type"] == "lifespan":
            while (await receive())["type"] != "lifespan.shutdown":
                await send({"type": "lifespan.startup.complete"})
            await send({"type": "lifespan.shutdown.complete"})
            return
        import asgiref.sync
        text = f"{os.getpid()} {check()} {await asgiref.sync.sync_to_async(lambda: 1)()}"
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": text.encode()})
"""

DJANGO = """
    import os
    SECRET_KEY = "not a secret"
    ALLOWED_HOSTS = ["*"]
    ROOT_URLCONF = __name__
    DEBUG = True
    from asgikit.compat.asgiref import check
    from django.http import HttpResponse
    from django.urls import path
    urlpatterns = [path("", lambda request: HttpResponse(f"{os.getpid()} {check()} 1"))]
"""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextlib.contextmanager
def running(folder: Path, *arguments: str, **more: str) -> Generator["subprocess.Popen[bytes]"]:
    """The program in a session of its own, so that all its children end with it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "asgikit.compat.asgiref", *arguments],
        cwd=folder,
        env=environ(**more),
        stdout=subprocess.DEVNULL,
        stderr=(folder / "errors.txt").open("wb"),
        start_new_session=True,
    )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait(10)


def ask(port: int, folder: Path) -> tuple[int, str]:
    """Ask once the server answers: the process id, and what it says."""
    deadline = time.monotonic() + 20
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/")
            pid, _, text = connection.getresponse().read().decode().partition(" ")
            return int(pid), text
        except OSError:
            if time.monotonic() > deadline:
                pytest.fail((folder / "errors.txt").read_text())
            time.sleep(0.1)
        finally:
            connection.close()


def write(folder: Path, name: str, text: str) -> None:
    (folder / name).write_text(textwrap.dedent(text))


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_django_autoreloader(tmp_path: Path) -> None:
    require_package("django")
    write(tmp_path, "settings.py", DJANGO)
    port = free_port()
    with running(tmp_path, "-m", "django", "runserver", str(port), DJANGO_SETTINGS_MODULE="settings") as process:
        pid, text = ask(port, tmp_path)
        assert text == f"{CHECK} 1"
        assert pid != process.pid  # the reloader's child serves


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_uvicorn_workers(tmp_path: Path) -> None:
    require_package("uvicorn")
    write(tmp_path, "application.py", APPLICATION)
    port = free_port()
    with running(
        tmp_path, "-m", "uvicorn", "application:application", "--workers", "2", "--port", str(port)
    ) as process:
        pid, text = ask(port, tmp_path)
        assert text == f"{CHECK} 1"
        assert pid != process.pid


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_gunicorn(tmp_path: Path) -> None:
    require_packages(("gunicorn", "django"))
    write(tmp_path, "settings.py", DJANGO)
    write(
        tmp_path,
        "served.py",
        "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n",
    )
    port = free_port()
    with running(
        tmp_path,
        *("-m", "gunicorn", "served:application", "--workers", "2", "--bind", f"127.0.0.1:{port}"),
        DJANGO_SETTINGS_MODULE="settings",
    ) as process:
        pid, text = ask(port, tmp_path)
        assert text == f"{CHECK} 1"
        assert pid != process.pid
