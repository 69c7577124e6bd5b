"""What may be wrapped: decided when the wrapping happens, with the remedy in the message. Pure."""

import asyncio.coroutines
import functools
import inspect
from collections.abc import AsyncIterable, Callable, Iterable, Mapping
from typing import Any, Final

from asgikit.errors import PartContractError, WrapError
from asgikit.executor import name_of

__all__ = ("check_async", "check_iterable", "check_part", "check_sync", "is_descriptor", "named_like")

_MARKS: Final = ("_is_coroutine", "_is_coroutine_marker")  # how asyncio, and inspect since 3.12, mark functions
_MARK: Final = getattr(asyncio.coroutines, "_is_coroutine", None)
_UNMARKED: Final = object()
_PARTS: Final[Mapping[str, tuple[str, str]]] = {  # a method that tells each from what is mistaken for it; the remedy
    "sensitive_pool": (
        "lease",
        "give a ThreadSensitivePool of asgikit.executor, or your own asgikit.protocols.SensitivePool",
    ),
    "loop_runner": ("post", "give a runner of asgikit.loop; a function that makes loops is for its loop_factory="),
    "clock": ("call_later", "give an asgikit.protocols.Clock"),
    "observer": ("queued", "give an object with the five methods of asgikit.protocols.Observer"),
}


def _underlying(function: object) -> object:
    """Return what a callable ends up calling: through partials, methods and callable objects."""
    while isinstance(function, functools.partial):
        function = function.func
    if inspect.isroutine(function) or inspect.isclass(function):
        return function
    return getattr(type(function), "__call__", function)  # noqa: B004 - what it calls, not whether


def _is_async(function: object) -> bool:
    return any(
        inspect.iscoroutinefunction(candidate) or getattr(candidate, "_is_coroutine", _UNMARKED) is _MARK
        for candidate in (function, _underlying(function))
    )


def _is_generator(function: object) -> bool:
    """Whether calling it makes a generator to iterate, and not one to await (`types.coroutine`)."""
    code = getattr(function, "__code__", None)
    awaitable = code is not None and bool(code.co_flags & inspect.CO_ITERABLE_COROUTINE)
    return inspect.isgeneratorfunction(function) and not awaitable


def is_descriptor(function: object) -> bool:
    """Whether it is a `staticmethod` or `classmethod` object, as a decorator below those gets it."""
    return isinstance(function, staticmethod | classmethod)


def check_sync(function: object, argument: str = "sync_to_async") -> None:
    """Refuse what `sync_to_async` cannot wrap.

    Raises:
        WrapError: not callable, a coroutine object, or an async or a generator function.
    """
    if inspect.iscoroutine(function):
        function.close()  # else it would warn that it was never awaited
        message = f"{argument} was given a coroutine object; await it, or give the synchronous function to call"
    elif not callable(function):
        message = f"{argument} was given {function!r}, which is not callable; give the synchronous function to call"
    elif _is_async(function):
        message = (
            f"{name_of(function)} is async already: await it directly, or use async_to_sync to call it from sync code"
        )
    elif inspect.isasyncgenfunction(_underlying(function)):
        message = (
            f"{name_of(function)} is an async generator function: iterate it with `async for`, or with iterate_sync"
        )
    elif _is_generator(_underlying(function)):
        message = (
            f"{name_of(function)} is a generator function: its body would run on the event loop as it is iterated;"
            " use iterate_async, which makes an async iterator of it"
        )
    else:
        return
    raise WrapError(message)


def check_async(function: object, argument: str = "async_to_sync") -> None:
    """Refuse what `async_to_sync` cannot wrap. A callable that returns an awaitable is fine.

    Raises:
        WrapError: not callable, a coroutine object, or a generator function of either kind.
    """
    if inspect.iscoroutine(function):
        name = function.__qualname__
        function.close()  # else it would warn that it was never awaited
        right = f"{argument}({name}, ...)" if argument == "run_async" else f"{argument}({name})(...)"
        message = f"{argument} was given a coroutine object; write {right} instead of {argument}({name}(...))"
    elif not callable(function):
        message = f"{argument} was given {function!r}, which is not callable; give the async function to call"
    elif inspect.isasyncgenfunction(_underlying(function)):
        message = f"{name_of(function)} is an async generator function and has no result to wait for; use iterate_sync"
    elif _is_generator(_underlying(function)):
        message = f"{name_of(function)} is a generator function and not async; call it directly"
    else:
        return
    raise WrapError(message)


def named_like(wrapper: Any, function: Callable[..., Any]) -> None:
    """Give `wrapper` the name, doc and signature of `function`; also where that has no name of its own."""
    functools.update_wrapper(wrapper, function)
    for mark in _MARKS:  # of the function, and wrong for its other side (invariant J4)
        wrapper.__dict__.pop(mark, None)
    if not hasattr(function, "__name__"):  # a partial or a callable object
        wrapper.__name__ = name_of(function).rpartition(".")[2]
        wrapper.__qualname__ = wrapper.__name__


def check_iterable(source: object, *, is_async: bool) -> None:
    """Refuse what `iterate_async` (or, if `is_async`, `iterate_sync`) cannot iterate.

    Raises:
        WrapError: neither an iterable of that kind nor a function that may return one.
    """
    asked, other = ("iterate_sync", "iterate_async") if is_async else ("iterate_async", "iterate_sync")
    right, wrong = (AsyncIterable, Iterable) if is_async else (Iterable, AsyncIterable)
    function = _underlying(source)
    is_wrong = _is_generator(function) if is_async else inspect.isasyncgenfunction(function)
    if issubclass(type(source), right):
        return
    if issubclass(type(source), wrong) or is_wrong:
        loop = "for" if is_async else "async for"
        message = f"{name_of(source)} is for `{loop}` as it is; to iterate it from the other side, use {other}"
    elif not callable(source) or _is_async(source):
        kind = "an async iterable" if is_async else "an iterable"
        message = f"{asked} was given {source!r}, which is neither {kind} nor a function returning one"
    else:
        return
    raise WrapError(message)


def check_part(argument: str, part: object) -> None:
    """Refuse what cannot be the part of a bridge that it was given as. None is no part, and fine.

    Raises:
        PartContractError: it is a class, or has not the methods.
    """
    method, remedy = _PARTS[argument]
    if isinstance(part, type):
        message = f"{argument}={part!r} is a class; give an instance of it"
    elif part is not None and not callable(getattr(part, method, None)):
        message = f"{argument}={part!r} has no {method}(); {remedy}"
    else:
        return
    raise PartContractError(message)
