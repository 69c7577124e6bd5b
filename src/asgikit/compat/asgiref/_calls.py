"""What both wrappers need: whether a function is async, and how a call is carried across."""

import asyncio
import functools
import inspect
import sys
from collections.abc import Callable, Coroutine
from operator import call
from typing import Any, Final, TypeGuard, TypeVar

__all__ = ("Job", "copy_self", "is_async", "is_sync", "iscoroutinefunction", "markcoroutinefunction")

_F = TypeVar("_F", bound=Callable[..., object])

_asks: Final = inspect.iscoroutinefunction if sys.version_info >= (3, 12) else asyncio.iscoroutinefunction


def iscoroutinefunction(func: Any) -> TypeGuard[Callable[..., Coroutine[Any, Any, Any]]]:
    """Whether `func` is `async def`, or was marked by `markcoroutinefunction`."""
    return _asks(func)


def markcoroutinefunction(func: _F) -> _F:
    """Have `iscoroutinefunction` answer True for `func`, which returns an awaitable without being `async def`."""
    if sys.version_info >= (3, 12):
        return inspect.markcoroutinefunction(func)
    else:  # noqa: RET505 - so that checkers leave out what is for another version
        setattr(func, "_is_coroutine", getattr(asyncio.coroutines, "_is_coroutine"))  # noqa: B009, B010 - unknown to typeshed
        return func


def is_async(function: Any) -> bool:
    return iscoroutinefunction(function) or iscoroutinefunction(getattr(function, "__call__", function))  # noqa: B004 - its own


def is_sync(function: Any) -> bool:
    return callable(function) and not is_async(function)


def copy_self(wrapper: Any, function: Any) -> None:
    """Let the wrapper of a method show whose it is."""
    if hasattr(function, "__self__"):
        wrapper.__self__ = function.__self__


class Job:
    """What the bridge runs for a wrapper: named like the user's function, and pickled as the user's call alone."""

    __slots__ = ("_arguments", "_child", "_run")

    def __init__(self, run: Callable[..., Any], child: "functools.partial[Any]", *arguments: Any) -> None:
        self._run = run
        self._child = child
        self._arguments = arguments

    @property
    def __func__(self) -> Any:
        """The function that a report names, as it names that of a method."""
        function = self._child.func
        while isinstance(function, functools.partial):
            function = function.func
        return function

    def __call__(self) -> Any:
        return self._run(*self._arguments, self._child)

    def __repr__(self) -> str:
        return repr(self.__func__)

    def __reduce__(self) -> tuple[Any, ...]:
        return (functools.partial, (call, self._child))
