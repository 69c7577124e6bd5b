"""Regions of a program: one worker for a block of async code, one loop for a block of sync code."""

from asyncio import AbstractEventLoop
from contextvars import Token
from types import TracebackType
from typing import final

from asgikit.bridge import _chain
from asgikit.bridge._homes import ScopeHome, check_executor
from asgikit.bridge._links import ExecutorScopeLink, HostLink, LeaseScopeLink, Link, LoopScopeLink
from asgikit.bridge._mailbox import Mailbox
from asgikit.bridge._parts import Parts
from asgikit.bridge._routing import enclosing_scope, loop_scope, scope_of, sensitive_home
from asgikit.errors import ScopeError
from asgikit.executor import CurrentThreadExecutor
from asgikit.protocols import ExecutorLike

__all__ = ("LoopScope", "ThreadSensitiveScope", "calling_loop", "current_host")


def calling_loop() -> AbstractEventLoop | None:
    """Return the event loop of the async code that called, through whatever bridge, what this thread is running.

    That is a synchronous function; None if there is none. Any thread.
    """
    call = _chain.here.thread.call
    return None if call is None else call.loop or call.blocks


def current_host() -> CurrentThreadExecutor | None:
    """Return the executor of the thread that runs the thread-sensitive calls of the running code, if it is a host.

    That is the nearest synchronous caller waiting in `async_to_sync`. None where there is none, or where a
    scope with an executor lies nearer. Any thread or task.
    """
    link = sensitive_home(_chain.current.get())
    return link.home if isinstance(link, HostLink) else None


class _Scope:
    """Entering and leaving a link of the chain, once."""

    __slots__ = ("_entered", "_link", "_parts", "_token")

    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._entered = False
        self._link: Link | None = None
        self._token: Token[Link | None] | None = None

    def _begin(self) -> None:
        if self._entered:
            message = "this scope object was entered before; make a new one for every `with`"
            raise ScopeError(message)
        self._entered = True

    def _enter(self, link: Link) -> None:
        self._link = link
        self._token = _chain.current.set(link)

    def _leave(self) -> None:
        link, token = self._link, self._token
        self._link = self._token = None
        if link is None or token is None:
            return  # it had joined an outer one
        link.close()
        try:
            _chain.current.reset(token)
        except ValueError:
            """Left in another context than it was entered in: there the closed link is passed over."""


@final
class ThreadSensitiveScope(_Scope):
    """All thread-sensitive calls of the block run on one thread of their own.

    A scope without an executor inside another scope joins it. Its worker is leased at the first such call,
    and given back when the block is left; leaving never waits. A task that outlives the block falls back to
    what encloses the block; one that outlives a block with an executor gets a `ScopeError`.

    Raises:
        ScopeError: on entering, if this object was entered before.
    """

    __slots__ = ("_executor", "_joined", "_mailbox")

    def __init__(self, parts: Parts, executor: ExecutorLike | None) -> None:
        super().__init__(parts)
        if executor is not None:
            check_executor(executor)
        self._executor = executor
        self._joined: ExecutorScopeLink | LeaseScopeLink | None = None
        self._mailbox: Mailbox | None = None

    @property
    def executor(self) -> ExecutorLike | None:
        """Where this scope's thread-sensitive calls go: what it was given, its lease, or that of the scope it joined.

        None before it is entered without an executor, and after it is left.
        """
        link = self._link or self._joined
        if isinstance(link, LeaseScopeLink):
            return link.home
        if isinstance(link, ExecutorScopeLink):
            return link.home.executor if link.live else None
        return self._executor

    async def __aenter__(self) -> None:
        self._begin()
        above = _chain.current.get()
        if self._executor is not None:
            outer = scope_of(self._executor, above)
            home = None if outer is None else outer.home
            self._enter(ExecutorScopeLink(above, home or ScopeHome(self._executor)))
        elif (joined := enclosing_scope(above)) is not None:
            self._joined = joined
        else:
            link = LeaseScopeLink(above, self._parts.resources.sensitive_pool.lease())
            self._mailbox = self._parts.to_threads.hold(link)
            self._enter(link)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        link = self._link
        self._joined = None
        self._leave()
        if isinstance(link, LeaseScopeLink):
            link.home.release()
            if self._mailbox is not None:
                self._mailbox.held.discard(link)


@final
class LoopScope(_Scope):
    """All cold `async_to_sync` calls of the block run on one event loop, which has a thread of its own.

    A scope inside another joins it. Tasks left on the loop when the block is left are cancelled.

    Raises:
        ScopeError: on entering, if this object was entered before.
    """

    __slots__ = ()

    def __enter__(self) -> None:
        self._begin()
        above = _chain.current.get()
        if loop_scope(above) is None:
            self._enter(LoopScopeLink(above, self._parts.resources.loop_runner.scope()))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        link = self._link
        self._leave()
        if isinstance(link, LoopScopeLink):
            link.runner.close(self._parts.resources.shutdown_grace)
