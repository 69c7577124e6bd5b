"""Ctrl-C at every point of asgikit's code at which CPython may raise it in the main thread, one after the other.

The interpreter looks for signals when a function begins, after a call of what is not written in Python, and when a
loop goes round. A trace function finds these points, and raises at one of them.
"""

import dis
import gc
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final, final

import asgikit

__all__ = ("Interrupt", "interrupts")

ROOT: Final = str(Path(asgikit.__file__).parent)
LOOKS: Final = ("RESUME", "CALL", "JUMP_BACKWARD")
MOST: Final = 1000


@final
class Interrupt:
    """Raises KeyboardInterrupt at the point of this number, if the code comes to so many."""

    def __init__(self, number: int) -> None:
        self.raised_at: str | None = None
        self._left = number
        self._last = dict[FrameType, str]()  # the instruction before, where one was carried out
        self._back: FrameType | None = None  # where a function of asgikit's has just returned to

    def during(self, function: Callable[[], object]) -> None:
        """Call `function`, and swallow the KeyboardInterrupt."""
        before = sys.gettrace()
        gc.disable()  # out of a finalizer nothing is raised
        try:
            sys.settrace(self._enter)
            function()
        except KeyboardInterrupt:
            pass
        finally:
            sys.settrace(before)
            gc.enable()
            self._last.clear()

    def _enter(self, frame: FrameType, event: str, arg: object) -> Any:
        if not frame.f_code.co_filename.startswith(ROOT):
            return None
        frame.f_trace = self._step  # first: Python 3.13 looks at it when the next is set
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        return self._step

    def _step(self, frame: FrameType, event: str, arg: object) -> Any:
        if event == "return":
            self._back = frame.f_back
        elif event == "exception":
            self._last[frame] = ""  # on the way to a handler nobody looks
        elif event == "opcode":
            returned, self._back = self._back is frame, None
            before = self._last.get(frame, "RESUME")
            self._last[frame] = dis.opname[frame.f_code.co_code[frame.f_lasti]]
            if not returned and before.startswith(LOOKS):
                self._left -= 1
                if self._left == 0:
                    self.raised_at = f"{Path(frame.f_code.co_filename).name}:{frame.f_lineno}"
                    sys.settrace(None)
                    raise KeyboardInterrupt
        return self._step


def interrupts() -> Iterator[Interrupt]:
    """Yield an interrupt for each point, until one is not come to."""
    for number in range(1, MOST):
        interrupt = Interrupt(number)
        yield interrupt
        if interrupt.raised_at is None:
            assert number > 1
            return
    raise AssertionError("there is no end to it")
