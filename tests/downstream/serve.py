"""`python -m tests.downstream serve`: a Django and Channels project under real servers, on asgiref and on asgikit.

500 requests, 50 at a time, to views of every kind, and 100 websockets at once. Measured as `tests/bench/measure.py`
does it: under each server, both sides are up at the same time and take turns, another one beginning each time; each
round of ours is divided by the round of asgiref beside it, and the median of those ratios is the verdict. Servers are
started anew every few rounds, because how their threads lie on the processors stays as it is for long.
"""

import contextlib
import itertools
import json
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeAlias

from tests.downstream import client, services
from tests.downstream.environment import PYTHON, VENV, workplace
from tests.downstream.suites import HERE, environ

STARTS: Final = 6
"""How often the servers of a pair are started; after that, one round warms them up."""
ROUNDS: Final = 10
"""How many rounds a pair is asked; an even number, so that each side begins as often as the other."""

REQUESTS: Final = 500
AT_A_TIME: Final = 50
"""How many requests, and how many openings of websockets, are under way: more do not fit into Daphne's backlog."""
SOCKETS: Final = 100
ECHOES: Final = 5
"""How often each socket is used in a round."""

PAGES: Final[Mapping[str, bytes]] = {
    "/sync/": b"sync",
    "/async/": b"async",
    "/orm/": b"item0 of 5",
    "/async-orm/": b"item0 of 5",
    "/stream/": b"item4",
    "/sync-stream/": b"4\n",
    "/signal/": b"2 heard",
    "/there-and-back/": b"5 there and back",
}
CONSUMERS: Final[Mapping[str, str]] = {"sync echoes": "/echo/", "async echoes": "/async-echo/"}

SERVERS: Final[Mapping[str, Sequence[str]]] = {
    "uvicorn": ("-m", "uvicorn", "shop.asgi:application", "--log-level", "error", "--port"),
    "daphne": ("-m", "daphne", "-v", "0", "shop.asgi:application", "-p"),
}
SIDES: Final[Mapping[str, Sequence[str]]] = {"asgiref": (), "asgikit": ("-m", "asgikit.compat.asgiref")}
JOBS: Final = ("requests", *CONSUMERS)


@dataclass(frozen=True)
class Turn:
    """What one side did of one job in one round: how many a second, and what each cost the server and the client."""

    rate: float
    server_cpu: float
    client_cpu: float


Round: TypeAlias = Mapping[str, Mapping[str, Turn]]
"""Job -> side -> what it did. The sides take turns at each job, so that both have the same machine."""


@dataclass
class Outcome:
    """The rounds of a pair of servers of one kind, and how many threads each side started in them."""

    server: str
    rounds: list[Round] = field(default_factory=list[Round])
    threads: dict[str, int] = field(default_factory=lambda: dict.fromkeys(SIDES, 0))

    def counted(self, side: str, job: str, what: str) -> list[float]:
        """What one side did of one job, round by round."""
        return [getattr(each[job][side], what) for each in self.rounds]

    def median(self, side: str, job: str, what: str) -> float:
        """The middle of that."""
        return statistics.median(self.counted(side, job, what))

    def ratios(self, job: str, what: str = "rate") -> list[float]:
        """Ours divided by asgiref's, round by round, the least first."""
        sides = zip(self.counted("asgikit", job, what), self.counted("asgiref", job, what), strict=True)
        return sorted(ours / its for ours, its in sides)

    def slower(self) -> list[str]:
        """The jobs that asgikit does at a lower rate than asgiref."""
        return [job for job in JOBS if statistics.median(self.ratios(job)) < 1]

    def failures(self) -> list[str]:
        """What keeps this from being a drop-in that is not slower."""
        slow = [f"SLOWER  {self.server}: {job}" for job in self.slower()]
        started = self.threads["asgikit"]
        return [*slow, f"THREADS {self.server}: {started} started by warm rounds"] if started else slow


def main() -> int:
    """Print the table; 1 if asgikit is slower or starts threads. Raises WrongAnswerError."""
    project = make_project()
    outcomes: list[Outcome] = []
    for server in SERVERS:
        outcomes.append(measure(project, server))
        print("\n".join(lines(outcomes[-1])), flush=True)
    failures = [failure for outcome in outcomes for failure in outcome.failures()]
    print("\n".join(failures or ["asgikit is not slower, and warm it starts no thread"]))
    return int(bool(failures))


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


