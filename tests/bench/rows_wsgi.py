"""Bench rows for the WSGI room: row -> competitor -> a coroutine function that does the job once.

Plain data and small drivers; no threads, no sockets, no clock but in `main`. Everything runs in process: an
application, a scope, a receive that has its events ready, a send that looks at what it gets.
Bars are those of DESIGN.md, section 8, as ratios of requests per second.
"""

import asyncio
import statistics
import sys
import time
import warnings
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any, Final

from asgikit.wsgi import WsgiToAsgi

Application = Callable[[Any, Any, Any], Awaitable[object]]
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

CHUNK: Final = b"x" * 1024
UPLOAD: Final = 16 * 1024 * 1024
PIECE: Final = b"u" * 65536


def hello(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"Hello, world"]


def chunks(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    for _ in range(100):
        yield CHUNK


def upload(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    stream, total = environ["wsgi.input"], 0
    while data := stream.read(65536):
        total += len(data)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"%d" % total]


def slow(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    time.sleep(0.01)  # the job itself: a handler that waits for something for 10 ms
    return hello(environ, start_response)


@dataclass(frozen=True)
class Bar:
    """`asgikit` must do at least `ratio` times what `rival` does."""

    rival: str
    ratio: float


@dataclass(frozen=True)
class Row:
    """One job."""

    name: str
    wsgi: Wsgi
    callers: int
    calls: int
    bars: tuple[Bar, ...]
    body: tuple[bytes, ...] = ()
    expected: int = 12


ROWS: Final = (
    Row("hello, 1 caller", hello, 1, 300, (Bar("uvicorn", 1.0),)),
    Row("hello, 50 callers", hello, 50, 20, (Bar("uvicorn", 1.0),)),
    Row("100 chunks of 1 KiB", chunks, 1, 30, (Bar("asgiref", 6.0),), expected=102400),
    Row("16 MiB upload", upload, 1, 3, (Bar("asgiref", 1.5),), (PIECE,) * (UPLOAD // len(PIECE)), 8),
    Row("10 ms handler, 20 callers", slow, 20, 4, (Bar("a2wsgi", 1.0),)),
)


Entrant = tuple[Application, Callable[[], object]]


def _asgikit(wsgi: Wsgi) -> Entrant:
    adapter = WsgiToAsgi(wsgi)
    return adapter, adapter.close


def _asgiref(wsgi: Wsgi) -> Entrant:
    from asgiref.wsgi import WsgiToAsgi as Theirs

    make: Any = Theirs  # it has no types
    return make(wsgi), lambda: None


def _a2wsgi(wsgi: Wsgi) -> Entrant:
    from a2wsgi import WSGIMiddleware

    make: Any = WSGIMiddleware  # its WSGI types are its own
    adapter = make(wsgi)
    return adapter, adapter.executor.shutdown


def _uvicorn(wsgi: Wsgi) -> Entrant:
    from uvicorn.middleware import wsgi as middleware

    make: Any = vars(middleware)["_WSGIMiddleware"]  # the public name is a2wsgi's class where that is installed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        adapter = make(wsgi)
    return adapter, adapter.executor.shutdown


COMPETITORS: Final[Mapping[str, Callable[[Wsgi], Entrant]]] = {
    "asgikit": _asgikit,
    "asgiref": _asgiref,
    "a2wsgi": _a2wsgi,
    "uvicorn": _uvicorn,
}


def scope(row: Row) -> dict[str, Any]:
    """Return the scope of one request of this row."""
    headers = [(b"host", b"localhost"), (b"user-agent", b"bench"), (b"accept", b"*/*")]
    if row.body:
        headers.append((b"content-length", b"%d" % sum(map(len, row.body))))
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST" if row.body else "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 4321),
    }


async def request(application: Application, row: Row) -> None:
    """Send one request and check that the whole response came."""
    left = iter(row.body)
    remaining = len(row.body)
    never: asyncio.Future[Mapping[str, Any]] = asyncio.get_running_loop().create_future()
    told = False
    received = 0

    async def receive() -> Mapping[str, Any]:
        nonlocal remaining, told
        if told:
            return await never
        remaining -= 1
        told = remaining <= 0
        return {"type": "http.request", "body": next(left, b""), "more_body": not told}

    async def send(event: Mapping[str, Any]) -> None:
        nonlocal received
        received += len(event.get("body", b""))

    await application(scope(row), receive, send)
    if received != row.expected:
        raise AssertionError(f"{row.name}: {received} bytes came instead of {row.expected}")


async def round_of(application: Application, row: Row) -> float:
    """Do the row's calls once; return requests per second."""

    async def caller() -> None:
        for _ in range(row.calls):
            await request(application, row)

    began = time.perf_counter()
    await asyncio.gather(*(caller() for _ in range(row.callers)))
    return row.callers * row.calls / (time.perf_counter() - began)


async def measure(row: Row, rounds: int) -> dict[str, float]:
    """Return the median requests per second of each competitor, rounds interleaved."""
    with ExitStack() as stack:
        entrants: dict[str, Application] = {}
        for name, make in COMPETITORS.items():
            entrants[name], close = make(row.wsgi)
            stack.callback(close)
            await request(entrants[name], row)
        results: dict[str, list[float]] = {name: [] for name in entrants}
        for _ in range(rounds):
            for name, entrant in entrants.items():
                results[name].append(await round_of(entrant, row))
        return {name: statistics.median(values) for name, values in results.items()}


def main(rounds: int = 7) -> int:
    """Print every row; return 1 if a bar was missed."""
    missed = 0
    for row in ROWS:
        medians = asyncio.run(measure(row, rounds))
        print(f"{row.name:28}", *(f"{name} {value:9.0f}/s" for name, value in medians.items()))
        for bar in row.bars:
            ratio = medians["asgikit"] / medians[bar.rival]
            verdict = "ok" if ratio >= bar.ratio else "MISSED"
            missed += verdict != "ok"
            print(f"{'':28} {ratio:.2f} x {bar.rival}, bar {bar.ratio}: {verdict}")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else 7))
