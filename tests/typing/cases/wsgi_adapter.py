"""WsgiToAsgi takes every WSGI application and is an ASGI application everywhere."""

import sys
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from wsgiref.simple_server import demo_app
from wsgiref.validate import validator

import asgiref.typing
import flask
import hypercorn.typing
import starlette.applications
import starlette.types
import uvicorn

from asgikit import Bridge
from asgikit.spec import ASGI3Application, ASGIApplicationLike, StartResponse, WSGIEnvironment
from asgikit.wsgi import WsgiToAsgi


def hello(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", [])
    return [b"hello"]


async def asgi(scope: Any, receive: Any, send: Any) -> None: ...
def takes_ours(application: ASGI3Application) -> None: ...
def takes_like(application: ASGIApplicationLike) -> None: ...
def takes_asgiref(application: asgiref.typing.ASGI3Application) -> None: ...
def takes_starlette(application: starlette.types.ASGIApp) -> None: ...
def takes_hypercorn(application: hypercorn.typing.ASGIFramework) -> None: ...


application = WsgiToAsgi(hello)

# case: a function, Flask, the demo, a validator
WsgiToAsgi(hello)
WsgiToAsgi(flask.Flask("name"))
WsgiToAsgi(demo_app)
WsgiToAsgi(validator(hello))

# case: an ASGI application is no WSGI application
WsgiToAsgi(asgi)  # E

# case: the name of an application
WsgiToAsgi("project.wsgi:application")  # E

# case: an executor
WsgiToAsgi(hello, executor=ThreadPoolExecutor(8))

# case: an executor without submit
WsgiToAsgi(hello, executor=8)  # E

# case: a bridge
WsgiToAsgi(hello, bridge=Bridge())

# case: a bridge is not an executor
WsgiToAsgi(hello, executor=Bridge())  # E

# case: options
WsgiToAsgi(hello, threads=8, max_body_size=1024, buffer_body="unknown", hop_by_hop="drop", errors=sys.stderr)

# case: a word that is not an option's
WsgiToAsgi(hello, buffer_body="sometimes")  # E

# case: options are keyword-only
WsgiToAsgi(hello, 8)  # E

# case: it is an application of ours
takes_ours(application)
takes_like(application)

# case: it is an application of asgiref's
takes_asgiref(application)

# case: it is an application of Starlette's
takes_starlette(application)
starlette.applications.Starlette().mount("/legacy", application)

# case: it is an application of hypercorn's
takes_hypercorn(application)

# case: uvicorn runs it
uvicorn.run(application)
uvicorn.Config(application)


# case: calling it
async def called(scope: starlette.types.Scope, receive: starlette.types.Receive, send: starlette.types.Send) -> None:
    await application(scope, receive, send)


# case: calling it without send
async def called_wrong(scope: starlette.types.Scope, receive: starlette.types.Receive) -> None:
    await application(scope, receive)  # E


# case: forgetting to await it
def forgotten(scope: Any, receive: Any, send: Any) -> None:
    result: None = application(scope, receive, send)  # E
    print(result)
