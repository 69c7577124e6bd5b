"""WSGI (PEP 3333): the application, over the words of `wsgiref.types`."""

from collections.abc import Iterable
from typing import Protocol
from wsgiref.types import StartResponse, WSGIEnvironment

__all__ = ("StartResponse", "WSGIApplication", "WSGIEnvironment")


class WSGIApplication(Protocol):
    """Anything that is called with environ and start_response: a function, an object, a framework's application."""

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse, /) -> Iterable[bytes]:
        """Answer one request. Called on a worker thread; whoever iterates the result also calls its `close`."""
        ...
