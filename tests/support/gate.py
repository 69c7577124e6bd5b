"""Waiting for a moment without sleeping: a call that the test holds, and conditions that tasks and threads wait for."""

import asyncio
import threading
import time
from collections.abc import Callable, Coroutine
from types import TracebackType
from typing import Any, Self

import pytest

from asgikit.protocols import Crossing

SECONDS = 10.0  # nothing takes this long unless it is broken


class Gate:
    """A synchronous function that says when it has begun and ends when it is told to.

    At the end of its `with` block it is open, so that no thread stays behind when a test fails.
    """

    def __init__(self, result: object = "through", error: BaseException | None = None) -> None:
        """Return `result` in the end, or raise `error`."""
        self.begun = threading.Event()
        self.ended = threading.Event()
        self.threads: list[str] = []
        self._open = threading.Event()
        self._result = result
        self._error = error

    def __call__(self) -> object:
        """Block until the gate is opened."""
        self.threads.append(threading.current_thread().name)
        self.begun.set()
        assert self._open.wait(SECONDS), "nobody opened this gate"
        self.ended.set()
        if self._error is not None:
            raise self._error
        return self._result

    def open(self) -> None:
        """Let calls through, now and later."""
        self._open.set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.open()


class HoldsUp:
    """An observer that holds up one call as its thread comes to it, before its function begins."""

    def __init__(self, gate: Gate, number: int) -> None:
        """Hold the call up that is the `number`th to begin, counted from 1."""
        self._gate = gate
        self._left = number

    def started(self, _: Crossing, /) -> None:
        self._left -= 1
        if self._left == 0:
            self._gate()

    def queued(self, _: Crossing, /) -> None:
        """Not held up."""

    def finished(self, _: Crossing, /) -> None:
        """Not held up."""

    def abandoned(self, _: Crossing, /) -> None:
        """Not held up."""

    def stalled(self, _: Crossing, report: str, /) -> None:
        """Not held up."""


async def cancelled(task: "asyncio.Task[Any]") -> None:
    """Cancel `task` and see it end so."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


async def cancelled_at(gate: Gate, call: Coroutine[Any, Any, object]) -> None:
    """Cancel the task of `call` while its function stands at the gate, and then let the function go on."""
    task = asyncio.create_task(call)
    await until(gate.begun.is_set)
    await cancelled(task)
    gate.open()


async def until(condition: Callable[[], object], what: str = "what the test waits for") -> None:
    """Let the loop go round until `condition` holds."""
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        await asyncio.sleep(0)


def wait_for(condition: Callable[[], object], what: str = "what the test waits for") -> None:
    """Let other threads run until `condition` holds."""
    deadline = time.monotonic() + SECONDS
    pause = threading.Event()
    while not condition():
        assert time.monotonic() < deadline, f"{what} did not happen"
        pause.wait(0.0005)
