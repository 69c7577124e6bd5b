"""Hiding the event loop that a thread runs while synchronous code, which is not to see it, runs on that thread.

The running task is hidden with its loop: Python 3.14 knows one running task per thread, and refuses to run
another loop's while it is there.
"""

import asyncio
from asyncio import AbstractEventLoop, Task, _enter_task, _leave_task, _set_running_loop
from typing import Any

__all__ = ("hide", "show")


def hide(loop: AbstractEventLoop) -> "Task[Any] | None":
    """Hide `loop`, which this thread runs, and return its running task, if any, for `show`."""
    task = asyncio.current_task(loop)
    if task is not None:
        _leave_task(loop, task)
    _set_running_loop(None)
    return task


def show(loop: AbstractEventLoop, task: "Task[Any] | None") -> None:
    """Let this thread run `loop` and `task` again."""
    _set_running_loop(loop)
    if task is not None:
        _enter_task(loop, task)
