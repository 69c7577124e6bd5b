"""An application of the framework: notes in SQLite. Run it: `python docs/examples/typed_framework/notes_app.py`."""

import sqlite3
import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from typed_framework import App, HTTPError, Request, Response

from asgikit import Bridge
from asgikit.executor import WorkerThreadPool
from asgikit.protocols import ExecutorLike


class Notes:
    """Synchronous code of the usual kind: its connection refuses every thread but the one that opened it."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        connection.execute("CREATE TABLE IF NOT EXISTS note (number INTEGER PRIMARY KEY, words TEXT)")
        self._connection = connection

    def add(self, words: str) -> int:
        """Store a note and return its number."""
        with self._connection:
            number = self._connection.execute("INSERT INTO note (words) VALUES (?)", [words]).lastrowid
        assert number is not None
        return number

    def get(self, number: int) -> str:
        """Return a note. Raises HTTPError 404."""
        row: tuple[str] | None = self._connection.execute(
            "SELECT words FROM note WHERE number = ?", [number]
        ).fetchone()
        if row is None:
            raise HTTPError(404, f"no note {number}")
        return row[0]

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()


class Newsroom:
    """Asynchronous code: whoever publishes must be on its event loop."""

    def __init__(self) -> None:
        self.published: list[tuple[str, str]] = []

    def count(self) -> int:
        """Return how many news there have been."""
        return len(self.published)

    async def publish(self, words: str) -> int:
        """Take news; return how many there have been."""
        self.published.append((words, threading.current_thread().name))
        return self.count()


@dataclass(frozen=True)
class Parts:
    """What the handlers work with."""

    notes: Notes
    newsroom: Newsroom


def make_app(path: str, *, bridge: Bridge, heavy: ExecutorLike, newsroom: Newsroom) -> App[Parts]:
    """Put the application together: notes in the database `path`, heavy work on an executor of its own."""

    @asynccontextmanager
    async def lifespan(bridge: Bridge) -> AsyncGenerator[Parts, None]:
        notes = await bridge.run_sync(lambda: Notes(sqlite3.connect(path)))
        try:
            yield Parts(notes, newsroom)
        finally:
            await bridge.run_sync(notes.close)  # on the thread that opened them

    app = App(bridge=bridge, lifespan=lifespan)

    @app.route("GET", "/health")
    async def health(request: Request[Parts]) -> Response:
        return answer(f"{request.state.newsroom.count()} published")

    @app.route("POST", "/notes")
    def add(request: Request[Parts]) -> Response:
        number = request.state.notes.add(request.body.decode())
        publish = request.bridge.async_to_sync(request.state.newsroom.publish)
        publish(f"note {number}")  # on the event loop that serves this request
        return answer(str(number), status=201)

    @app.route("GET", "/notes/", int)
    def get(request: Request[Parts], number: int) -> Response:
        return answer(request.state.notes.get(number))

    @app.route("GET", "/primes/", int, executor=heavy)
    def primes(_: Request[Parts], below: int) -> Response:
        found = [number for number in range(2, below) if all(number % factor for factor in range(2, number))]
        return answer(" ".join(map(str, found)))

    return app


def answer(body: str, *, status: int = 200) -> Response:
    """Answer, and say which thread did."""
    return Response(body, status, {"x-thread": threading.current_thread().name})


def main() -> None:
    """Serve on port 8000 until Ctrl-C; whoever made a part closes it."""
    import uvicorn

    with Bridge() as bridge, WorkerThreadPool(2, name="heavy") as heavy:
        uvicorn.run(make_app("notes.sqlite3", bridge=bridge, heavy=heavy, newsroom=Newsroom()), port=8000)


if __name__ == "__main__":
    main()
