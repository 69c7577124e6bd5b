"""Leaving an event loop as `asyncio.run` does: no task, no generator, no thread left behind."""

import asyncio
import inspect
import logging
from asyncio import AbstractEventLoop, BaseEventLoop, Task
from collections.abc import Coroutine
from typing import Any, Final

__all__ = ("cancel_leftovers", "close", "has_leftovers", "run_to_end", "wind_down")

_OWNED: Final = ("_asyncgens", "_default_executor")
ROUNDS: Final = 10  # a clean-up may start tasks, whose clean-up may start tasks; but not for ever

_logger = logging.getLogger("asgikit")


def run_to_end(loop: AbstractEventLoop, coroutine: Coroutine[Any, Any, None]) -> None:
    """Run `coroutine` on `loop`; if the loop cannot even make its task, close it, lest it warn."""
    try:
        loop.run_until_complete(coroutine)
    finally:
        if inspect.getcoroutinestate(coroutine) == inspect.CORO_CREATED:
            coroutine.close()


def close(loop: AbstractEventLoop) -> None:
    """Close `loop`, and log what that raises: a loop of others may refuse, and the thread that ran it has to go on."""
    try:
        loop.close()
    except BaseException:
        _logger.exception("the event loop %r did not close", loop)


def has_leftovers(loop: AbstractEventLoop) -> bool:
    """Whether there may be something to wind down on a loop that stands still.

    A loop of asyncio's own can be asked; any other is wound down to be sure.
    """
    asked = isinstance(loop, BaseEventLoop) and not any(getattr(loop, name, True) for name in _OWNED)
    return not asked or bool(asyncio.all_tasks(loop))


async def cancel_leftovers(loop: AbstractEventLoop, after: str | None) -> None:
    """Cancel and await every other task of `loop`, naming them in a warning unless `after` is None (invariant F6).

    Also those that a clean-up starts, or a thread that had posted one already.
    """
    current = asyncio.current_task(loop)
    for _ in range(ROUNDS):
        left: set[Task[Any]] = {task for task in asyncio.all_tasks(loop) if task is not current}
        if not left:
            return
        if after is not None:
            names = sorted(f"{task.get_name()} ({getattr(task.get_coro(), '__qualname__', '?')})" for task in left)
            _logger.warning("%s left tasks running, which are cancelled: %s", after, ", ".join(names))
        for task in left:
            task.cancel()
        for outcome in await asyncio.gather(*left, return_exceptions=True):
            if isinstance(outcome, Exception):
                _logger.error("a cancelled task failed", exc_info=outcome)


async def wind_down(loop: AbstractEventLoop, after: str | None) -> None:
    """Cancel what is left on `loop` and shut down its generators and its default executor."""
    await cancel_leftovers(loop, after)
    await loop.shutdown_asyncgens()
    await loop.shutdown_default_executor()
