"""The same small site four times: Flask, Django, Bottle, and plain WSGI under `wsgiref.validate`.

Routes: /hello, /echo and /count (request bodies), /stream (64 chunks of 64 KiB), /empty (204), /unchanged (304),
/broken (raises before its first byte), /breaks (after it), /endless. `Diary` says what happened on the other side.
"""

import queue
import zlib
from collections.abc import Callable, Iterable, Iterator
from importlib import import_module
from types import ModuleType
from typing import Any, Final, cast
from wsgiref.validate import validator

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
CHUNK: Final = bytes(range(256)) * 256


class Diary:
    """What the application did, for the test to wait for."""

    def __init__(self) -> None:
        self.entries: queue.SimpleQueue[str] = queue.SimpleQueue()

    def write(self, entry: str) -> None:
        self.entries.put(entry)

    def wait(self) -> str:
        return self.entries.get(timeout=20)


def untyped(name: str) -> Any:
    """Import a module that has no types."""
    return import_module(name)


def stream() -> Iterator[bytes]:
    for _ in range(64):
        yield CHUNK


def breaks() -> Iterator[bytes]:
    yield CHUNK
    raise KeyError("broken")


def endless(diary: Diary) -> Iterator[bytes]:
    try:
        while True:
            yield CHUNK
    finally:
        diary.write("endless closed")


def count(read: Callable[[int], bytes], diary: Diary) -> bytes:
    size = total = 0
    try:
        while data := read(65536):
            size += len(data)
            total = zlib.crc32(data, total)
    except Exception as error:
        diary.write(f"count failed with {type(error).__name__}")
        raise
    return b"%d %d" % (size, total)


def flask_site(diary: Diary) -> Wsgi:
    from flask import Flask, Response, request

    app = Flask("site")
    app.config["PROPAGATE_EXCEPTIONS"] = False
    routes: dict[str, Callable[[], Any]] = {
        "hello": lambda: Response("hello", mimetype="text/plain"),
        "echo": lambda: Response(request.get_data()),
        "count": lambda: Response(count(request.stream.read, diary)),
        "stream": lambda: Response(stream()),
        "empty": lambda: Response(status=204),
        "unchanged": lambda: Response(status=304, headers={"ETag": '"1"'}),
        "broken": lambda: 1 // 0,
        "breaks": lambda: Response(breaks()),
        "endless": lambda: Response(endless(diary)),
    }
    for name, view in routes.items():
        app.add_url_rule(f"/{name}", name, view, methods=["GET", "POST"])
    return app


def django_site(diary: Diary) -> Wsgi:
    settings: Any = untyped("django.conf").settings
    http: Any = untyped("django.http")
    handlers: Any = untyped("django.core.handlers.wsgi")
    path: Any = untyped("django.urls").path
    if not settings.configured:
        settings.configure(ALLOWED_HOSTS=["*"], SECRET_KEY="tests only", ROOT_URLCONF="")
    routes: dict[str, Callable[[Any], Any]] = {
        "hello": lambda request: http.HttpResponse("hello", headers={"Content-Length": "5"}),
        "echo": lambda request: http.HttpResponse(request.body),
        "count": lambda request: http.HttpResponse(count(request.read, diary)),
        "stream": lambda request: http.StreamingHttpResponse(stream()),
        "empty": lambda request: http.HttpResponse(status=204),
        "unchanged": lambda request: http.HttpResponse(status=304),
        "broken": lambda request: 1 // 0,
        "breaks": lambda request: http.StreamingHttpResponse(breaks()),
        "endless": lambda request: http.StreamingHttpResponse(endless(diary)),
    }

    module = ModuleType("site_urls")
    vars(module)["urlpatterns"] = [path(name, view) for name, view in routes.items()]

    handler: Any = handlers.WSGIHandler()
    # The routes come with the request, so that the settings of other tests do not matter.
    handler.request_class = type("Request", (handlers.WSGIRequest,), {"urlconf": module})
    site: Wsgi = handler
    return site


def bottle_site(diary: Diary) -> Wsgi:
    bottle: Any = untyped("bottle")
    app: Any = bottle.Bottle()

    def head(status: int) -> bytes:
        bottle.response.status = status
        return b""

    def read() -> bytes:
        data: bytes = bottle.request.body.read()
        return data

    def counted() -> bytes:
        return count(bottle.request.environ["wsgi.input"].read, diary)

    routes: dict[str, Callable[[], Any]] = {
        "hello": lambda: b"hello",
        "echo": read,
        "count": counted,
        "stream": stream,
        "empty": lambda: head(204),
        "unchanged": lambda: head(304),
        "broken": lambda: 1 // 0,
        "breaks": breaks,
        "endless": lambda: endless(diary),
    }
    for name, view in routes.items():
        app.route(f"/{name}", ["GET", "POST"], view)
    site: Wsgi = app
    return site


def plain_site(diary: Diary) -> Wsgi:
    """Streams and writes by hand, and is watched by the validator of the standard library."""

    def answer(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        name = environ["PATH_INFO"].strip("/")
        if name == "broken":
            raise KeyError("broken")
        if name in {"empty", "unchanged"}:
            start_response("204 No Content" if name == "empty" else "304 Not Modified", [])
            return []
        length = [("Content-Length", "5")] if name == "hello" else []
        if name in {"echo", "count"}:
            read = environ["wsgi.input"].read
            data = b"".join(iter(lambda: read(65536), b"")) if name == "echo" else count(read, diary)
        else:
            data = b"hello"
        write = start_response("200 OK", [("Content-Type", "text/plain"), *length])
        if name in {"echo", "count"}:
            write(data)
            return []
        streams: dict[str, Callable[[], Iterable[bytes]]] = {
            "stream": stream,
            "breaks": breaks,
            "endless": lambda: endless(diary),
        }
        return streams[name]() if name in streams else [data]

    return cast("Callable[[Wsgi], Wsgi]", validator)(answer)


SITES: Final[dict[str, tuple[Callable[[Diary], Wsgi], dict[str, Any]]]] = {
    # Django and Bottle read CONTENT_LENGTH and nothing else: a body of unknown length is received first for them.
    "flask": (flask_site, {}),
    "django": (django_site, {"buffer_body": "unknown"}),
    "bottle": (bottle_site, {"buffer_body": "unknown"}),
    "plain": (plain_site, {}),
}
