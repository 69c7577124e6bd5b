"""The worked framework of docs/examples, under a real uvicorn."""

import socket
import threading
from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager

import httpx
import pytest
import uvicorn
from notes_app import Newsroom, make_app

from asgikit import Bridge
from asgikit.executor import WorkerThreadPool
from asgikit.spec import ASGI3ApplicationLike
from asgikit.testing import validator


@contextmanager
def served(app: ASGI3ApplicationLike) -> Generator[httpx.Client, None, None]:
    """Serve `app` from a thread on a free loopback port; the socket listens before the server runs."""
    config = uvicorn.Config(app, log_level="warning", ws="none")
    server = uvicorn.Server(config)
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        thread = threading.Thread(target=server.run, args=([listening],), name="server")
        thread.start()
        try:
            with httpx.Client(base_url=f"http://127.0.0.1:{listening.getsockname()[1]}", timeout=10) as client:
                yield client
        finally:
            server.should_exit = True
            thread.join(10)


@pytest.fixture
def newsroom() -> Newsroom:
    return Newsroom()


@pytest.fixture
def client(newsroom: Newsroom) -> Iterator[httpx.Client]:
    with (
        Bridge() as bridge,
        WorkerThreadPool(2, name="heavy") as heavy,
        served(validator(make_app(":memory:", bridge=bridge, heavy=heavy, newsroom=newsroom))) as client,
    ):
        yield client


def test_an_asynchronous_handler_runs_on_the_loop(client: httpx.Client) -> None:
    answer = client.get("/health")
    assert (answer.status_code, answer.text, answer.headers["x-thread"]) == (200, "0 published", "server")


def test_synchronous_handlers_share_the_thread_of_their_connection(client: httpx.Client) -> None:
    added = [client.post("/notes", content=words) for words in ("milk", "bread")]
    read = [client.get(f"/notes/{answer.text}") for answer in added]
    assert [answer.status_code for answer in (*added, *read)] == [201, 201, 200, 200]
    assert [answer.text for answer in read] == ["milk", "bread"]
    (thread,) = {answer.headers["x-thread"] for answer in (*added, *read)}
    assert thread.startswith("asgikit-sensitive")


def test_a_synchronous_handler_publishes_on_the_loop_of_the_server(client: httpx.Client, newsroom: Newsroom) -> None:
    client.post("/notes", content="milk")
    assert newsroom.published == [("note 1", "server")]


def test_the_executor_of_a_route_is_swapped(client: httpx.Client) -> None:
    answer = client.get("/primes/20")
    assert answer.text == "2 3 5 7 11 13 17 19"
    assert answer.headers["x-thread"].startswith("asgikit-heavy")


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/notes/7", 404),
        ("GET", "/notes/milk", 404),
        ("GET", "/nowhere", 404),
        ("DELETE", "/notes", 405),
        ("POST", "/notes/1", 405),
    ],
)
def test_what_cannot_be_answered_says_so(client: httpx.Client, method: str, path: str, status: int) -> None:
    assert client.request(method, path).status_code == status
