"""An async iterable seen from synchronous code: every step in one task, one context and on one loop."""

from asyncio import CancelledError
from collections.abc import AsyncIterable, AsyncIterator, Callable, Generator
from functools import partial
from typing import Any, TypeVar

from asgikit.bridge._options import Options
from asgikit.bridge._parts import Parts
from asgikit.bridge._talk import Talk

__all__ = ("lockstep_sync", "read_ahead_sync")

_T = TypeVar("_T")


def _asend(value: object, iterator: Any) -> Any:
    return iterator.asend(value)


def _athrow(error: BaseException, iterator: Any) -> Any:
    return iterator.athrow(error)


async def _close(iterator: AsyncIterator[Any]) -> None:
    close = getattr(iterator, "aclose", None)
    if close is not None:
        await close()


def read_ahead_sync(
    parts: Parts, options: Options, make: Callable[[], AsyncIterable[_T]], size: int
) -> Generator[_T, None, None]:
    """Yield the items of `make()`, reading at most `size` of them ahead."""
    stopping = False

    async def script(talk: Talk) -> None:
        iterator = aiter(make())
        try:
            async for item in iterator:
                talk.say(item)
                if len(talk.said) >= size and not stopping:
                    await talk.hear()
                if stopping:
                    return
        finally:
            await _close(iterator)

    talk = Talk(parts, options, script)
    finished = False
    try:
        while talk.listen():
            full = len(talk.said) >= size
            yield talk.said.popleft()
            if full:
                talk.tell(None)
        finished = True
    finally:
        stopping = True
        if not finished:
            talk.cancel()
        error = talk.end()
        del talk, parts, options  # an exception keeps this frame alive, and nothing through it (invariant I1)
    if error is not None:
        try:
            raise error
        finally:
            del error


def lockstep_sync(parts: Parts, options: Options, make: Callable[[], AsyncIterable[_T]]) -> Generator[_T, Any, None]:
    """Yield the items of `make()` one crossing at a time; what is sent or thrown in reaches the generator."""

    async def script(talk: Talk) -> None:
        iterator: Any = aiter(make())
        advance = anext(iterator)
        try:
            while True:
                talk.say(await advance)
                advance = (await talk.hear())(iterator)
        except StopAsyncIteration:
            return
        finally:
            await _close(iterator)

    talk = Talk(parts, options, script)
    finished = False
    try:
        while talk.listen():
            try:
                sent = yield talk.said.popleft()
            except GeneratorExit:
                raise
            except BaseException as error:
                talk.tell(partial(_athrow, error))
            else:
                talk.tell(anext if sent is None else partial(_asend, sent))
        finished = True
    finally:
        if not finished:
            talk.cancel()
        failure = talk.end()
        del talk, parts, options  # as above
    if failure is not None and not isinstance(failure, CancelledError):
        try:
            raise failure
        finally:
            del failure
