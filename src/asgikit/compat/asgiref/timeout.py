"""`asgiref.timeout`: deprecated there, and here `asyncio.timeout` with the attributes of the old one (invariant B9)."""

import asyncio
import warnings
from collections.abc import Coroutine
from types import TracebackType
from typing import Any, TypeVar, final

__all__ = ("timeout",)

_T = TypeVar("_T")


@final
class timeout:  # noqa: N801 - asgiref's name
    """A block that is cancelled after `timeout` seconds; None means never. Use `asyncio.timeout` instead.

    Raises:
        TimeoutError: the time was over before the block.
    """

    def __init__(self, timeout: float | None, *, loop: asyncio.AbstractEventLoop | None = None) -> None:
        message = "asgiref.timeout.timeout is deprecated; use asyncio.timeout instead"
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        del loop  # the running one; any other never worked
        self._seconds = timeout
        self._inner = asyncio.timeout(None)

    def __enter__(self) -> "timeout":
        return _now(self.__aenter__())

    def __exit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> bool | None:
        return _now(self._inner.__aexit__(exc_type, exc_val, exc_tb))

    async def __aenter__(self) -> "timeout":
        await self._inner.__aenter__()
        if self._seconds is not None:
            self._inner.reschedule(asyncio.get_running_loop().time() + self._seconds)
        return self

    async def __aexit__(
        self, exc_type: type[BaseException] | None, exc_val: BaseException | None, exc_tb: TracebackType | None
    ) -> None:
        await self._inner.__aexit__(exc_type, exc_val, exc_tb)

    @property
    def expired(self) -> bool:
        """Whether the time was over before the block."""
        return self._inner.expired()

    @property
    def remaining(self) -> float | None:
        """Seconds left; None without a time-out."""
        deadline = self._inner.when()
        return None if deadline is None else max(deadline - asyncio.get_running_loop().time(), 0.0)


def _now(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run a coroutine that never waits."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        result: _T = stop.value
        return result
    raise RuntimeError("a plain `with` cannot wait; use `async with asyncio.timeout(...)`")
