"""Stress rows of the WSGI room: many hypothesis cases, and memory under very large bodies. Plain functions.

`python -m tests.stress.rows_wsgi [bad-input|memory]` runs them alone.
"""

import asyncio
import signal
import socket
import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final

from hypothesis import HealthCheck, given, settings

from asgikit.executor import WorkerThreadPool
from tests.wsgi.misbehaviour import Case, cases, check

GIBIBYTE: Final = 1024**3
PIECE: Final = b"m" * 65536
ALLOWED_GROWTH: Final = 20 * 1024 * 1024


def bad_input(count: int = 20_000) -> str:
    """Issue 6, acceptance 4: `count` random requests, clients and applications."""
    seen: Counter[str] = Counter()
    pool = WorkerThreadPool(2, name="stress")
    with asyncio.Runner() as runner:

        @settings(max_examples=count, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow])
        @given(cases)
        def perform(case: Case) -> None:
            outcome = runner.run(check(case, pool))
            seen["cases"] += 1
            seen["responses"] += bool(outcome.events)
            seen["bodies closed"] += outcome.closed
            seen["clients gone"] += outcome.left

        try:
            perform()
        finally:
            pool.close()
    return ", ".join(f"{number} {name}" for name, number in seen.items())


def memory(size: int = GIBIBYTE) -> str:
    """Issue 6, acceptance 3: an upload and a download of `size` bytes through uvicorn, and the growth of its memory."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    command = [sys.executable, "-m", "asgikit", "serve", "tests.stress.rows_wsgi:large_bodies", "--port", str(port)]
    with subprocess.Popen(
        command, cwd=Path(__file__).parents[2], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as server:
        try:
            assert server.stderr is not None
            while "running on" not in server.stderr.readline():
                assert server.poll() is None, "the server does not start"
            connection = HTTPConnection("127.0.0.1", port, timeout=600)
            _move(connection, 64 * len(PIECE))  # once, so that what is needed at all is there
            before = _peak(server.pid)
            _move(connection, size)
            grown = _peak(server.pid) - before
            connection.close()
        finally:
            server.send_signal(signal.SIGINT)
    assert grown < ALLOWED_GROWTH, f"peak resident memory grew by {grown / 1e6:.1f} MB"
    return f"{size / 1e9:.2f} GB up and down: peak resident memory {before / 1e6:.1f} MB, grown by {grown / 1e6:.2f} MB"


def _move(connection: HTTPConnection, size: int) -> None:
    pieces = (PIECE for _ in range(size // len(PIECE)))
    connection.request("POST", "/", pieces, headers={"Content-Length": str(size)})
    answer = connection.getresponse().read()
    assert answer == b"%d" % size, answer
    connection.request("GET", f"/?{size}")
    response = connection.getresponse()
    received = sum(len(piece) for piece in iter(lambda: response.read(65536), b""))
    assert received == size, received


def _peak(process: int) -> int:
    """Return the peak resident memory of a process, in bytes (Linux)."""
    for line in Path(f"/proc/{process}/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmHWM")


def large_bodies(environ: dict[str, Any], start_response: Callable[..., object]) -> Iterable[bytes]:
    """Count an upload, or stream a download of the size in the query. Served by `memory` in another process."""
    if environ["REQUEST_METHOD"] == "POST":
        read = environ["wsgi.input"].read
        count = sum(len(piece) for piece in iter(lambda: read(65536), b""))
        start_response("200 OK", [])
        return [b"%d" % count]
    size = int(environ["QUERY_STRING"])
    start_response("200 OK", [("Content-Length", str(size))])
    return (PIECE for _ in range(size // len(PIECE)))


ROWS: Final[Mapping[str, Callable[[], str]]] = {"wsgi: bad input": bad_input, "wsgi: 1 GB up and down": memory}


if __name__ == "__main__":
    wanted = sys.argv[1:] or ["bad", "1 GB"]
    for name, row in ROWS.items():
        if any(word in name for word in wanted):
            print(name, "...", row(), flush=True)
