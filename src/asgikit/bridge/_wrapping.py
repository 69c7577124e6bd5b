"""Functions across the bridge: `sync_to_async`, `async_to_sync`, and the calls that make no wrapper."""

from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable, Coroutine
from contextvars import Context
from functools import partial
from typing import Any, Never, ParamSpec, TypeAlias, TypeVar, overload

from asgikit.bridge._async_call import AsyncCall
from asgikit.bridge._callers import AsyncCaller, SyncCaller
from asgikit.bridge._checks import check_async, check_sync, is_descriptor, named_like
from asgikit.bridge._crossing import cross_to_async, cross_to_sync
from asgikit.bridge._options import Options
from asgikit.bridge._parts import Parts
from asgikit.bridge._sync_call import SyncCall
from asgikit.protocols import ExecutorLike, WorkerHome

__all__ = ("Wrapping",)

_P = ParamSpec("_P")
_R = TypeVar("_R")
_Coro: TypeAlias = Coroutine[Never, object, _R]


class Wrapping:
    """Both crossings: wrappers, and calls without one."""

    __slots__ = ("__weakref__", "_defaults", "_parts")

    def __init__(self, parts: Parts, defaults: Options) -> None:
        self._parts = parts
        self._defaults = defaults

    # From async to sync

    @overload
    def sync_to_async(
        self,
        func: Callable[_P, _R],
        *,
        thread_sensitive: bool = True,
        executor: None = None,
        context: Context | None = None,
    ) -> Callable[_P, _Coro[_R]]: ...
    @overload
    def sync_to_async(
        self,
        func: Callable[_P, _R],
        *,
        thread_sensitive: bool,
        executor: ExecutorLike | None,
        context: Context | None = None,
    ) -> Callable[_P, _Coro[_R]]: ...
    @overload
    def sync_to_async(
        self, *, thread_sensitive: bool = True, executor: None = None, context: Context | None = None
    ) -> Callable[[Callable[_P, _R]], Callable[_P, _Coro[_R]]]: ...
    @overload
    def sync_to_async(
        self, *, thread_sensitive: bool, executor: ExecutorLike | None, context: Context | None = None
    ) -> Callable[[Callable[_P, _R]], Callable[_P, _Coro[_R]]]: ...

    def sync_to_async(
        self,
        func: Callable[..., Any] | None = None,
        *,
        thread_sensitive: bool | None = None,
        executor: ExecutorLike | None = None,
        context: Context | None = None,
    ) -> Any:
        """Wrap a synchronous function for async code; also a decorator, with or without arguments.

        Args:
            func: what to call: a function, method, callable object, partial, lambda or builtin.
            thread_sensitive: True (the default) runs it on the home thread of the calling chain; False on a
                worker thread.
            executor: where to run it instead of the bridge's worker threads; needs `thread_sensitive=False`.
            context: run it with these context variables instead of the caller's, and write its changes there.
                Calls given the same context take turns.

        Returns:
            An async function with the same parameters, name, doc and signature. It raises what `func` raises.

        Raises:
            WrapError: `func` is not callable, is async already, or is a generator function.
            ExecutorContractError: `executor` has no `submit`.
            TypeError: `executor` without `thread_sensitive=False`.
        """
        options = Options(thread_sensitive=thread_sensitive, executor=executor, context=context).over(self._defaults)
        home = self._parts.resources.home_for(options)
        if func is None:
            return partial(self._wrap_sync, options, home)
        return self._wrap_sync(options, home, func)

    def _wrap_sync(self, options: Options, home: WorkerHome | None, func: Any) -> Any:
        if is_descriptor(func):  # decorated below instead of above: wrap what is inside
            return type(func)(self._wrap_sync(options, home, func.__func__))
        check_sync(func)
        wrapper = cross_to_sync(partial(self._parts.to_threads.begin, func, options, home))
        named_like(wrapper, func)
        return wrapper

    async def run_sync(self, func: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Call a synchronous function now, as `sync_to_async(func)(*args, **kwargs)` would.

        Raises:
            WrapError: `func` is not callable, is async already, or is a generator function.
        """
        check_sync(func, "run_sync")
        home = self._parts.resources.home_for(self._defaults)
        begin = partial(self._parts.to_threads.begin, func, self._defaults, home)
        crossing = cross_to_sync(begin)(*args, **kwargs)
        del self, begin, home, func, args, kwargs  # an exception keeps this frame alive, and the bridge with it (I1)
        result: _R = await crossing
        return result

    def sync_caller(
        self,
        *,
        thread_sensitive: bool | None = None,
        executor: ExecutorLike | None = None,
        context: Context | None = None,
    ) -> SyncCaller:
        """Return `run_sync` with these choices made once, and without its check of the function.

        For adapters that have wrappers of their own and checked the function when it was wrapped. The arguments
        are those of `sync_to_async`.

        Raises:
            ExecutorContractError: `executor` has no `submit`.
            TypeError: `executor` without `thread_sensitive=False`.
        """
        options = Options(thread_sensitive=thread_sensitive, executor=executor, context=context).over(self._defaults)
        home = self._parts.resources.home_for(options)
        begin_sync = self._parts.to_threads.begin

        def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> SyncCall:
            return begin_sync(args[0], options, home, args[1:], kwargs)

        return cross_to_sync(begin)

    # From sync to async

    @overload
    def async_to_sync(
        self,
        awaitable: Callable[_P, Awaitable[_R]],
        *,
        force_new_loop: bool = False,
        loop: AbstractEventLoop | None = None,
        timeout: float | None = None,
    ) -> Callable[_P, _R]: ...
    @overload
    def async_to_sync(
        self, *, force_new_loop: bool = False, loop: AbstractEventLoop | None = None, timeout: float | None = None
    ) -> Callable[[Callable[_P, Awaitable[_R]]], Callable[_P, _R]]: ...

    def async_to_sync(
        self,
        awaitable: Callable[..., Awaitable[Any]] | None = None,
        *,
        force_new_loop: bool = False,
        loop: AbstractEventLoop | None = None,
        timeout: float | None = None,
    ) -> Any:
        """Wrap an async function for synchronous code; also a decorator, with or without arguments.

        Called in sync code that async code called through any bridge, the coroutine runs on that caller's
        loop; elsewhere the bridge's loop runner gives it one. The calling thread hosts meanwhile: it runs the
        thread-sensitive calls that the coroutine makes.

        Args:
            awaitable: an async function, or anything that returns an awaitable when called.
            force_new_loop: never use a loop that is running already.
            loop: a loop that runs on another thread, to run the coroutine on.
            timeout: seconds after which the coroutine is cancelled and, after its clean-up, TimeoutError raised.

        Returns:
            A function with the same parameters, name, doc and signature. It raises what the coroutine raises;
            called on a thread that runs an event loop it raises `RunningLoopError`.

        Raises:
            WrapError: `awaitable` is not callable, a coroutine object, or a generator function.
            TypeError: both `force_new_loop` and `loop`.
        """
        options = self._loop_options(force_new_loop=force_new_loop, loop=loop, timeout=timeout)
        if awaitable is None:
            return partial(self._wrap_async, options)
        return self._wrap_async(options, awaitable)

    def _wrap_async(self, options: Options, func: Any) -> Any:
        if is_descriptor(func):
            return type(func)(self._wrap_async(options, func.__func__))
        check_async(func)
        begin, end = self._beginning(func, options), self._parts.to_loops.end

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return cross_to_async(begin, end, args, kwargs)

        named_like(wrapper, func)
        return wrapper

    def _beginning(
        self, func: Callable[..., Awaitable[Any]], options: Options
    ) -> Callable[[tuple[Any, ...], dict[str, Any]], AsyncCall]:
        """Return what begins a call of `func`: no `partial`, out of which Ctrl-C could come in place of the call."""
        begin_async = self._parts.to_loops.begin

        def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> AsyncCall:
            return begin_async(func, options, args, kwargs)

        return begin

    def run_async(self, func: Callable[_P, Awaitable[_R]], /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Call an async function now, as `async_to_sync(func)(*args, **kwargs)` would.

        Raises:
            WrapError: `func` is not callable, a coroutine object, or a generator function.
            RunningLoopError: this thread runs an event loop.
        """
        check_async(func, "run_async")
        begin, end = self._beginning(func, self._defaults), self._parts.to_loops.end
        del self
        result: _R = cross_to_async(begin, end, args, kwargs)
        return result

    def async_caller(
        self, *, force_new_loop: bool = False, loop: AbstractEventLoop | None = None, timeout: float | None = None
    ) -> AsyncCaller:
        """Return `run_async` with these choices made once, and without its check of the function.

        For adapters that have wrappers of their own and checked the function when it was wrapped. The arguments
        are those of `async_to_sync`.

        Raises:
            TypeError: both `force_new_loop` and `loop`.
        """
        options = self._loop_options(force_new_loop=force_new_loop, loop=loop, timeout=timeout)
        to_loops = self._parts.to_loops

        def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> AsyncCall:
            return to_loops.begin(args[0], options, args[1:], kwargs)

        def end(call: AsyncCall) -> None:
            to_loops.end(call)

        def call(func: Callable[_P, Awaitable[_R]], /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
            result: _R = cross_to_async(begin, end, (func, *args), kwargs)
            return result

        return call

    def _loop_options(self, *, force_new_loop: bool, loop: AbstractEventLoop | None, timeout: float | None) -> Options:
        if force_new_loop and loop is not None:
            message = "force_new_loop=True and loop= exclude each other; give one of them"
            raise TypeError(message)
        return Options(force_new_loop=force_new_loop, loop=loop, timeout=timeout).over(self._defaults)
