"""`asgiref.wsgi`: a WSGI application as an ASGI one, by asgiref's events. The native one is `asgikit.wsgi.WsgiToAsgi`.

asgiref's own suite pins one event for each chunk, the empty one included, which the native adapter does not send;
so the exchange stands here, on the native rules for headers, environ and response.
"""

import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final
from wsgiref.types import WSGIApplication

from asgikit.compat.asgiref import sync
from asgikit.wsgi import _environ, _request_headers, _response

__all__ = ("WsgiToAsgi", "WsgiToAsgiInstance")

_Receive = Callable[[], Awaitable[Mapping[str, Any]]]
_Send = Callable[[Any], Awaitable[None]]
_IN_MEMORY: Final = 65536
_RULES: Final = _request_headers.HeaderRules(
    duplicate_limit=None
)  # counted here, for the words that asgiref answers with


class WsgiToAsgi:
    """An ASGI application that runs `wsgi_application` on the thread of thread-sensitive calls.

    A request that repeats a header more than `duplicate_header_limit` times is answered with 400; None or 0: no limit.
    """

    def __init__(self, wsgi_application: WSGIApplication, duplicate_header_limit: int | None = 100) -> None:
        self.wsgi_application = wsgi_application
        self.duplicate_header_limit = duplicate_header_limit

    async def __call__(self, scope: Mapping[str, Any], receive: _Receive, send: _Send) -> None:
        """Serve one "http" scope. Raises ValueError for any other."""
        await WsgiToAsgiInstance(self.wsgi_application, self.duplicate_header_limit)(scope, receive, send)


class WsgiToAsgiInstance:
    """One request; override `build_environ` to add to what the application sees."""

    scope: Mapping[str, Any]
    sync_send: Callable[[Any], None]

    def __init__(self, wsgi_application: WSGIApplication, duplicate_header_limit: int | None = 100) -> None:
        self.wsgi_application = wsgi_application
        self.duplicate_header_limit = duplicate_header_limit
        self.response_started: bool = False
        self.response_content_length: int | None = None
        self._response = _response.ResponseState("GET")

    async def __call__(self, scope: Mapping[str, Any], receive: _Receive, send: _Send) -> None:
        """Read the whole request, then run the application and send what it answers."""
        if scope["type"] != "http":
            raise ValueError(f"WsgiToAsgi was given a {scope['type']!r} scope, and serves 'http' ones only")
        self.scope = scope
        self._response = _response.ResponseState(scope["method"], "drop")
        reason = self._refusal(scope["headers"])
        if reason is not None:
            await _reject(send, reason)
            return
        with SpooledTemporaryFile(max_size=_IN_MEMORY) as body:
            if await _read(receive, body):
                self.sync_send = sync.AsyncToSync(send)
                await self.run_wsgi_app(body)

    def _refusal(self, headers: Iterable[tuple[bytes, bytes]]) -> str | None:
        """Return why a request with these headers is not served, if so."""
        limit = self.duplicate_header_limit
        repeats = Counter(bytes(name).lower() for name, _ in headers)
        if limit and any(count > limit for name, count in repeats.items() if name != b"cookie"):
            return "Too many duplicate headers"
        try:
            _request_headers.read_headers(headers, _RULES)
        except _request_headers.RejectedRequestError as rejected:
            return rejected.reason
        return None

    def build_environ(self, scope: Mapping[str, Any], body: IO[bytes]) -> dict[str, Any]:
        """Return the environ of PEP 3333. On the thread of the application."""
        variables = _request_headers.read_headers(scope["headers"], _RULES).variables
        environ = _environ.build_environ(scope, variables, multithread=True, multiprocess=True)
        name, port = scope.get("server") or (None, None)
        if name is not None and port is None:  # a unix socket
            environ.update(SERVER_NAME=name, SERVER_PORT="0")
        return environ | {"wsgi.input": body, "wsgi.errors": sys.stderr}

    def start_response(
        self, status: str, response_headers: list[tuple[str, str]], exc_info: _response.ExcInfo | None = None
    ) -> Callable[[bytes], object]:
        """Take the status and the headers, which go out with the first chunk; return `write`. PEP 3333."""
        self._response.start(status, response_headers, exc_info)
        head = self._response.head
        self.response_content_length = None if head is None else head.length
        return self._send_chunk

    @sync.sync_to_async
    def run_wsgi_app(self, body: IO[bytes]) -> None:
        """Run the application and send its answer, whose `close()` is called whatever happens (invariant M1)."""
        chunks: Iterable[bytes] = self.wsgi_application(self.build_environ(self.scope, body), self.start_response)
        try:
            for chunk in chunks:
                self._send_chunk(chunk)
                if self._response.complete:
                    break
            self._send_head()
            self.sync_send({"type": "http.response.body"})
        finally:
            close: Callable[[], object] | None = getattr(chunks, "close", None)
            if close is not None:
                close()

    def _send_chunk(self, chunk: bytes) -> None:
        if self._response.complete:
            return
        data = self._response.push(chunk)
        self._send_head()
        self.sync_send({"type": "http.response.body", "body": data, "more_body": True})

    def _send_head(self) -> None:
        head = self._response.commit()
        if not self.response_started:
            self.response_started = True
            self.sync_send({"type": "http.response.start", "status": head.status, "headers": head.headers})


async def _read(receive: _Receive, body: IO[bytes]) -> bool:
    """Read the request into `body`; False if the client left before its end (invariant M5)."""
    while True:
        event = await receive()
        if event["type"] == "http.disconnect":
            return False
        body.write(event.get("body", b""))
        if not event.get("more_body", False):
            body.seek(0)
            return True


async def _reject(send: _Send, reason: str) -> None:
    await send({"type": "http.response.start", "status": 400, "headers": [(b"content-type", b"text/plain")]})
    await send({"type": "http.response.body", "body": f"Bad Request: {reason}".encode()})
