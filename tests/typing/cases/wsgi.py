"""WSGI applications of every make are WSGIApplication."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.simple_server import demo_app, make_server
from wsgiref.types import StartResponse as StdStartResponse
from wsgiref.types import WSGIApplication as StdApplication
from wsgiref.types import WSGIEnvironment as StdEnvironment
from wsgiref.validate import validator

import flask
import werkzeug.middleware.proxy_fix
from django.core.handlers.wsgi import WSGIHandler  # E?: Django ships no types

from asgikit.spec import StartResponse, WSGIApplication, WSGIEnvironment


def takes(application: WSGIApplication) -> None: ...
def takes_std(application: StdApplication) -> None: ...


# case: a function typed by our words
def ours(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"hello"]


takes(ours)


# case: a function typed by the standard library's words
def standard(environ: StdEnvironment, start_response: StdStartResponse) -> Iterable[bytes]:
    return [b""]


takes(standard)


# case: a function with other parameter names
def other_names(request: dict[str, Any], respond: StartResponse, /) -> Iterable[bytes]:
    return [b""]


takes(other_names)


# case: a function with loose types
def loose(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    return [b""]


takes(loose)


# case: a generator function
def generator(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    yield b""


takes(generator)


# case: a callable object
class Application:
    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        return [b""]


takes(Application())

# case: a class whose objects are iterated


class Iterating:
    def __init__(self, environ: WSGIEnvironment, start_response: StartResponse) -> None: ...
    def __iter__(self) -> Iterator[bytes]:
        yield b""


takes(Iterating)

# case: Flask
takes(flask.Flask("name"))

# case: Flask's wsgi_app
takes(flask.Flask("name").wsgi_app)

# case: Django
takes(WSGIHandler())  # E?: Django ships no types

# case: the standard library's validator
takes(validator(ours))

# case: the standard library's demo
takes(demo_app)

# case: werkzeug's middleware
takes(werkzeug.middleware.proxy_fix.ProxyFix(ours))


# case: ours is the standard library's
def passed_on(application: WSGIApplication) -> None:
    takes_std(application)
    make_server("", 0, application)


# case: the standard library's is ours
def taken(application: StdApplication) -> None:
    takes(application)


# case: calling one
def called(application: WSGIApplication, start_response: StartResponse) -> bytes:
    return b"".join(application({}, start_response))


# case: a result of text
def textual(environ: WSGIEnvironment, start_response: StartResponse) -> list[str]:
    return ["hello"]


takes(textual)  # E


# case: an ASGI application
async def asgi(scope: Any, receive: Any, send: Any) -> None: ...


takes(asgi)  # E


# case: a coroutine function
async def coroutine(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    return [b""]


takes(coroutine)  # E

# case: the name of an application
takes("project.wsgi:application")  # E


# case: start_response with a number
def wrong_status(start_response: StartResponse) -> None:
    start_response(200, [])  # E


# case: start_response with headers of bytes
def wrong_headers(start_response: StartResponse) -> None:
    start_response("200 OK", [(b"a", b"b")])  # E


# case: start_response gives write
def write(start_response: StartResponse) -> None:
    start_response("200 OK", [])(b"hello")
    start_response("200 OK", [])("hello")  # E
