"""Drives one WsgiToAsgi in process: a client that the test owns, event by event."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterable, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from asgikit.wsgi import WsgiToAsgi

_T = TypeVar("_T")

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], object]]
Wsgi = Callable[[Environ, StartResponse], Iterable[bytes]]
TIMEOUT = 20.0

DISCONNECT: Mapping[str, Any] = {"type": "http.disconnect"}


def body(data: bytes = b"", *, more: bool = False) -> Mapping[str, Any]:
    return {"type": "http.request", "body": data, "more_body": more}


def http_scope(**changes: Any) -> dict[str, Any]:
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.4"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/",
        "raw_path": b"/",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"example.org")],
        "server": ("127.0.0.1", 8000),
        "client": ("127.0.0.1", 4321),
    }
    scope.update(changes)
    return scope


class Client:
    """The two callables of one scope. `events` is what the application sent so far."""

    def __init__(self, *incoming: Mapping[str, Any], on_send: Callable[[Any], Awaitable[None]] | None = None) -> None:
        self.incoming: asyncio.Queue[Mapping[str, Any]] = asyncio.Queue()
        for event in incoming:
            self.incoming.put_nowait(event)
        self.events: list[dict[str, Any]] = []
        self.received = 0
        self._on_send = on_send

    async def receive(self) -> Mapping[str, Any]:
        event = await self.incoming.get()
        self.received += 1
        return event

    async def send(self, event: Any) -> None:
        self.events.append(dict(event))
        if self._on_send is not None:
            await self._on_send(event)

    @property
    def status(self) -> int:
        status: int = self.events[0]["status"]
        return status

    @property
    def headers(self) -> dict[bytes, bytes]:
        return dict(self.events[0]["headers"])

    @property
    def chunks(self) -> list[bytes]:
        return [event["body"] for event in self.events if event["type"] == "http.response.body" and event["body"]]

    @property
    def body(self) -> bytes:
        return b"".join(self.chunks)

    @property
    def complete(self) -> bool:
        return bool(self.events) and not self.events[-1].get("more_body", True)


@contextmanager
def adapted(wsgi: Wsgi, **knobs: Any) -> Generator[WsgiToAsgi]:
    adapter = WsgiToAsgi(wsgi, **knobs)
    try:
        yield adapter
    finally:
        adapter.close()


def run(main: Coroutine[Any, Any, _T]) -> _T:
    async def bounded() -> _T:
        return await asyncio.wait_for(main, TIMEOUT)

    return asyncio.run(bounded())


def ask(wsgi: Wsgi, *incoming: Mapping[str, Any], scope: Mapping[str, Any] | None = None, **knobs: Any) -> Client:
    """Send one request to `wsgi`, and return its client when the response is over."""

    async def main() -> Client:
        client = Client(*incoming)
        with adapted(wsgi, **knobs) as adapter:
            await adapter(scope or http_scope(), client.receive, client.send)
        return client

    return run(main())


async def serve_until_it_leaves(wsgi: Wsgi, leaves: Callable[[Client], bool]) -> Client:
    """Send one request to `wsgi` from a client that goes once `leaves` says so, asked after each event it is sent."""

    async def on_send(_: Mapping[str, Any]) -> None:
        if leaves(client):
            client.incoming.put_nowait(DISCONNECT)

    client = Client(body(), on_send=on_send)
    with adapted(wsgi) as adapter:
        await adapter(http_scope(), client.receive, client.send)
    return client
