"""Waiting for something or for a time, by the injected clock."""

from asyncio import Future, get_running_loop
from collections.abc import Iterable
from typing import Any

from asgikit.protocols import Clock

__all__ = ("resolve", "wait_all")


def resolve(future: "Future[None]") -> None:
    """Complete the future unless it is done already."""
    if not future.done():
        future.set_result(None)


async def wait_all(futures: "Iterable[Future[Any]]", *, seconds: float, clock: Clock) -> bool:
    """Wait until all are done (True) or the time is over (False). Cancels none of them, retrieves no result."""
    pending = {future for future in futures if not future.done()}
    if not pending:
        return True
    loop = get_running_loop()
    over: Future[None] = loop.create_future()

    def finished(future: "Future[Any]") -> None:
        pending.discard(future)
        if not pending:
            resolve(over)

    watched = list(pending)
    for future in watched:
        future.add_done_callback(finished)
    timer = clock.call_later(loop, seconds, lambda: resolve(over))
    try:
        await over
    finally:
        timer.cancel()
        for future in watched:
            future.remove_done_callback(finished)
    return not pending
