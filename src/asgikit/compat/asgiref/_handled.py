"""Shows the exception that the caller is handling to the code that it calls, as `sys.exc_info()`.

asgiref raises it again on the other side, which changes its traceback and is unsafe when several threads do so.
Here the interpreter is told which exception is being handled, in a frame that ends with the call.
"""

from collections.abc import Awaitable, Callable, Generator
from typing import Any

__all__ = ("await_handling", "call_handling")


def _cannot_say(exception: object) -> object:
    """Do nothing: not CPython, or without ctypes."""


try:
    from ctypes import py_object, pythonapi

    pythonapi.PyErr_SetHandledException.argtypes = (py_object,)
    pythonapi.PyErr_SetHandledException.restype = None
    _set_handled: Callable[[object], object] = pythonapi.PyErr_SetHandledException
except (ImportError, AttributeError):
    _set_handled = _cannot_say


def call_handling(exception: BaseException, function: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    """Return `function(*args, **kwargs)`, called as if `exception` were being handled. Any thread."""
    return next(_calling(exception, function, args, kwargs))


def _calling(
    exception: BaseException, function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Generator[Any, None, None]:
    # A generator has a handled exception of its own, which is gone when it is.
    _set_handled(exception)
    del exception
    yield function(*args, **kwargs)


async def await_handling(exception: BaseException | None, awaitable: Awaitable[Any]) -> Any:
    """Return what `awaitable` returns; while it runs, `exception`, if any, is being handled. On the loop's thread."""
    if exception is not None:
        _set_handled(exception)
    del exception
    return await awaitable
