"""ASGI 2 applications, called twice: taken when they say what they are or when the caller does, never by a guess."""

from collections.abc import Awaitable, Callable
from typing import TypeVar, cast

from asgikit.protocols import ApplicationLike, DoubleCallable

__all__ = ("as_single_callable",)

_ScopeT = TypeVar("_ScopeT")
_InT = TypeVar("_InT")
_OutT = TypeVar("_OutT")


def as_single_callable(
    application: ApplicationLike[_ScopeT, _InT, _OutT] | DoubleCallable[_ScopeT, _InT, _OutT], *, double: bool = False
) -> ApplicationLike[_ScopeT, _InT, _OutT]:
    """Return the application in the form of ASGI 3.

    It is taken for an ASGI 2 application (`application(scope)` gives what takes `receive` and `send`) when
    `double` is true, or when it carries the mark that asgiref knows too: an attribute `_asgi_double_callable` that is
    true. Nothing is concluded from its signature: partials, lambdas and wrappers would be guessed wrong.
    """
    if not (double or getattr(application, "_asgi_double_callable", False)):
        return cast("ApplicationLike[_ScopeT, _InT, _OutT]", application)
    outer = cast("DoubleCallable[_ScopeT, _InT, _OutT]", application)

    async def single_callable(
        scope: _ScopeT, receive: Callable[[], Awaitable[_InT]], send: Callable[[_OutT], Awaitable[None]]
    ) -> object:
        return await outer(scope)(receive, send)

    return single_callable
