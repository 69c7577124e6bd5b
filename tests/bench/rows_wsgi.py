"""The WSGI room: one request through the adapter, in process, by each that offers one.

An application, a scope, a receive that has its events ready, a send that looks at what it gets: no sockets.
Bars are those of DESIGN.md, section 8, as ratios of requests per second.
"""

import asyncio
import time
import warnings
from collections.abc import Awaitable, Callable, Generator, Iterable, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from asgikit.wsgi import WsgiToAsgi
from tests.bench.shape import OURS, Bar, Entrant, Round, Row, async_rounds

__all__ = ("ROWS",)

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
class Job:
    """One kind of request, and how many bytes have to come back."""

    wsgi: Wsgi
    expected: int
    body: tuple[bytes, ...] = ()


HELLO: Final = Job(hello, 12)
CHUNKS: Final = Job(chunks, 100 * len(CHUNK))
UPLOADS: Final = Job(upload, 8, (PIECE,) * (UPLOAD // len(PIECE)))
SLOW: Final = Job(slow, 12)


@contextmanager
def ours(job: Job, callers: int) -> Generator[Round]:
    with closing(WsgiToAsgi(job.wsgi)) as adapter, rounds(adapter, job, callers) as round_of:
        yield round_of


@contextmanager
def asgiref(job: Job, callers: int) -> Generator[Round]:
    from asgiref.wsgi import WsgiToAsgi as Theirs

    make: Any = Theirs  # it has no types
    with rounds(make(job.wsgi), job, callers) as round_of:
        yield round_of


@contextmanager
def a2wsgi(job: Job, callers: int) -> Generator[Round]:
    from a2wsgi import WSGIMiddleware

    make: Any = WSGIMiddleware  # its WSGI types are its own
    adapter = make(job.wsgi)
    with adapter.executor, rounds(adapter, job, callers) as round_of:
        yield round_of


@contextmanager
def uvicorn(job: Job, callers: int) -> Generator[Round]:
    from uvicorn.middleware import wsgi as middleware

    make: Any = vars(middleware)["_WSGIMiddleware"]  # the public name is a2wsgi's class where that is installed
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)
        adapter = make(job.wsgi)
    with adapter.executor, rounds(adapter, job, callers) as round_of:
        yield round_of


def scope(job: Job) -> dict[str, Any]:
    """Return the scope of one request of this job."""
    headers = [(b"host", b"localhost"), (b"user-agent", b"bench"), (b"accept", b"*/*")]
    if job.body:
        headers.append((b"content-length", b"%d" % sum(map(len, job.body))))
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST" if job.body else "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 4321),
    }


async def request(application: Application, job: Job) -> None:
    """Send one request and check that the whole response came."""
    left = iter(job.body)
    remaining = len(job.body)
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

    await application(scope(job), receive, send)
    if received != job.expected:
        raise AssertionError(f"{received} bytes came instead of {job.expected}")


@contextmanager
def rounds(application: Application, job: Job, callers: int) -> Generator[Round]:
    with async_rounds(partial(request, application, job), callers=callers) as round_of:
        yield round_of


def entrants(job: Job, callers: int = 1) -> dict[str, Entrant]:
    makers = {OURS: ours, "asgiref": asgiref, "uvicorn": uvicorn, "a2wsgi": a2wsgi}
    return {name: partial(make, job, callers) for name, make in makers.items()}


def row(name: str, title: str, entrants: Mapping[str, Entrant], bar: Bar, calls: int) -> Row:
    return Row(f"wsgi-{name}", f"WSGI, {title}", entrants, (bar,), calls, unit="rate")


ROWS: Final = (
    row("hello", "hello, one caller", entrants(HELLO), Bar.rate("uvicorn", 1.0), 50),
    row("hello-50", "hello, 50 callers", entrants(HELLO, 50), Bar.rate("uvicorn", 1.0), 200),
    row("chunks", "100 chunks of 1 KiB", entrants(CHUNKS), Bar.rate("asgiref", 6.0), 5),
    row("upload", "16 MiB upload", entrants(UPLOADS), Bar.rate("asgiref", 1.5), 1),
    row("slow", "10 ms handler, 20 callers", entrants(SLOW, 20), Bar.rate("a2wsgi", 1.0), 40),
)
