"""Letting a task take its step at once, instead of one round of the loop later.

A crossing thus costs one wake-up of the loop and no further round of it: its coroutine takes its first step, or the
task that awaited it goes on, in the wake-up itself. Python 3.12 has eager tasks for the former; for the rest, CPython's
own loop keeps scheduled steps in a deque that can be looked at. Any other loop, and any task factory, schedules
the step as always: the result is the same, only later.
"""

import sys
from asyncio import AbstractEventLoop, BaseEventLoop, Future, Task
from collections.abc import Coroutine
from contextvars import Context
from typing import Any

__all__ = ("create_task", "resume", "start_task")


def create_task(loop: AbstractEventLoop, coroutine: Coroutine[Any, Any, None]) -> "Task[None]":
    """Make a task in the running context: `Context.run` of this is typed, of the loop's own generic method is not."""
    return loop.create_task(coroutine)


def start_task(loop: AbstractEventLoop, coroutine: Coroutine[Any, Any, None], context: Context) -> "Task[None]":
    """Make a task for `coroutine` in a copy of `context`. Called on the thread of `loop`, outside of any task."""
    if loop.get_task_factory() is not None:
        return context.run(create_task, loop, coroutine)  # not `context=`: older factories do not take it
    if sys.version_info >= (3, 12):
        return Task(coroutine, loop=loop, context=context.copy(), eager_start=True)
    else:  # noqa: RET505 - so that checkers leave out what is for another version
        task: Task[None] = loop.create_task(coroutine, context=context.copy())
        _run_last(loop, task)
        return task


def resume(waiter: "Future[None]") -> None:
    """Let the task go on that awaits `waiter`. Called on the thread of its loop, outside of any task.

    Raises:
        BaseException: what the task raises out of the loop: KeyboardInterrupt and SystemExit.
    """
    waiter.set_result(None)
    _run_last(waiter.get_loop(), waiter)


def _run_last(loop: AbstractEventLoop, owner: object) -> None:
    """Run what `loop` was given last, if it is the first step of the task `owner` or tells of the future `owner`."""
    scheduled: Any = getattr(loop, "_ready", None)
    if not scheduled or not isinstance(loop, BaseEventLoop):
        return
    last = scheduled.pop()
    if (last._args[0] if last._args else getattr(last._callback, "__self__", None)) is owner:
        last._run()
    else:  # another thread has posted in between
        scheduled.append(last)
