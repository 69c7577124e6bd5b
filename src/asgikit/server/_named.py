"""Tasks with names, under any task factory."""

from asyncio import AbstractEventLoop, Task
from collections.abc import Coroutine
from typing import Any, TypeVar

__all__ = ("create_named_task",)

_R = TypeVar("_R")


def create_named_task(loop: AbstractEventLoop, coroutine: Coroutine[Any, Any, _R], name: str) -> "Task[_R]":
    """Make a task and name it afterwards: from Python 3.14 on, a loop hands `name=` to its task factory as it is.

    Factories written before take no such argument. Called on the thread of `loop`.
    """
    task = loop.create_task(coroutine)
    task.set_name(name)
    return task
