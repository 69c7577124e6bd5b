"""P4: WsgiToAsgi takes every WSGI application and executor, and is an application for every server."""

from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from wsgiref.validate import validator

import asgiref.typing
import flask
import hypercorn.asyncio
import hypercorn.config
import hypercorn.typing
import starlette.applications
import starlette.routing
import starlette.testclient
import starlette.types
import uvicorn
from django.core.handlers.wsgi import WSGIHandler  # E?: Django ships no types

from asgikit import Bridge
from asgikit.executor import InlineExecutor, WorkerThreadPool
from asgikit.spec import ASGI3ApplicationLike, ASGIApplicationLike, StartResponse, WSGIEnvironment
from asgikit.wsgi import FileWrapper, WsgiToAsgi


def hello(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    return [b"hello"]


def loose(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
    return [b"hello"]


def asgiref_takes(application: asgiref.typing.ASGI3Application) -> None: ...
def starlette_takes(application: starlette.types.ASGIApp) -> None: ...
def hypercorn_takes(application: hypercorn.typing.ASGIFramework) -> None: ...
def ours_takes(application: ASGI3ApplicationLike) -> None: ...
def ours_takes_either(application: ASGIApplicationLike) -> None: ...


adapter = WsgiToAsgi(hello)

# case: one argument is enough
WsgiToAsgi(loose)

# case: Flask
WsgiToAsgi(flask.Flask("name"))

# case: Django
WsgiToAsgi(WSGIHandler())  # E?: Django ships no types

# case: the validator
WsgiToAsgi(validator(hello))

# case: given to asgiref's types
asgiref_takes(adapter)

# case: given to Starlette's types
starlette_takes(adapter)

# case: given to hypercorn's types
hypercorn_takes(adapter)

# case: given to ours
ours_takes(adapter)
ours_takes_either(adapter)

# case: given to uvicorn
uvicorn.run(adapter)
uvicorn.Config(adapter)

# case: mounted in Starlette, and tested with it
starlette.applications.Starlette(routes=[starlette.routing.Mount("/", adapter)])
starlette.testclient.TestClient(adapter)


# case: served by hypercorn
async def served() -> None:
    await hypercorn.asyncio.serve(adapter, hypercorn.config.Config())  # E?: its own signature is unknown in part


# case: executors of every kind
WsgiToAsgi(hello, executor=ThreadPoolExecutor())
WsgiToAsgi(hello, executor=ProcessPoolExecutor())
WsgiToAsgi(hello, executor=WorkerThreadPool(4))
WsgiToAsgi(hello, executor=InlineExecutor())
WsgiToAsgi(hello, executor=None)

# case: a bridge
WsgiToAsgi(hello, bridge=Bridge())

# case: options of a bridge
WsgiToAsgi(hello, bridge=Bridge().options(timeout=1.0))

# case: the knobs
WsgiToAsgi(
    hello, threads=4, max_body_size=1 << 20, buffer_body="unknown", hop_by_hop="drop", duplicate_header_limit=None
)

# case: an ASGI application
WsgiToAsgi(adapter)  # E

# case: no application
WsgiToAsgi("module:app")  # E

# case: options are named
WsgiToAsgi(hello, ThreadPoolExecutor())  # E

# case: no executor
WsgiToAsgi(hello, executor=4)  # E

# case: no bridge
WsgiToAsgi(hello, bridge=ThreadPoolExecutor())  # E

# case: an unknown choice
WsgiToAsgi(hello, buffer_body="sometimes")  # E


# case: a file as a body
def file(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    return FileWrapper(Path("file").open("rb"))


# case: closing
adapter.close()
adapter.close(grace=0.5)
