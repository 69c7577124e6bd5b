"""A Flask application behind WsgiToAsgi, in a process of its own: what goes through it, and what memory that takes.

The server is `python -m asgikit serve legacy:application`. Nothing here knows asgikit otherwise: it is the
application that somebody has had for years.
"""

import asyncio
import os
import resource
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from flask import Flask, Response, request

MEGABYTE = 1_000_000
PIECE = b"demo" * 16_384
TOGETHER = 20
everybody = threading.Barrier(TOGETHER)
application = Flask("legacy")


@application.post("/upload")
def upload() -> str:
    """Count what comes, without ever having all of it."""
    return str(sum(len(piece) for piece in iter(lambda: request.stream.read(len(PIECE)), b"")))


@application.get("/download/<int:megabytes>")
def download(megabytes: int) -> Response:
    """Stream; the iteration waits while the client does not read."""
    return Response(pieces(megabytes), mimetype="application/octet-stream")


@application.get("/slow")
def slow() -> str:
    """Wait as for a slow database, and say which thread that kept."""
    time.sleep(0.1)
    return threading.current_thread().name


@application.get("/together")
def together() -> str:
    """Wait as for a slow database that answers all at once, and say which thread that kept."""
    everybody.wait(timeout=30)
    return threading.current_thread().name


@application.get("/memory")
def memory() -> str:
    """Say the most memory that this process has had, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit)


def pieces(megabytes: int) -> Iterator[bytes]:
    """Yield that much in pieces."""
    for _ in range(megabytes * MEGABYTE // len(PIECE)):
        yield PIECE


@dataclass(frozen=True)
class Job:
    """One job done: what came of it, and the most memory that the server has had so far, in bytes."""

    name: str
    outcome: str
    seconds: float
    memory: int


@contextmanager
def serving() -> Generator[str]:
    """Serve with two arguments on the command line; yield the address."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = str(probe.getsockname()[1])
    command = [sys.executable, "-m", "asgikit", "serve", "legacy:application", "--port", port]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *filter(None, sys.path)])}
    with subprocess.Popen(  # noqa: S603 - ourselves
        command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as server:
        assert server.stderr is not None
        while "running on" not in (line := server.stderr.readline()):
            if not line:
                raise RuntimeError("the server of the Flask application did not start")
        try:
            yield f"http://127.0.0.1:{port}"
        finally:
            server.terminate()


async def run() -> list[Job]:
    """Send an upload, a download and twenty slow requests at once; return what was seen."""
    with serving() as address:
        async with httpx.AsyncClient(base_url=address, timeout=60) as client:
            return [
                await _do("one slow request", client, _one),
                await _do("64 MB up", client, _upload),
                await _do("256 MB down, streamed", client, _download),
                await _do("20 slow ones at once", client, _slow),
            ]


async def _do(name: str, client: httpx.AsyncClient, job: Callable[[httpx.AsyncClient], Awaitable[str]]) -> Job:
    began = time.perf_counter()
    outcome = await job(client)
    seconds = time.perf_counter() - began
    return Job(name, outcome, seconds, int((await client.get("/memory")).text))


async def _one(client: httpx.AsyncClient) -> str:
    return f"answered on {(await client.get('/slow')).text}"


async def _upload(client: httpx.AsyncClient) -> str:
    async def body() -> AsyncIterator[bytes]:
        for piece in pieces(64):
            yield piece

    answer = await client.post("/upload", content=body())
    return f"{int(answer.text) / MEGABYTE:.0f} MB arrived"


async def _download(client: httpx.AsyncClient) -> str:
    received = 0
    async with client.stream("GET", "/download/256") as answer:
        async for piece in answer.aiter_raw():
            received += len(piece)
    return f"{received / MEGABYTE:.0f} MB arrived"


async def _slow(client: httpx.AsyncClient) -> str:
    answers = await asyncio.gather(*(client.get("/together") for _ in range(TOGETHER)))
    return f"{len(answers)} answered, on {len({answer.text for answer in answers})} threads"
