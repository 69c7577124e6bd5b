"""The table of what a signature says, and of what it leaves open."""

from collections.abc import Callable, Iterable
from functools import partial
from importlib import import_module
from typing import Any
from wsgiref.validate import validator

import pytest

from asgikit.wsgi import WsgiToAsgi
from asgikit.wsgi._interface import detect
from tests.wsgi.frameworks import SITES, Diary


async def asgi3(scope: Any, receive: Any, send: Any) -> None: ...
async def asgi3_by_other_names(a: Any, b: Any, c: Any, *, extra: int = 1) -> None: ...
def asgi3_returning_an_awaitable(scope: Any, receive: Any, send: Any) -> Any: ...
def asgi2(scope: Any) -> Any: ...
def wsgi(environ: Any, start_response: Any) -> Any: ...
def wsgi_with_more(env: Any, start_response: Any, more: int = 1) -> Any: ...
def two(a: Any, b: Any) -> Any: ...
def one(a: Any) -> Any: ...
def anything(*args: Any, **kwargs: Any) -> Any: ...
async def async_two(environ: Any, start_response: Any) -> None: ...
async def with_prefix(prefix: str, scope: Any, receive: Any, send: Any) -> None: ...


class Asgi3:
    async def __call__(self, scope: Any, receive: Any, send: Any) -> None: ...
    async def method(self, scope: Any, receive: Any, send: Any) -> None: ...


class Asgi2:
    def __init__(self, scope: Any) -> None: ...
    async def __call__(self, receive: Any, send: Any) -> None: ...


class Wsgi:
    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        return []


@pytest.mark.parametrize(
    ("application", "interface"),
    [
        (asgi3, "asgi3"),
        (asgi3_by_other_names, "asgi3"),
        (asgi3_returning_an_awaitable, "asgi3"),
        (Asgi3(), "asgi3"),
        (Asgi3().method, "asgi3"),
        (partial(with_prefix, "x"), "asgi3"),
        (WsgiToAsgi(wsgi), "asgi3"),
        (asgi2, "asgi2"),
        (Asgi2, "asgi2"),
        (wsgi, "wsgi"),
        (wsgi_with_more, "wsgi"),
        (Wsgi(), "wsgi"),
        (partial(wsgi_with_more, more=2), "wsgi"),
        (two, None),
        (one, None),
        (anything, None),
        (async_two, None),
        (Asgi3, None),
        (Wsgi, None),
        (print, None),
        (str.join, None),
        (validator(wsgi), None),
    ],
)
def test_signatures(application: Callable[..., Any], interface: str | None) -> None:
    """P1's rule for WSGI too: a guess is made only where there is nothing to guess."""
    assert detect(application) == interface


@pytest.mark.parametrize("site", ["flask", "django", "bottle"])
def test_frameworks(site: str) -> None:
    assert detect(SITES[site][0](Diary())) == "wsgi"


def test_starlette() -> None:
    assert detect(import_module("starlette.applications").Starlette()) == "asgi3"
