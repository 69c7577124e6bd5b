"""Context managers of one side used from the other: entered and left on one thread, in one context (invariant K3)."""

import sys
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from types import TracebackType
from typing import Generic, TypeVar, final

from asgikit.bridge._iterate_async import Steps
from asgikit.bridge._options import Options
from asgikit.bridge._parts import Parts
from asgikit.bridge._talk import Talk

__all__ = ("AsyncManager", "SyncManager")

_T_co = TypeVar("_T_co", covariant=True)


@final
class AsyncManager(AbstractAsyncContextManager[_T_co], Generic[_T_co]):
    """A synchronous context manager, for `async with`."""

    __slots__ = ("_manager", "_options", "_parts", "_steps")

    def __init__(self, parts: Parts, options: Options, manager: AbstractContextManager[_T_co]) -> None:
        self._parts = parts
        self._options = options
        self._manager = manager
        self._steps: Steps | None = None

    async def __aenter__(self) -> _T_co:
        """Enter on the home thread."""
        steps = self._steps = Steps(self._parts, self._options)
        value: _T_co = await steps.run(self._manager.__enter__)
        return value

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        """Leave on the thread that entered, after whatever still runs there."""
        steps, self._steps = self._steps, None
        if steps is None:
            message = "this context manager was left without having been entered"
            raise RuntimeError(message)
        try:
            suppress: bool | None = await steps.run(lambda: self._manager.__exit__(kind, error, traceback))
        finally:
            steps.end()
        return suppress


@final
class SyncManager(AbstractContextManager[_T_co], Generic[_T_co]):
    """An async context manager, for `with`."""

    __slots__ = ("_manager", "_options", "_parts", "_suppress", "_talk")

    def __init__(self, parts: Parts, options: Options, manager: AbstractAsyncContextManager[_T_co]) -> None:
        self._parts = parts
        self._options = options
        self._manager = manager
        self._talk: Talk | None = None
        self._suppress: bool | None = None

    async def _hold(self, talk: Talk) -> None:
        talk.say(await self._manager.__aenter__())
        try:
            raised = await talk.hear()
        except BaseException:
            self._suppress = await self._manager.__aexit__(*sys.exc_info())
            raise
        self._suppress = await self._manager.__aexit__(*raised)

    def __enter__(self) -> _T_co:
        """Enter, in a task that stays until the manager is left."""
        talk = self._talk = Talk(self._parts, self._options, self._hold)
        if talk.listen():
            value: _T_co = talk.said.popleft()
            return value
        self._end(talk)
        message = "the async context manager ended before it was entered"
        raise RuntimeError(message)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool | None:
        """Leave, in the task that entered."""
        talk = self._talk
        if talk is None:
            message = "this context manager was left without having been entered"
            raise RuntimeError(message)
        talk.tell((kind, error, traceback))
        self._end(talk, error)
        return self._suppress

    def _end(self, talk: Talk, raised: BaseException | None = None) -> None:
        self._talk = None
        failure = talk.end()
        del talk, self
        if failure is not None and failure is not raised:  # what the body raised goes on by itself
            try:
                raise failure
            finally:
                del failure
