"""Other runtimes in the same process: what is said where they cannot work, and what is lent where they can.

None of them is imported: a library that is not loaded cannot be running.
"""

import sys
from asyncio import AbstractEventLoop
from collections.abc import Callable
from operator import methodcaller
from typing import Any, Final

from asgikit.errors import LoopUnavailableError, RunningLoopError, UnsupportedRuntimeError

__all__ = ("ANYIO", "lend_to_anyio", "no_loop", "refuse_to_block", "take_from_anyio")

ANYIO: Final = "anyio._backends._asyncio"


def no_loop() -> Exception:
    """Return the error for an await outside a running asyncio loop, naming trio or curio if they run instead."""
    name = _running()
    if name is not None:
        message = (
            f"sync_to_async was awaited under {name}, and asgikit crosses to asyncio only;"
            f" run the program on asyncio, or use {name}'s own way to call functions in threads"
        )
        return UnsupportedRuntimeError(message)
    message = "sync_to_async was awaited outside a running asyncio event loop; run it under asyncio"
    return LoopUnavailableError(message)


def refuse_to_block(call: str) -> None:
    """Refuse to block a thread that runs trio or curio, for `call`.

    Raises:
        RunningLoopError: it runs one of them.
    """
    name = _running()
    if name is not None:
        message = (
            f"async_to_sync was called for {call} on a thread that runs {name}, and would block it; call the"
            f" synchronous function that leads here in a thread, in {name}'s own way"
        )
        raise RunningLoopError(message)


def _running() -> str | None:
    """Return which other async library runs on this thread, or None."""
    for name, runs in (("trio", _trio_runs), ("curio", _curio_runs)):
        module = sys.modules.get(name)
        if module is not None and runs(module):
            return name
    return None


def _trio_runs(trio: Any) -> bool:
    try:
        trio.lowlevel.current_task()
    except RuntimeError:
        return False
    return True


def _curio_runs(curio: Any) -> bool:
    return bool(curio.meta.curio_running())


def lend_to_anyio(loop: AbstractEventLoop | None) -> dict[str, Any] | None:
    """Let anyio's `from_thread` functions find `loop` from this thread; return what `take_from_anyio` needs, or None.

    It does what anyio's `claim_worker_thread` does at a fifth of the price, which every call pays in a process where
    somebody uses anyio. Called when `ANYIO` is loaded, or about to be: another thread may be importing it.
    """
    try:
        anyio: Any = sys.modules[ANYIO]
        backend: Any = anyio.AsyncIOBackend
        kept: dict[str, Any] = anyio.threadlocals.__dict__  # this thread's
        token: Any = sys.modules["anyio.lowlevel"].EventLoopToken  # since anyio 4.11
    except (AttributeError, KeyError):
        return None
    if loop is None or "current_token" in kept:  # inline; a worker of anyio's own
        return None
    kept["current_token"] = token(backend, loop)
    return kept


take_from_anyio: Final[Callable[[dict[str, Any]], object]] = methodcaller("pop", "current_token", None)
"""Takes back what was lent to anyio on this thread: in one step, before which no Ctrl-C comes."""
