"""An async iterable seen from synchronous code: every step in one task, one context and on one loop."""

import logging
from asyncio import CancelledError
from collections.abc import AsyncIterable, AsyncIterator, Awaitable, Callable, Generator
from functools import partial
from typing import Any, TypeAlias, TypeVar

from asgikit.bridge._talk import Talk

__all__ = ("lockstep_sync", "read_ahead_sync")

_T = TypeVar("_T")
Begin: TypeAlias = Callable[[Callable[[Talk], Awaitable[None]]], Talk]

_logger = logging.getLogger("asgikit")


def _asend(value: object, iterator: Any) -> Any:
    if not hasattr(iterator, "asend"):
        message = f"{type(iterator).__qualname__} is no async generator: nothing can be sent to it"
        raise TypeError(message)
    return iterator.asend(value)


def _athrow(error: BaseException, iterator: Any) -> Any:
    if hasattr(iterator, "athrow"):
        return iterator.athrow(error)
    raise error


async def _close(iterator: AsyncIterator[Any]) -> None:
    close = getattr(iterator, "aclose", None)
    if close is not None:
        await close()


def _leave(talk: Talk) -> BaseException | None:
    """End a talk before its coroutine has ended by itself, and return what its clean-up raised."""
    over = talk.over
    failure = talk.end(early=True)
    if failure is None or isinstance(failure, CancelledError):
        return None
    if over:  # reading ahead, it failed where the caller never came to
        _logger.error("%s failed further on than it was followed", talk.name, exc_info=failure)
        return None
    return failure


def read_ahead_sync(begin: Begin, make: Callable[[], AsyncIterable[_T]], size: int) -> Generator[_T, None, None]:
    """Yield the items of `make()`, reading at most `size` of them ahead."""

    async def script(talk: Talk) -> None:
        iterator = aiter(make())
        try:
            async for item in iterator:
                if talk.say(item) >= size:
                    await talk.drained(size // 2)
        finally:
            await _close(iterator)

    talk = begin(script)
    finished = False
    try:
        while talk.listen():
            yield talk.take()
        finished = True
    finally:
        failure = talk.end() if finished else _leave(talk)
        del talk, begin, script  # an exception keeps this frame alive, and nothing through it (invariant I1)
        if failure is not None:
            try:
                raise failure
            finally:
                del failure


def lockstep_sync(begin: Begin, make: Callable[[], AsyncIterable[_T]]) -> Generator[_T, Any, None]:
    """Yield the items of `make()` one crossing at a time; what is sent or thrown in reaches the generator."""

    async def script(talk: Talk) -> None:
        iterator: Any = aiter(make())
        try:
            talk.say(await anext(iterator))
            while True:
                talk.say(await (await talk.hear())(iterator))
        except StopAsyncIteration:
            return
        finally:
            await _close(iterator)

    talk = begin(script)
    finished = False
    try:
        while talk.listen():
            try:
                sent = yield talk.take()
            except GeneratorExit:
                raise
            except BaseException as error:
                talk.tell(partial(_athrow, error))
            else:
                talk.tell(anext if sent is None else partial(_asend, sent))
        finished = True
    finally:
        failure = talk.end() if finished else _leave(talk)
        del talk, begin, script  # as above
        if failure is not None:
            try:
                raise failure
            finally:
                del failure
