"""A small typed ASGI framework around a Bridge.

Handlers of either colour, one typed value from the path, typed state from the lifespan, the bridge injected, the
executor of a route swapped. Every handler is made a coroutine function where it is registered; nothing behind that
place asks for its colour again.
"""

import inspect
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from typing import Any, Generic, ParamSpec, TypeVar, overload

from asgikit import Bridge
from asgikit.protocols import ExecutorLike
from asgikit.spec import ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope

P = ParamSpec("P")
T = TypeVar("T")
S = TypeVar("S")


@dataclass(frozen=True)
class Request(Generic[S]):
    """What a handler is given: the scope, the whole body, the application's bridge, and what its lifespan made."""

    scope: HTTPScope
    body: bytes
    bridge: Bridge
    state: S


@dataclass(frozen=True)
class Response:
    """What a handler returns."""

    body: str
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict[str, str])


class HTTPError(Exception):
    """Raised by a handler or a converter: answered with this status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(status, reason)
        self.response = Response(reason, status)


R = TypeVar("R", bound=Response | Coroutine[Any, Any, Response])


class App(Generic[S]):
    """An ASGI application. The bridge belongs to whoever made it, and so does an executor given to a route.

    `lifespan` is entered when the server starts and left when it stops; what it yields is `request.state`.
    """

    def __init__(self, *, bridge: Bridge, lifespan: Callable[[Bridge], AbstractAsyncContextManager[S]]) -> None:
        self.bridge = bridge
        self._lifespan = lifespan
        self._states: list[S] = []
        self._routes: dict[tuple[str, str], Callable[[Request[S], str], Awaitable[Response]]] = {}

    @overload
    def route(
        self, method: str, path: str, *, executor: ExecutorLike | None = None
    ) -> Callable[[Callable[[Request[S]], R]], Callable[[Request[S]], R]]: ...
    @overload
    def route(
        self, method: str, path: str, value: Callable[[str], T], *, executor: ExecutorLike | None = None
    ) -> Callable[[Callable[[Request[S], T], R]], Callable[[Request[S], T], R]]: ...
    def route(
        self,
        method: str,
        path: str,
        value: Callable[[str], Any] | None = None,
        *,
        executor: ExecutorLike | None = None,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Register a handler, and return it as it was.

        With `value`, the path is a prefix, and what follows it goes through `value` to the handler's second parameter.
        A synchronous handler runs on the bridge's thread for thread-sensitive work, or on `executor`.
        """

        def register(handler: Callable[..., Any]) -> Callable[..., Any]:
            call = self._coroutine_function(handler, executor)

            async def endpoint(request: Request[S], rest: str) -> Response:
                if value is None:
                    return await call(request)
                try:
                    converted = value(rest)
                except ValueError as error:
                    raise HTTPError(404, f"{rest!r}: {error}") from error
                return await call(request, converted)

            self._routes[method, path] = endpoint
            return handler

        return register

    def _coroutine_function(
        self, handler: Callable[P, Response | Coroutine[Any, Any, Response]], executor: ExecutorLike | None
    ) -> Callable[P, Awaitable[Response]]:
        if inspect.iscoroutinefunction(handler):
            return handler
        wrapped = self.bridge.sync_to_async(handler, thread_sensitive=executor is None, executor=executor)

        async def call(*args: P.args, **kwargs: P.kwargs) -> Response:
            answer = await wrapped(*args, **kwargs)
            if not isinstance(answer, Response):
                message = f"{handler!r} returned {answer!r}, which is no Response"
                raise TypeError(message)
            return answer

        return call

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        """Serve one scope, on the event-loop thread."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            request = Request(scope, await read_body(receive), self.bridge, self._states[-1])
            try:
                response = await self._respond(request)
            except HTTPError as error:
                response = error.response
            await send_response(response, send)
        else:
            await send({"type": "websocket.close", "reason": "HTTP only"})

    async def _live(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        await receive()
        try:
            async with self._lifespan(self.bridge) as state:
                self._states.append(state)
                await send({"type": "lifespan.startup.complete"})
                await receive()
        except Exception as error:
            if self._states:
                await send({"type": "lifespan.shutdown.failed", "message": repr(error)})
            else:
                await send({"type": "lifespan.startup.failed", "message": repr(error)})
            raise
        await send({"type": "lifespan.shutdown.complete"})

    async def _respond(self, request: Request[S]) -> Response:
        method, path = request.scope["method"], request.scope["path"]
        prefix, slash, rest = path.rpartition("/")
        for known, value in ((path, ""), (prefix + slash, rest)):
            if endpoint := self._routes.get((method, known)):
                return await endpoint(request, value)
        if any(known in {path, prefix + slash} for _, known in self._routes):
            raise HTTPError(405, f"{method} {path}: no such method")
        raise HTTPError(404, f"{path}: no such path")


async def read_body(receive: ASGIReceiveCallable) -> bytes:
    """Return the whole body of a request. Raises ConnectionError when the client leaves before its end."""
    parts: list[bytes] = []
    while True:
        event = await receive()
        if event["type"] != "http.request":
            message = f"the client has left: {event['type']}"
            raise ConnectionError(message)
        parts.append(event.get("body", b""))
        if not event.get("more_body", False):
            return b"".join(parts)


async def send_response(response: Response, send: ASGISendCallable) -> None:
    """Send a response as one chunk of UTF-8 text."""
    headers = {"content-type": "text/plain; charset=utf-8", **response.headers}
    pairs = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": response.status, "headers": pairs})
    await send({"type": "http.response.body", "body": response.body.encode()})
