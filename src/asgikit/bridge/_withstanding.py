"""What a task waits for while a function runs in the task's own context: the policy `shared`.

A context can be entered by one thread at a time. A cancellation must not wake the task up before the function has
returned: its step would be refused, and it would never be woken again.
"""

from asyncio import AbstractEventLoop, Future
from collections.abc import Callable
from typing import Any, final

__all__ = ("WithstandingWaiter",)


@final
class WithstandingWaiter(Future[None]):
    """A future that asks `withstands()` before it lets itself be cancelled. Used on the thread of its loop."""

    def __init__(self, loop: AbstractEventLoop, withstands: Callable[[], bool]) -> None:
        super().__init__(loop=loop)
        self._withstands: Callable[[], bool] | None = withstands

    def cancel(self, msg: Any = None) -> bool:
        if self._withstands is not None and self._withstands():
            return True
        self._withstands = None  # it leads to the call, which leads here
        return super().cancel(msg)

    def set_result(self, result: None, /) -> None:
        self._withstands = None
        super().set_result(result)
