from collections.abc import Awaitable, Callable, Mapping
from typing import IO, Any, TypeAlias
from wsgiref.types import WSGIApplication, WSGIEnvironment

from asgiref.sync import SyncToAsync

_Scope: TypeAlias = Mapping[str, Any]
_Receive: TypeAlias = Callable[[], Awaitable[Mapping[str, Any]]]
_Send: TypeAlias = Callable[[Any], Awaitable[None]]

class WsgiToAsgi:
    wsgi_application: WSGIApplication
    duplicate_header_limit: int | None
    def __init__(self, wsgi_application: WSGIApplication, duplicate_header_limit: int | None = 100) -> None: ...
    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None: ...

class WsgiToAsgiInstance:
    wsgi_application: WSGIApplication
    duplicate_header_limit: int | None
    response_started: bool
    response_content_length: int | None
    def __init__(self, wsgi_application: WSGIApplication, duplicate_header_limit: int | None = 100) -> None: ...
    async def __call__(self, scope: _Scope, receive: _Receive, send: _Send) -> None: ...
    def build_environ(self, scope: _Scope, body: IO[bytes]) -> WSGIEnvironment: ...
    def start_response(self, status: str, response_headers: list[tuple[str, str]], exc_info: Any = None) -> None: ...
    run_wsgi_app: SyncToAsync[[WsgiToAsgiInstance, IO[bytes]], None]
