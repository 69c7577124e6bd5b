"""The frames between a user and a call: begin it, wait for it, return its result or raise its exception.

An exception keeps these frames alive, so on the way out nothing is left in them (invariants I1, I2).
"""

from asyncio import CancelledError
from collections.abc import Callable, Coroutine
from typing import Any

from asgikit.bridge._async_call import AsyncCall
from asgikit.bridge._sync_call import SyncCall

__all__ = ("cross_to_async", "cross_to_sync")


def cross_to_sync(
    begin: Callable[[tuple[Any, ...], dict[str, Any]], SyncCall],
) -> Callable[..., Coroutine[Any, Any, Any]]:
    """Return the async function that begins a call, awaits it, and returns its result or raises its exception."""

    async def wrapper(*args: Any, **kwargs: Any) -> Any:
        call = begin(args, kwargs)
        del args, kwargs
        while not call.settled:
            try:
                await call.waiter
            except CancelledError:
                if call.interrupted():
                    del call
                    raise
            except BaseException:  # closed by hand, or collected: nobody will ever ask
                call.forsaken()
                del call
                raise
        value, error = call.take()
        del call
        if error is None:
            return value
        try:
            raise error
        finally:
            del error, value

    return wrapper


def cross_to_async(
    begin: Callable[[tuple[Any, ...], dict[str, Any]], AsyncCall],
    end: Callable[[AsyncCall], object],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> Any:
    """Begin a call, host until it has ended, and return its result or raise its exception."""
    call = begin(args, kwargs)
    try:
        in_time = call.wait()
    except BaseException:
        if not call.done:
            call.interrupt()  # Ctrl-C came before `wait` could take care
        end(call)
        del begin, end, args, kwargs, call
        raise
    try:
        end(call)
    except BaseException:  # Ctrl-C again, at its first step: else this thread would count as hosting for ever
        end(call)
        del begin, end, args, kwargs, call
        raise
    if in_time:
        value, error = call.take()
    else:
        value, error = None, call.timeout_error()
    del begin, end, args, kwargs, call
    if error is None:
        return value
    try:
        raise error
    finally:
        del error, value
