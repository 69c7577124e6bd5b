"""Making a task that takes its first step at once, instead of one round of the loop later.

A coroutine that never waits thus costs its caller one wake-up of the loop and no round of it. Python 3.12 has
eager tasks for this; before, CPython's own loop keeps scheduled steps in a deque that can be looked at. Any
other loop, and any task factory, schedules the step as always: the result is the same, only later.
"""

import asyncio
import sys
from asyncio import AbstractEventLoop, BaseEventLoop, Task
from collections.abc import Coroutine
from contextvars import Context
from typing import Any

__all__ = ("create_task", "start_task")


def create_task(loop: AbstractEventLoop, coroutine: Coroutine[Any, Any, None]) -> "Task[None]":
    """Make a task in the running context: `Context.run` of this is typed, of the loop's own generic method is not."""
    return loop.create_task(coroutine)


def start_task(loop: AbstractEventLoop, coroutine: Coroutine[Any, Any, None], context: Context) -> "Task[None]":
    """Make a task for `coroutine` in a copy of `context`. Called on the thread of `loop`, outside of any task."""
    if loop.get_task_factory() is not None:
        return context.run(create_task, loop, coroutine)  # not `context=`: older factories do not take it
    if sys.version_info >= (3, 12):
        return asyncio.Task(coroutine, loop=loop, context=context.copy(), eager_start=True)
    else:  # noqa: RET505 - so that checkers leave out what is for another version
        task: Task[None] = loop.create_task(coroutine, context=context.copy())
        if isinstance(loop, BaseEventLoop):
            _step_now(loop, task)
        return task


def _step_now(loop: Any, task: "Task[None]") -> None:
    try:
        handle = loop._ready.pop()
    except (AttributeError, IndexError):
        return
    if getattr(handle._callback, "__self__", None) is task:
        handle._run()
    else:  # another thread has posted in between
        loop._ready.append(handle)
