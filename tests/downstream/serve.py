"""`python -m tests.downstream serve`: a Django and Channels project under real servers, on asgiref and on asgikit.

500 requests, 50 at a time, to views of every kind, and 100 websockets at once; both sides run in turns on servers
that stay up, and the medians of the turns stand side by side, with the number of threads that a warm turn starts. The
processor time of the server is what to compare on a busy machine.
"""

import contextlib
import json
import socket
import statistics
import subprocess
import sys
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.downstream import services
from tests.downstream.environment import PYTHON, VENV, workplace
from tests.downstream.suites import HERE, environ

TURNS = 5
"""How often each side is asked; before that, one turn warms it up."""

SERVERS: Mapping[str, Sequence[str]] = {
    "uvicorn": ("-m", "uvicorn", "shop.asgi:application", "--log-level", "error", "--port"),
    "daphne": ("-m", "daphne", "-v", "0", "shop.asgi:application", "-p"),
}

SIDES: Mapping[str, Sequence[str]] = {"asgiref": (), "asgikit": ("-m", "asgikit.compat.asgiref")}


@dataclass(frozen=True)
class Outcome:
    """The turns of one side under one server."""

    server: str
    side: str
    turns: Sequence[Mapping[str, Any]]

    def median(self, what: str) -> float:
        """The middle of what the turns counted."""
        return statistics.median(float(turn[what]) for turn in self.turns)

    def bad(self) -> list[Any]:
        """Answers that were not as they should be."""
        return [answer for turn in self.turns for answer in turn["bad"]]


def main() -> int:
    """Print the table; 1 if an answer was wrong."""
    project = make_project()
    outcomes = [outcome for server in SERVERS for outcome in measure(project, server)]
    print("\n".join(lines(outcomes)))
    return int(any(outcome.bad() for outcome in outcomes))


def make_project() -> Path:
    """`django-admin startproject`, plus the application of ours."""
    folder = workplace("serve", [])
    run = [str(VENV / "bin" / "django-admin"), "startproject", "mysite", str(folder)]
    subprocess.run(run, check=True, env=environ())
    project = workplace("serve-files", [(HERE / "projects" / "serve", "files")]) / "files"
    (project / "shop").rename(folder / "shop")
    settings = folder / "mysite" / "settings.py"
    settings.write_text(settings.read_text() + (project / "settings_more.py").read_text())
    subprocess.run([PYTHON, "manage.py", "migrate", "-v", "0"], cwd=folder, check=True, env=environ())
    return folder


def measure(project: Path, server: str) -> list[Outcome]:
    """Both sides under one server, in turns."""
    turns: dict[str, list[Mapping[str, Any]]] = {side: [] for side in SIDES}
    with contextlib.ExitStack() as stack:
        ports = {side: stack.enter_context(serving(project, server, side)) for side in SIDES}
        for turn in range(TURNS + 1):
            for side, port in ports.items():
                result = load(port)
                if turn:
                    turns[side].append(result)
    return [Outcome(server, side, turns[side]) for side in SIDES]


@contextlib.contextmanager
def serving(project: Path, server: str, side: str) -> Generator[int]:
    """A server of one kind on one side; yields its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    errors = (project / f"{server}-{side}.txt").open("wb")
    process = subprocess.Popen(
        [PYTHON, "-W", "ignore", *SIDES[side], *SERVERS[server], str(port)],
        cwd=project,
        env=environ(),
        stdout=errors,
        stderr=subprocess.STDOUT,
    )
    try:
        services.wait_for_port(port, process)
        yield port
    finally:
        process.terminate()
        process.wait(20)
        errors.close()


def load(port: int) -> Mapping[str, Any]:
    """One turn."""
    command = [str(PYTHON), str(HERE / "support" / "downstream_load.py"), str(port)]
    output = subprocess.run(command, check=True, capture_output=True, env=environ(), timeout=120).stdout
    result: Mapping[str, Any] = json.loads(output)
    return result


def lines(outcomes: Sequence[Outcome]) -> list[str]:
    """The table, and what went wrong."""
    columns = ("requests/s", "CPU ms each", "echoes/s", "CPU ms each", "threads a warm turn starts", "wrong")
    head = f"{'server':9}{'on':9}" + "".join(f"{column:>{len(column) + 2}}" for column in columns)
    rows = [
        f"{outcome.server:9}{outcome.side:9}{outcome.median('requests'):12.0f}{outcome.median('request_cpu'):13.2f}"
        f"{outcome.median('echoes'):10.0f}{outcome.median('echo_cpu'):13.2f}{outcome.median('threads'):28.0f}"
        f"{len(outcome.bad()):7}"
        for outcome in outcomes
    ]
    wrong = [f"WRONG  {outcome.server} on {outcome.side}: {answer}" for outcome in outcomes for answer in outcome.bad()]
    return [head, *rows, *wrong[:20]]


if __name__ == "__main__":
    sys.exit(main())
