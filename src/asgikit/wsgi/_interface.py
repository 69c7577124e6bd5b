"""Which interface an application speaks, as far as its signature says so: pure, and silent where it is not certain."""

import inspect
from collections.abc import Callable
from functools import partial
from typing import Any, Final, Literal, TypeAlias, get_args

__all__ = ("INTERFACES", "Interface", "detect")

Interface: TypeAlias = Literal["asgi3", "asgi2", "wsgi"]
INTERFACES: Final[tuple[Interface, ...]] = get_args(Interface)

_POSITIONAL: Final = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


def _required(call: Callable[..., Any]) -> list[str] | None:
    """Return the names of the positional arguments that `call` needs; None if nobody can tell."""
    try:
        parameters = inspect.signature(call).parameters.values()
    except (TypeError, ValueError):
        return None
    if any(parameter.kind is inspect.Parameter.VAR_POSITIONAL for parameter in parameters):
        return None
    return [
        parameter.name
        for parameter in parameters
        if parameter.kind in _POSITIONAL and parameter.default is inspect.Parameter.empty
    ]


def _is_async(call: Callable[..., Any]) -> bool:
    while isinstance(call, partial):
        call = call.func
    return inspect.iscoroutinefunction(call) or inspect.iscoroutinefunction(getattr(call, "__call__", None))  # noqa: B004


def detect(application: Callable[..., Any]) -> Interface | None:
    """Return the interface that `application` speaks beyond doubt, or None.

    An async callable of (scope, receive, send) is ASGI 3; a callable of `scope`, or a class made with it whose
    instances are async callables of (receive, send), is ASGI 2; a synchronous callable whose second argument is
    named `start_response` is WSGI.
    """
    names = _required(application)
    if names is None:
        return None
    if isinstance(application, type):
        serves = _required(application.__call__)
        asgi2 = len(names) == 1 and _is_async(application.__call__) and serves is not None and len(serves) == 3  # noqa: PLR2004 - self, receive, send
        return "asgi2" if asgi2 else None
    if names == ["scope", "receive", "send"] or (_is_async(application) and len(names) == 3):  # noqa: PLR2004 - the same
        return "asgi3"
    if _is_async(application):
        return None
    if names == ["scope"]:
        return "asgi2"
    return "wsgi" if len(names) == 2 and names[1] == "start_response" else None  # noqa: PLR2004 - environ and that
