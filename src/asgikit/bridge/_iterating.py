"""Iterables and context managers across the bridge, in both directions (invariants K1 to K3).

What does the work is imported with the first use: importing asgikit shall not cost what few programs ask for.
"""

from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import replace
from functools import partial
from typing import Any, ParamSpec, TypeVar, overload

from asgikit.bridge._checks import check_iterable, is_descriptor, named_like
from asgikit.bridge._wrapping import Wrapping
from asgikit.errors import WrapError
from asgikit.executor import name_of

__all__ = ("Iterating",)

_P = ParamSpec("_P")
_T = TypeVar("_T")
_S = TypeVar("_S")


class Iterating(Wrapping):
    """Iteration, and regions with an entry and an exit."""

    __slots__ = ()

    @overload
    def iterate_async(
        self, source: Callable[_P, Generator[_T, _S, object]], *, max_buffer: int = 64
    ) -> Callable[_P, AsyncGenerator[_T, _S]]: ...
    @overload
    def iterate_async(
        self, source: Callable[_P, Iterable[_T]], *, max_buffer: int = 64
    ) -> Callable[_P, AsyncGenerator[_T, None]]: ...
    @overload
    def iterate_async(self, source: Iterable[_T], *, max_buffer: int = 64) -> AsyncGenerator[_T, None]: ...
    @overload
    def iterate_async(
        self, *, max_buffer: int = 64
    ) -> Callable[[Callable[_P, Iterable[_T]]], Callable[_P, AsyncGenerator[_T, None]]]: ...

    def iterate_async(self, source: Any = None, *, max_buffer: int = 64) -> Any:
        """Iterate over something synchronous from async code; also a decorator for generator functions.

        All steps run on one thread (the home thread; with `options(thread_sensitive=False)` one leased worker;
        an executor that was given has to have one thread) and in one context, a copy of the caller's. Up to
        `max_buffer` items are read ahead, so that many cross together; with 0 every item is a crossing of its
        own, and `asend` and `athrow` reach the generator. The iterator's `close()`, if it has one, is always
        called, on its thread: leave early with `async with contextlib.aclosing(...)`, else it happens when
        the iterator is collected. Cancelled while the iterable is busy, the iteration ends at once, and the
        iterable is closed when it comes back.

        Args:
            source: an iterable, or a function that returns one: then a function with the same parameters is
                returned, each call of which iterates anew.
            max_buffer: how many items may wait to be taken.

        Raises:
            WrapError: `source` is neither, or is async.
            ValueError: `max_buffer` is negative.
        """
        if max_buffer < 0:
            message = f"max_buffer must not be negative, as {max_buffer} is"
            raise ValueError(message)
        if source is None:
            return partial(self.iterate_async, max_buffer=max_buffer)
        if is_descriptor(source):  # decorated below instead of above: wrap what is inside
            return type(source)(self.iterate_async(source.__func__, max_buffer=max_buffer))
        check_iterable(source, is_async=False)
        if issubclass(type(source), Iterable) and not isinstance(source, type):
            return self._iterate_async(source, lambda: source, max_buffer)

        def wrapper(*args: Any, **kwargs: Any) -> AsyncGenerator[Any, Any]:
            return self._iterate_async(source, lambda: source(*args, **kwargs), max_buffer)

        named_like(wrapper, source)
        return wrapper

    def _iterate_async(self, source: object, make: Callable[[], Any], max_buffer: int) -> AsyncGenerator[Any, Any]:
        from asgikit.bridge._iterate_async import lockstep, read_ahead  # noqa: PLC0415 - see the head of this file
        from asgikit.bridge._steps import Steps  # noqa: PLC0415 - see the head of this file

        begin = partial(Steps, self._parts, self._defaults, source)
        if max_buffer == 0:
            return lockstep(begin, make)
        return read_ahead(begin, make, max_buffer)

    @overload
    def iterate_sync(
        self, source: Callable[_P, AsyncGenerator[_T, _S]], *, max_buffer: int = 64
    ) -> Callable[_P, Generator[_T, _S, None]]: ...
    @overload
    def iterate_sync(
        self, source: Callable[_P, AsyncIterable[_T]], *, max_buffer: int = 64
    ) -> Callable[_P, Generator[_T, None, None]]: ...
    @overload
    def iterate_sync(self, source: AsyncIterable[_T], *, max_buffer: int = 64) -> Generator[_T, None, None]: ...
    @overload
    def iterate_sync(
        self, *, max_buffer: int = 64
    ) -> Callable[[Callable[_P, AsyncIterable[_T]]], Callable[_P, Generator[_T, None, None]]]: ...

    def iterate_sync(self, source: Any = None, *, max_buffer: int = 64) -> Any:
        """Iterate over something async from synchronous code; also a decorator for async generator functions.

        All steps run in one task, one context and on one loop, which is chosen as for `async_to_sync`; the
        iterating thread, which must not change, hosts whenever it waits for an item. Up to `max_buffer` items
        are read ahead; with 0 every item is a crossing of its own, and `send` and `throw` reach the generator.
        Its `aclose()` is always called, also when the iterator is dropped or collected on another thread.
        A time-out given to `options` is for calls, not for iterations, which may last.

        Args:
            source: an async iterable, or a function that returns one: then a function with the same
                parameters is returned, each call of which iterates anew.
            max_buffer: how many items may wait to be taken.

        Raises:
            WrapError: `source` is neither.
            ValueError: `max_buffer` is negative.
            RunningLoopError: at the first item, on a thread that runs an event loop.
        """
        if max_buffer < 0:
            message = f"max_buffer must not be negative, as {max_buffer} is"
            raise ValueError(message)
        if source is None:
            return partial(self.iterate_sync, max_buffer=max_buffer)
        if is_descriptor(source):  # decorated below instead of above: wrap what is inside
            return type(source)(self.iterate_sync(source.__func__, max_buffer=max_buffer))
        check_iterable(source, is_async=True)
        if issubclass(type(source), AsyncIterable) and not isinstance(source, type):
            return self._iterate_sync(source, lambda: source, max_buffer)

        def wrapper(*args: Any, **kwargs: Any) -> Generator[Any, Any, None]:
            return self._iterate_sync(source, lambda: source(*args, **kwargs), max_buffer)

        named_like(wrapper, source)
        return wrapper

    def _iterate_sync(self, source: object, make: Callable[[], Any], max_buffer: int) -> Generator[Any, Any, None]:
        from asgikit.bridge._iterate_sync import lockstep_sync, read_ahead_sync  # noqa: PLC0415 - see the head of this file
        from asgikit.bridge._talk import Talk  # noqa: PLC0415 - see the head of this file

        options = replace(self._defaults, context_policy="isolate")  # its items are what it has to say
        begin = partial(Talk, self._parts, options, source)
        if max_buffer == 0:
            return lockstep_sync(begin, make)
        return read_ahead_sync(begin, make, max_buffer)

    def context_to_async(self, manager: AbstractContextManager[_T]) -> AbstractAsyncContextManager[_T]:
        """Use a synchronous context manager with `async with`: entered and left on one thread, in one context.

        Raises:
            WrapError: `manager` is no context manager.
        """
        kind = type(manager)
        if not (hasattr(kind, "__enter__") and hasattr(kind, "__exit__")):
            raise _no_manager("context_to_async", manager, "__enter__ and __exit__")
        from asgikit.bridge._managers import AsyncManager  # noqa: PLC0415 - see the head of this file

        return AsyncManager(self._parts, self._defaults, manager)

    def context_to_sync(self, manager: AbstractAsyncContextManager[_T]) -> AbstractContextManager[_T]:
        """Use an async context manager with `with`: entered and left in one task, on one loop.

        Raises:
            WrapError: `manager` is no async context manager.
            RunningLoopError: on entering, on a thread that runs an event loop.
        """
        kind = type(manager)
        if not (hasattr(kind, "__aenter__") and hasattr(kind, "__aexit__")):
            raise _no_manager("context_to_sync", manager, "__aenter__ and __aexit__")
        from asgikit.bridge._managers import SyncManager  # noqa: PLC0415 - see the head of this file

        return SyncManager(self._parts, self._defaults, manager)


def _no_manager(method: str, manager: object, missing: str) -> WrapError:
    """Return the error for what cannot be entered, with what to do if it is nearly right."""
    remedy = ""
    if hasattr(type(manager), "__enter__") or hasattr(type(manager), "__aenter__"):
        word = "with" if hasattr(type(manager), "__enter__") else "async with"
        remedy = f"; it is for `{word}` as it is"
    elif callable(manager):
        remedy = "; call it, and give the context manager that it returns"
    return WrapError(f"{method} was given {name_of(manager)}, which has no {missing}{remedy}")