def measure(project: Path, server: str) -> Outcome:
    """All rounds of both sides under one server."""
    outcome = Outcome(server)
    order = list(SIDES)
    for _ in range(STARTS):
        with contextlib.ExitStack() as stack:
            ports = {side: stack.enter_context(serving(project, server, side)) for side in SIDES}
            load(ports, order)
            before = {side: state(port)["threads"] for side, port in ports.items()}
            for _ in range(ROUNDS):
                outcome.rounds.append(load(ports, order))
                order.reverse()
            for side, port in ports.items():
                outcome.threads[side] += state(port)["threads"] - before[side]
    return outcome


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


def load(ports: Mapping[str, int], order: Sequence[str]) -> Round:
    """One round: every job, on each side."""
    return {job: {side: turn(ports[side], job) for side in order} for job in JOBS}


def turn(port: int, job: str) -> Turn:
    """One job on one side."""
    before = state(port)["cpu"]
    own, began = time.process_time(), time.perf_counter()
    count = ask_for_pages(port) if job == "requests" else talk_over_websockets(port, CONSUMERS[job])
    seconds, own = time.perf_counter() - began, time.process_time() - own
    return Turn(count / seconds, (state(port)["cpu"] - before) / count, own / count)


def ask_for_pages(port: int) -> int:
    """Get pages of all kinds, in turns; return how many."""
    pages = itertools.islice(itertools.cycle(PAGES.items()), REQUESTS)
    client.drive((page(port, path, text) for path, text in pages), AT_A_TIME)
    return REQUESTS


def talk_over_websockets(port: int, path: str) -> int:
    """Open 100 websockets, have all of them echo, and close them; return how many echoes there were."""
    sockets = client.drive((client.open_websocket(port, path) for _ in range(SOCKETS)), AT_A_TIME)
    client.drive((echoes(number, connection) for number, connection in enumerate(sockets)), SOCKETS)
    client.drive(map(client.close, sockets), SOCKETS)
    return SOCKETS * ECHOES


def page(port: int, path: str, text: bytes) -> client.Talk[None]:
    """Get a page and look whether it is the right one."""
    head, body = yield from client.get(port, path)
    if head.split(b" ", 2)[1] != b"200" or b"x-sync: seen" not in head.lower() or text not in body:
        raise client.WrongAnswerError(f"{path}: {head!r}, {body!r}")


def echoes(number: int, connection: socket.socket) -> client.Talk[None]:
    """Send different texts, and look for each in the answer, with the number of items in the database behind it."""
    for turn in range(ECHOES):
        yield from client.echo(connection, f"{number}-{turn}", f"{number}-{turn} 5")


def state(port: int) -> Mapping[str, Any]:
    """What a server counts: its processor time and the threads that it has started."""
    ((_, body),) = client.drive([client.get(port, "/state/")], 1)
    counted: Mapping[str, Any] = json.loads(body)
    return counted


def lines(outcome: Outcome) -> list[str]:
    """The table of one kind of server: ratios are asgikit's by asgiref's, milliseconds are of processor time."""
    columns = f"{'asgiref /s':>12}{'asgikit /s':>12}{'ratio':>8}{'quartiles':>14}{'least, most':>13}{'ahead':>10}"
    cpu = f"{'CPU ratio':>11}{'ms a job':>10}{'client ms':>11}"
    started = ", ".join(f"{side} {count}" for side, count in outcome.threads.items())
    foot = f"{len(outcome.rounds)} rounds; threads started in them: {started}"
    return [f"{outcome.server:12}{columns}{cpu}", *(row(outcome, job) for job in JOBS), foot, ""]


def row(outcome: Outcome, job: str) -> str:
    """One line of it."""
    rates = f"{outcome.median('asgiref', job, 'rate'):12.0f}{outcome.median('asgikit', job, 'rate'):12.0f}"
    ratios = outcome.ratios(job)
    low, middle, high = statistics.quantiles(ratios, n=4)
    spread = f"{f'{low:.2f} to {high:.2f}':>14}{f'{ratios[0]:.2f}, {ratios[-1]:.2f}':>13}"
    ahead = f"{sum(ratio > 1 for ratio in ratios)} of {len(ratios)}"
    cpu = f"{ahead:>10}{statistics.median(outcome.ratios(job, 'server_cpu')):11.2f}"
    costs = [outcome.median("asgikit", job, what) * 1000 for what in ("server_cpu", "client_cpu")]
    return f"{job:12}{rates}{middle:8.2f}{spread}{cpu}{costs[0]:10.3f}{costs[1]:11.3f}"


if __name__ == "__main__":
    sys.exit(main())
