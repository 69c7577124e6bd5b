"""What the interpreter under test is: with or without the GIL."""

import signal
import sys
import sysconfig
from collections.abc import Callable
from typing import cast

__all__ = ("free_threaded", "gil_line", "hear_interrupts")


def free_threaded() -> bool:
    """Whether this interpreter was built without the GIL, whether or not it is on at the moment."""
    return bool(sysconfig.get_config_var("Py_GIL_DISABLED"))


def gil_line() -> str | None:
    """Return the line that says whether the GIL is on now, or None before Python 3.13, where there is no question.

    An extension module that does not know of free threading turns it on for the whole process.
    """
    asked = cast("Callable[[], bool] | None", getattr(sys, "_is_gil_enabled", None))
    return f"sys._is_gil_enabled() = {asked()}" if asked else None


def hear_interrupts() -> None:
    """Let Ctrl-C interrupt this program and those that it starts, as in a terminal.

    A shell script starts what it puts into the background with Ctrl-C ignored, and every child would inherit that.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
