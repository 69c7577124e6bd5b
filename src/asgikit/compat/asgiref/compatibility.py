"""`asgiref.compatibility`: telling ASGI 2 applications (double callables) from ASGI 3 ones, and wrapping them.

What asgiref decides by asking whether the application is a coroutine function is decided here by how many
arguments it takes wherever that is certain, which is right for partials, lambdas and synchronous wrappers too
(invariant P1).
"""

import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from asgikit.compat.asgiref import _calls

__all__ = ("double_to_single_callable", "guarantee_single_callable", "is_double_callable")

_Single: TypeAlias = Callable[[Any, Any, Any], Awaitable[Any]]


def is_double_callable(application: Callable[..., Any]) -> bool:
    """Whether `application` is of the ASGI 2 form `application(scope)(receive, send)`.

    Its attributes `_asgi_single_callable` and `_asgi_double_callable` settle it. A class counts as ASGI 2.
    """
    if getattr(application, "_asgi_single_callable", False):
        return False
    if getattr(application, "_asgi_double_callable", False) or inspect.isclass(application):
        return True
    return not _calls.is_async(application) and (not _takes(application, 3) or _takes(application, 1))


def _takes(application: Callable[..., Any], count: int) -> bool:
    """Whether `application` may be called with `count` positional arguments; True if that cannot be known."""
    try:
        inspect.signature(application).bind(*range(count))
    except TypeError:
        return False
    except ValueError:  # a builtin without a signature
        return True
    return True


def double_to_single_callable(application: Callable[[Any], Callable[[Any, Any], Awaitable[Any]]]) -> _Single:
    """Wrap an ASGI 2 application as an ASGI 3 one."""

    async def single(scope: Any, receive: Any, send: Any) -> Any:
        return await application(scope)(receive, send)

    return single


def guarantee_single_callable(application: Callable[..., Any]) -> _Single:
    """Return an ASGI 3 application: this one, or the wrapper of an ASGI 2 one."""
    return double_to_single_callable(application) if is_double_callable(application) else application
