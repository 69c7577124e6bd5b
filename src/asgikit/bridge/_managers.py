"""Context managers of one side used from the other: entered and left on one thread, in one context (invariant K3).

Context variables that entering or leaving changes are seen by the block, and those that the block changes are
seen in leaving, as if the manager were of the block's own side; so tokens stay valid on both sides.
"""

import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from contextvars import Context, copy_context
from functools import partial
from types import TracebackType
from typing import Generic, TypeVar, final

from asgikit.bridge._context import Exchange
from asgikit.bridge._options import Options
from asgikit.bridge._parts import Parts
from asgikit.bridge._steps import Steps, users_part
from asgikit.bridge._talk import Talk
from asgikit.errors import ScopeError

__all__ = ("AsyncManager", "SyncManager")

_T_co = TypeVar("_T_co", covariant=True)


def _subject(manager: object) -> object:
    """Return what names a manager: the generator function behind it, if there is one."""
    return getattr(manager, "func", manager)


def _not_entered() -> ScopeError:
    return ScopeError("this context manager was left without having been entered")


def _entered_twice(manager: object) -> ScopeError:
    return ScopeError(f"{manager!r} is entered already; leave it first, or make another")


def _leave(
    manager: AbstractContextManager[object],
    give: Callable[[], None],
    kind: type[BaseException] | None,
    error: BaseException | None,
    traceback: TracebackType | None,
) -> bool | None:
    give()
    return manager.__exit__(kind, error, traceback)


@final
class AsyncManager(AbstractAsyncContextManager[_T_co], Generic[_T_co]):
    """A synchronous context manager, for `async with`."""

    __slots__ = ("_entered", "_exchange", "_manager", "_options", "_parts", "_steps")

    def __init__(self, parts: Parts, options: Options, manager: AbstractContextManager[_T_co]) -> None:
        self._parts = parts
        self._options = options
        self._manager = manager
        self._exchange = Exchange(shared=options.context_policy != "isolate")
        self._steps: Steps | None = None
        self._entered = False

    def _enter(self) -> _T_co:
        value = self._manager.__enter__()
        self._entered = True
        return value

    def _undo(self) -> None:
        """Leave: entering succeeded, but whoever asked for it was cancelled meanwhile."""
        if self._entered:
            self._manager.__exit__(None, None, None)

    async def __aenter__(self) -> _T_co:
        """Enter on the home thread."""
        if self._steps is not None:
            raise _entered_twice(self._manager)
        self._entered = False
        steps = self._steps = Steps(
            self._parts, self._options, _subject(self._manager), self._undo, self._exchange.take
        )
        self._exchange.begin()
        try:
            entered, failure = await steps.run(self._enter)
        except BaseException:
            self._steps = None
            try:
                await steps.end()
            finally:
                del self, steps  # an exception keeps this frame alive, and nothing through it (invariant I1)
            raise
        if failure is None:
            value: _T_co = entered
            return value
        self._steps = None
        steps.release()
        del self, steps, entered
        try:
            raise users_part(failure)
        finally:
            del failure

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        """Leave on the thread that entered, after whatever still runs there."""
        steps, self._steps = self._steps, None
        if steps is None:
            raise _not_entered()
        leave = partial(_leave, self._manager, self._exchange.give(), kind, error, traceback)
        del self, error, traceback
        try:
            return await steps.end(leave)
        finally:
            del steps, leave  # as above


@final
class SyncManager(AbstractContextManager[_T_co], Generic[_T_co]):
    """An async context manager, for `with`."""

    __slots__ = ("_exchange", "_manager", "_options", "_parts", "_suppress", "_talk")

    def __init__(self, parts: Parts, options: Options, manager: AbstractAsyncContextManager[_T_co]) -> None:
        self._parts = parts
        self._options = options
        self._manager = manager
        self._exchange = Exchange(shared=options.context_policy != "isolate")
        self._talk: Talk | None = None
        self._suppress: bool | None = None

    async def _hold(self, talk: Talk) -> None:
        value = await self._manager.__aenter__()
        talk.say((value, copy_context()))
        del value
        try:
            give, raised = await talk.hear()
        except BaseException:
            self._suppress = await self._manager.__aexit__(*sys.exc_info())
            raise
        give()
        try:
            self._suppress = await self._manager.__aexit__(*raised)
        finally:
            talk.say((None, copy_context()))

    def __enter__(self) -> _T_co:
        """Enter, in a task that stays until the manager is left."""
        if self._talk is not None:
            raise _entered_twice(self._manager)
        self._suppress = None
        self._exchange.begin()
        talk = self._talk = Talk(self._parts, self._options, _subject(self._manager), self._hold)
        try:
            if talk.listen():
                entered: tuple[_T_co, Context] = talk.take()
                self._exchange.take(entered[1])
                return entered[0]
        except BaseException:
            self._talk = None
            talk.end(early=True)
            raise
        self._talk = None
        failure = talk.end()
        del talk, self
        try:
            raise failure or RuntimeError("the async context manager ended before it was entered")
        finally:
            del failure

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        """Leave, in the task that entered."""
        talk, self._talk = self._talk, None
        if talk is None:
            raise _not_entered()
        if not talk.here:
            return None  # a forked child comes out of the block that its parent has entered, and will leave
        talk.insist()
        talk.tell((self._exchange.give(), (kind, error, traceback)))
        try:
            left = talk.listen()
            if left:
                self._exchange.take(talk.take()[1])
        finally:
            failure = talk.end()
            del talk
        if failure is None:
            return self._suppress
        del self, error, traceback
        try:
            raise failure
        finally:
            del failure
