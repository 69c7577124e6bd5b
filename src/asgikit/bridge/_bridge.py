"""The bridge: what users hold. It owns the parts, wraps functions, and leaves the rest to the files beside it."""

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from contextvars import Context
from functools import partial
from types import TracebackType
from typing import Any, Never, ParamSpec, Self, TypeAlias, TypeVar, final, overload

from asgikit.bridge import _chain
from asgikit.bridge._async_call import cross_to_async
from asgikit.bridge._checks import check_async, check_sync, named_like
from asgikit.bridge._exit import Closable
from asgikit.bridge._homes import as_home
from asgikit.bridge._options import ContextPolicy, Options
from asgikit.bridge._parts import Parts
from asgikit.bridge._scopes import LoopScope, ThreadSensitiveScope
from asgikit.bridge._sync_call import cross_to_sync
from asgikit.executor import ThreadSensitivePool, WorkerThreadPool
from asgikit.loop import MonotonicClock, PerCallLoopRunner
from asgikit.protocols import Clock, ExecutorLike, LoopRunner, Observer, SensitivePool, WorkerHome

__all__ = ("Bridge", "BridgeView")

_P = ParamSpec("_P")
_R = TypeVar("_R")
_Coro: TypeAlias = Coroutine[Never, object, _R]


class BridgeView:
    """Both crossings, with one set of defaults. `Bridge` is one, and `options` returns others on the same parts.

    Every method may be called on any thread unless it says otherwise. What was given when wrapping counts
    before what was given to `options`, that before the scope, and the scope before the bridge.
    """

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
        home = self._home(options)
        if func is None:
            return partial(self._wrap_sync, options, home)
        return self._wrap_sync(options, home, func)

    def _home(self, options: Options) -> WorkerHome | None:
        if options.executor is not None:
            return as_home(options.executor)
        return self._parts.free_home if options.thread_sensitive is False else None

    def _wrap_sync(self, options: Options, home: WorkerHome | None, func: Any) -> Any:
        if isinstance(func, staticmethod | classmethod):  # decorated below instead of above: wrap what is inside
            return type(func)(self._wrap_sync(options, home, func.__func__))
        check_sync(func)
        begin_sync = self._parts.begin_sync

        def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            return begin_sync(func, options, home, args, kwargs)

        async def wrapper(*args: Any, **kwargs: Any) -> Any:
            return await cross_to_sync(begin, args, kwargs)

        named_like(wrapper, func)
        return wrapper

    async def run_sync(self, func: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Call a synchronous function now, as `sync_to_async(func)(*args, **kwargs)` would.

        Raises:
            WrapError: `func` is not callable, is async already, or is a generator function.
        """
        check_sync(func, "run_sync")
        begin = partial(self._parts.begin_sync, func, self._defaults, self._home(self._defaults))
        crossing = cross_to_sync(begin, args, kwargs)
        del self, begin, func, args, kwargs  # an exception keeps this frame alive, and the bridge with it (I1)
        result: _R = await crossing
        return result

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
        if force_new_loop and loop is not None:
            message = "force_new_loop=True and loop= exclude each other; give one of them"
            raise TypeError(message)
        options = Options(force_new_loop=force_new_loop, loop=loop, timeout=timeout).over(self._defaults)
        if awaitable is None:
            return partial(self._wrap_async, options)
        return self._wrap_async(options, awaitable)

    def _wrap_async(self, options: Options, func: Any) -> Any:
        if isinstance(func, staticmethod | classmethod):
            return type(func)(self._wrap_async(options, func.__func__))
        check_async(func)
        begin_async, end_async = self._parts.begin_async, self._parts.end_async

        def begin(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
            return begin_async(func, options, args, kwargs)

        def end(call: Any) -> None:
            end_async(call)

        def wrapper(*args: Any, **kwargs: Any) -> Any:
            return cross_to_async(begin, end, args, kwargs)

        named_like(wrapper, func)
        return wrapper

    def run_async(self, func: Callable[_P, Awaitable[_R]], /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        """Call an async function now, as `async_to_sync(func)(*args, **kwargs)` would.

        Raises:
            WrapError: `func` is not callable, a coroutine object, or a generator function.
            RunningLoopError: this thread runs an event loop.
        """
        check_async(func, "run_async")
        begin = partial(self._parts.begin_async, func, self._defaults)
        end = self._parts.end_async
        del self
        result: _R = cross_to_async(begin, end, args, kwargs)
        return result

    # Regions and choices

    def options(
        self,
        *,
        thread_sensitive: bool | None = None,
        executor: ExecutorLike | None = None,
        context_policy: ContextPolicy | None = None,
        timeout: float | None = None,
        loop: AbstractEventLoop | None = None,
    ) -> "BridgeView":
        """Return a view on the same parts whose methods have other defaults; what is not given stays.

        Args:
            thread_sensitive: as for `sync_to_async`.
            executor: as for `sync_to_async`; needs `thread_sensitive=False`.
            context_policy: `propagate` writes changed context variables back to the caller, `isolate` does
                not. `shared` runs a synchronous function in the task's own context, so that tokens stay
                valid (invariant G1); the await then cannot end while the function runs.
            timeout, loop: as for `async_to_sync`.

        Raises:
            TypeError: `executor` without `thread_sensitive=False`.
            ValueError: no such context policy.
            ExecutorContractError: `executor` has no `submit`.
        """
        if executor is not None:
            as_home(executor)
        asked = Options(
            thread_sensitive=thread_sensitive,
            executor=executor,
            context_policy=context_policy,
            timeout=timeout,
            loop=loop,
        )
        return BridgeView(self._parts, asked.over(self._defaults))

    def thread_sensitive_scope(self, *, executor: ExecutorLike | None = None) -> ThreadSensitiveScope:
        """Return an async context manager: all thread-sensitive calls in its block run on one thread of their own.

        Args:
            executor: whose thread to use; None leases a worker of the bridge's pool at the first such call.

        Raises:
            ExecutorContractError: `executor` has no `submit`.
        """
        return ThreadSensitiveScope(self._parts, executor)

    def loop_scope(self) -> LoopScope:
        """Return a context manager: all cold `async_to_sync` calls in its block share one event loop."""
        return LoopScope(self._parts)

    @contextmanager
    def observe(self, observer: Observer) -> Iterator[None]:
        """Tell `observer` of every crossing of this bridge that begins in the block, on whatever thread.

        The observer's methods run on the threads that `asgikit.protocols.Observer` names.
        """
        self._parts.observe(observer)
        try:
            yield
        finally:
            self._parts.stop_observing(observer)

    def caller_stack(self) -> str:
        """Return the stack of the task that awaits the running function, as in a traceback; empty if there is none.

        Asked by synchronous code that wants to know where it was called from (invariant I5).
        """
        call = _chain.thread.call
        return "" if call is None else call.stack()

    def cancelled(self) -> bool:
        """Whether the task that awaits the running function was cancelled. Asked by synchronous code."""
        call = _chain.thread.call
        return call is not None and call.cancelled

    def check_cancelled(self) -> None:
        """Give up if nobody waits any more. Asked by synchronous code.

        Raises:
            asyncio.CancelledError: the task that awaits the running function was cancelled.
        """
        call = _chain.thread.call
        if call is not None:
            call.check_cancelled()


@final
class Bridge(BridgeView):
    """The owner of the parts that carry calls between synchronous and asynchronous code.

    Making one starts nothing. Close it where you made it (`close`, `aclose`, `with` or `async with`); one at
    module level closes silently at interpreter exit. Parts that are given are not closed with it.

    Args:
        sensitive_pool: leases the threads of thread-sensitive scopes.
        worker_pool: runs calls with `thread_sensitive=False`; any executor.
        loop_runner: gives loops to calls of `async_to_sync` that have none above them.
        clock: tells the time to time-outs, reports and observers.
        observer: is told of every crossing; see also `observe`.
        context_policy: see `options`.
        stall_report_after: a call that has waited this many seconds for a thread on which no call has ended
            meanwhile is reported once, to the logger and the observers; None reports none.
        shutdown_grace: seconds that closing, interpreter exit and the clean-up after a time-out may take.
    """

    __slots__ = ()

    def __init__(
        self,
        *,
        sensitive_pool: SensitivePool | None = None,
        worker_pool: ExecutorLike | None = None,
        loop_runner: LoopRunner | None = None,
        clock: Clock | None = None,
        observer: Observer | None = None,
        context_policy: ContextPolicy = "propagate",
        stall_report_after: float | None = 10.0,
        shutdown_grace: float = 2.0,
    ) -> None:
        owned: list[Closable] = []
        if sensitive_pool is None:
            sensitive_pool = ThreadSensitivePool()
            owned.append(sensitive_pool)
        if worker_pool is None:
            worker_pool = WorkerThreadPool()
            owned.append(worker_pool)
        if loop_runner is None:
            loop_runner = PerCallLoopRunner()
            owned.append(loop_runner)
        parts = Parts(
            sensitive_pool,
            worker_pool,
            loop_runner,
            clock or MonotonicClock(),
            () if observer is None else (observer,),
            stall_report_after,
            shutdown_grace,
            tuple(owned),
        )
        super().__init__(parts, Options().over(Options(context_policy=context_policy)))

    def close(self) -> None:
        """Refuse new calls and close the parts that this bridge made, waiting at most `shutdown_grace` seconds.

        Calls under way go on; idempotent. Do not call it on the thread of an event loop: `aclose` is for that.
        """
        self._parts.close(self._parts.shutdown_grace)

    async def aclose(self) -> None:
        """Close as `close` does, without blocking the event loop."""
        await asyncio.get_running_loop().run_in_executor(None, self.close)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.aclose()
