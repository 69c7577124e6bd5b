"""A synchronous iterable seen from async code: every step on one thread and in one context.

The thread's side pumps items into a bounded buffer until it is full, the time slice is over or the iterable
ends, and then gives its thread back; the loop's side takes them out and has it pump again before the buffer is
empty. So many items cross together, a slow iterable delivers each item at once, and neither side holds the
thread while it waits for the other.
"""

import asyncio
import threading
from asyncio import AbstractEventLoop, Future
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from functools import partial
from time import monotonic
from typing import Any, Final, Generic, TypeVar, final

from asgikit.bridge._steps import Steps, users_part
from asgikit.bridge._sync_call import SyncCall

__all__ = ("lockstep", "read_ahead")

SLICE: Final = 0.01  # seconds after which a pump lets other calls of its thread run

_T = TypeVar("_T")
_END: Final[Any] = object()


@final
class _Buffer(Generic[_T]):
    """What has been read and not yet been taken, between the two sides."""

    __slots__ = ("_iterator", "_lock", "_loop", "_make", "_size", "_waiter", "items", "stopping")

    def __init__(self, make: Callable[[], Iterable[_T]], size: int, loop: AbstractEventLoop) -> None:
        self._make = make
        self._size = size
        self._loop = loop
        self._lock = threading.Lock()
        self._iterator: Iterator[_T] | None = None
        self._waiter: Future[None] | None = None
        self.items: deque[_T] = deque()
        self.stopping = False

    # On the thread of the iterable

    def pump(self) -> bool:
        """Read until the buffer is full, the slice is over or the iterable ends; True when it has ended."""
        until = monotonic() + SLICE
        if self._iterator is None:
            self._iterator = iter(self._make())
        advance = partial(next, self._iterator, _END)
        while not self.stopping:
            item = advance()
            if item is _END:
                return True
            if not self._put(item) or monotonic() > until:
                break
        return False

    def _put(self, item: _T) -> bool:
        """Append an item; False when there is no room for another."""
        with self._lock:
            self.items.append(item)
            waiter, self._waiter = self._waiter, None
        if waiter is not None:
            try:
                self._loop.call_soon_threadsafe(_release, waiter)
            except RuntimeError:  # closed: nobody iterates any more
                return False
        return len(self.items) < self._size

    def close(self) -> None:
        """Close the iterator, if it can be closed."""
        iterator, self._iterator = self._iterator, None
        close = getattr(iterator, "close", None)
        if close is not None:
            close()

    # On the thread of the loop

    def news(self, call: SyncCall) -> "Future[None]":
        """Return what is done when there is an item, or when `call`, the pump, has ended."""
        waiter: Future[None] = self._loop.create_future()
        with self._lock:
            if self.items:
                waiter.set_result(None)
            else:
                self._waiter = waiter
        call.waiter.add_done_callback(lambda _: _release(waiter))
        return waiter


def _release(waiter: "Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)


async def read_ahead(
    begin: Callable[[Callable[[], object]], Steps], make: Callable[[], Iterable[_T]], size: int
) -> AsyncGenerator[_T, None]:
    """Yield the items of `make()`, reading at most `size` of them ahead."""
    buffer = _Buffer(make, size, asyncio.get_running_loop())
    steps = begin(buffer.close)
    items = buffer.items
    call: SyncCall | None = None
    pump: SyncCall | None = None
    ended: bool | None = False
    error: BaseException | None = None
    finished = False
    try:
        while not finished:
            if call is not None and call.settled:
                ended, error = call.take()
                ended = ended or error is not None
                call = None
            elif call is None and not ended and len(items) * 2 <= size:
                call = steps.begin(buffer.pump)
            elif items:
                yield items.popleft()
            elif call is None:
                finished = True
            else:
                pump, call = call, None  # when this is cancelled, nobody waits for it any more
                await steps.wait(pump, buffer.news(pump))
                call, pump = pump, None
    finally:
        buffer.stopping = True
        try:
            await steps.finish(call, None if finished else error)
        finally:
            try:
                await steps.end()
            finally:  # an exception keeps this frame alive, and nothing through it (invariant I1)
                del begin, steps, buffer, items, call, pump
    if error is not None:
        try:
            raise users_part(error)
        finally:
            del error


async def lockstep(
    begin: Callable[[Callable[[], object]], Steps], make: Callable[[], Iterable[_T]]
) -> AsyncGenerator[_T, Any]:
    """Yield the items of `make()` one crossing at a time; what is sent or thrown in reaches the generator."""
    iterator: Any = None
    failure: BaseException | None = None

    def first() -> Any:
        nonlocal iterator
        iterator = iter(make())
        return next(iterator, _END)

    def close() -> None:
        if hasattr(iterator, "close"):
            iterator.close()

    steps = begin(close)
    step: Callable[[], Any] = first
    try:
        while True:
            item, failure = await steps.run(step)
            if failure is not None or item is _END:
                break
            try:
                sent = yield item
            except GeneratorExit:
                raise
            except BaseException as error:
                step = partial(_or_end, partial(_throw, iterator, [error]))
            else:
                step = (
                    partial(next, iterator, _END) if sent is None else partial(_or_end, partial(_send, iterator, sent))
                )
    finally:
        try:
            await steps.end()
        finally:
            del begin, steps, step, first, close  # as above
    if failure is not None:
        try:
            raise users_part(failure)
        finally:
            del failure


def _or_end(advance: Callable[[], Any]) -> Any:
    try:
        return advance()
    except StopIteration:
        return _END


def _send(iterator: Any, value: object) -> Any:
    if not hasattr(iterator, "send"):
        message = f"{type(iterator).__qualname__} is no generator: nothing can be sent to it"
        raise TypeError(message)
    return iterator.send(value)


def _throw(iterator: Any, errors: list[BaseException]) -> Any:
    """Throw the one error, and leave it nowhere: frames that it leads to lead to their callers' (invariant I2)."""
    if hasattr(iterator, "throw"):
        return iterator.throw(errors.pop())
    raise errors.pop()
