"""A view on a bridge: everything that can be asked of it, with one set of defaults."""

from asyncio import AbstractEventLoop
from collections.abc import Generator
from contextlib import contextmanager

from asgikit.bridge import _chain
from asgikit.bridge._checks import check_part
from asgikit.bridge._homes import check_executor
from asgikit.bridge._iterating import Iterating
from asgikit.bridge._options import ContextPolicy, Options
from asgikit.bridge._scopes import LoopScope, ThreadSensitiveScope
from asgikit.protocols import ExecutorLike, Observer

__all__ = ("BridgeView",)


class BridgeView(Iterating):
    """Both crossings, with one set of defaults. `Bridge` is one, and `options` returns others on the same parts.

    Every method may be called on any thread unless it says otherwise. What was given when wrapping counts
    before what was given to `options`, that before the scope, and the scope before the bridge.
    """

    __slots__ = ()

    def options(
        self,
        *,
        thread_sensitive: bool | None = None,
        executor: ExecutorLike | None = None,
        context_policy: ContextPolicy | None = None,
        timeout: float | None = None,
        loop: AbstractEventLoop | None = None,
        after_abandonment: bool | None = None,
    ) -> "BridgeView":
        """Return a view on the same parts whose methods have other defaults; what is not given stays.

        Args:
            thread_sensitive: as for `sync_to_async`.
            executor: as for `sync_to_async`; needs `thread_sensitive=False`.
            context_policy: `propagate` writes changed context variables back to the caller, `isolate` does
                not. `shared` runs a synchronous function in the task's own context, so that tokens stay
                valid (invariant G1); the await then cannot end while the function runs.
            timeout: as for `async_to_sync`.
            loop: as for `async_to_sync`.
            after_abandonment: True lets `async_to_sync` and its kin cross although nobody waits any more for the
                function that calls them; else the first such crossing raises CancelledError (invariant B2).

        Raises:
            TypeError: `executor` without `thread_sensitive=False`.
            ValueError: no such context policy.
            ExecutorContractError: `executor` has no `submit`.
        """
        if executor is not None:
            check_executor(executor)
        asked = Options(
            thread_sensitive=thread_sensitive,
            executor=executor,
            context_policy=context_policy,
            timeout=timeout,
            loop=loop,
            after_abandonment=after_abandonment,
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
    def observe(self, observer: Observer) -> Generator[None]:
        """Tell `observer` of every crossing of this bridge that begins in the block, on whatever thread.

        The observer's methods run on the threads that `asgikit.protocols.Observer` names.

        Raises:
            PartContractError: `observer` has not its methods.
        """
        check_part("observer", observer)
        self._parts.resources.observe(observer)
        try:
            yield
        finally:
            self._parts.resources.stop_observing(observer)

    def explain(self) -> str:
        """Say in words which thread, loop and context a call through this view would use from here, and why.

        Any thread or task; nothing is started. One line for each direction, and one for the context.
        """
        from asgikit.bridge._explain import explain  # noqa: PLC0415 - importing asgikit shall not cost what few ask for

        return explain(self._parts, self._defaults)

    def caller_stack(self) -> str:
        """Return the stack of the task that awaits the running function, as in a traceback; empty if there is none.

        Asked by synchronous code that wants to know where it was called from (invariant I5).
        """
        call = _chain.here.thread.call
        return "" if call is None else call.stack()

    def cancelled(self) -> bool:
        """Whether the task that awaits the running function was cancelled. Asked by synchronous code."""
        call = _chain.here.thread.call
        return call is not None and call.cancelled

    def check_cancelled(self) -> None:
        """Give up if nobody waits any more. Asked by synchronous code.

        Raises:
            asyncio.CancelledError: the task that awaits the running function was cancelled.
        """
        call = _chain.here.thread.call
        if call is not None:
            call.check_cancelled()
