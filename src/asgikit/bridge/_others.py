"""Other runtimes in the same process: what is said where they cannot work, and what is lent where they can.

None of them is imported: a library that is not loaded cannot be running.
"""

import sys
from asyncio import AbstractEventLoop
from contextlib import AbstractContextManager
from typing import Any, Final

from asgikit.errors import LoopUnavailableError, RunningLoopError, UnsupportedRuntimeError

__all__ = ("ANYIO", "lend_to_anyio", "no_loop", "refuse_to_block")

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


def lend_to_anyio(loop: AbstractEventLoop | None) -> AbstractContextManager[Any] | None:
    """Let anyio's `from_thread` functions find `loop` from this thread, or None if that cannot be.

    Called when `ANYIO` is loaded, or about to be: another thread may be in the middle of importing it.
    """
    core: Any = sys.modules.get("anyio._core._eventloop")
    claim: Any = getattr(core, "claim_worker_thread", None)  # anyio 4
    backend: Any = getattr(sys.modules.get(ANYIO), "AsyncIOBackend", None)
    if loop is None or claim is None or backend is None:
        return None
    if hasattr(core.threadlocals, "current_token"):  # a worker of anyio's own
        return None
    lent: AbstractContextManager[Any] = claim(backend, loop)
    return lent
