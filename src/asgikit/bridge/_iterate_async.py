"""A synchronous iterable seen from async code: every step on one thread and in one context.

The thread's side pumps items into a bounded buffer until it is full, the time slice is over or the iterable
ends, and then gives its thread back; the loop's side takes them out and has it pump again before the buffer is
empty. So many items cross together, a slow iterable delivers each item at once, and neither side holds the
thread while it waits for the other.
"""

import asyncio
import threading
from asyncio import AbstractEventLoop, CancelledError, Future
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable, Iterator
from contextvars import copy_context
from functools import partial
from time import monotonic
from typing import Any, Final, Generic, TypeVar, final

from asgikit.bridge import _chain
from asgikit.bridge._options import Options
from asgikit.bridge._parts import Parts
from asgikit.bridge._sync_call import SyncCall
from asgikit.executor import without_this_frame
from asgikit.protocols import Lease

__all__ = ("Steps", "lockstep", "read_ahead")

SLICE: Final = 0.01  # seconds after which a pump lets other calls of its thread run

_T = TypeVar("_T")


@final
class Steps:
    """Runs one step after another on one thread, in one context. Used on the thread of the loop."""

    __slots__ = ("_context", "_home", "_lease", "_link", "_parts")

    def __init__(self, parts: Parts, options: Options) -> None:
        self._parts = parts
        self._link = _chain.current.get()
        self._context = copy_context()
        self._lease: Lease | None = None
        self._home = parts.resources.home_for(options)
        if self._home is parts.resources.free_home:  # any one thread will do, but it has to be one
            self._home = self._lease = parts.resources.sensitive_pool.lease()

    def begin(self, function: Callable[[], Any]) -> SyncCall:
        """Have `function` run after the steps before it."""
        return self._parts.to_threads.begin_step(function, self._link, self._context, self._home)

    async def run(self, function: Callable[[], Any]) -> Any:
        """Run `function`. Cancelled, it ends at once; a step that has begun goes on, and later steps wait for it."""
        call = self.begin(function)
        try:
            while not call.settled:
                await call.waiter
        except CancelledError:
            call.leave()
            raise
        value, error = call.take()
        del call
        if error is None:
            return value
        try:
            raise error
        finally:
            del error

    def end(self) -> None:
        """No further step will come."""
        if self._lease is not None:
            self._lease.release()


@final
class _Buffer(Generic[_T]):
    """What has been read and not yet been taken, between the two sides."""

    __slots__ = (
        "_iterator",
        "_lock",
        "_loop",
        "_make",
        "_size",
        "_waiter",
        "ended",
        "error",
        "items",
        "pumping",
        "stopping",
    )

    def __init__(self, make: Callable[[], Iterable[_T]], size: int, loop: AbstractEventLoop) -> None:
        self._make = make
        self._size = size
        self._loop = loop
        self._lock = threading.Lock()
        self._iterator: Iterator[_T] | None = None
        self._waiter: Future[None] | None = None
        self.items: deque[_T] = deque()
        self.error: BaseException | None = None
        self.ended = False
        self.pumping = False
        self.stopping = False

    # On the thread of the iterable

    def pump(self) -> None:
        """Read until the buffer is full, the slice is over or the iterable ends."""
        until = monotonic() + SLICE
        try:
            if self.stopping:
                return
            iterator = self._iterator
            if iterator is None:
                iterator = self._iterator = iter(self._make())
            for item in iterator:
                if not self._put(item) or monotonic() > until:
                    return
            self.ended = True
        except BaseException as error:
            self.error = without_this_frame(error)
            self.ended = True
        finally:
            self._rest()

    def _put(self, item: _T) -> bool:
        """Append an item; False when it was the last for now."""
        with self._lock:
            self.items.append(item)
            more = len(self.items) < self._size and not self.stopping
            waiter, self._waiter = self._waiter, None
        self._wake(waiter)
        return more

    def _rest(self) -> None:
        with self._lock:
            self.pumping = False
            waiter, self._waiter = self._waiter, None
        self._wake(waiter)

    def _wake(self, waiter: "Future[None] | None") -> None:
        if waiter is not None:
            try:
                self._loop.call_soon_threadsafe(_release, waiter)
            except RuntimeError:
                """The loop is closed: nobody iterates."""

    def close(self) -> None:
        """Close the iterator, if it can be closed."""
        iterator, self._iterator = self._iterator, None
        close = getattr(iterator, "close", None)
        if close is not None:
            close()

    # On the thread of the loop

    def wait(self) -> "Future[None] | None":
        """Return what to wait for; None if there is something to do."""
        with self._lock:
            if self.items or self.ended or not self.pumping:
                return None
            self._waiter = self._loop.create_future()
            return self._waiter

    def wants_more(self) -> bool:
        """Whether to pump now: the buffer is half empty, and the end has not been seen."""
        return not self.pumping and not self.ended and len(self.items) * 2 <= self._size


def _release(waiter: "Future[None]") -> None:
    if not waiter.done():
        waiter.set_result(None)


async def read_ahead(
    begin: Callable[[], Steps], make: Callable[[], Iterable[_T]], size: int
) -> AsyncGenerator[_T, None]:
    """Yield the items of `make()`, reading at most `size` of them ahead."""
    steps = begin()
    buffer = _Buffer(make, size, asyncio.get_running_loop())
    items = buffer.items
    waiter: Future[None] | None = None
    try:
        while True:
            if buffer.wants_more():
                buffer.pumping = True
                steps.begin(buffer.pump)
            if items:
                yield items.popleft()
            elif buffer.ended:
                break
            elif (waiter := buffer.wait()) is not None:
                await waiter
    finally:
        buffer.stopping = True
        await _close(steps, buffer.close)
    error, buffer.error = buffer.error, None
    del begin, steps, buffer, items, make, waiter  # an exception keeps this frame alive, and nothing through it (I1)
    if error is not None:
        try:
            raise error
        finally:
            del error


async def lockstep(begin: Callable[[], Steps], make: Callable[[], Iterable[_T]]) -> AsyncGenerator[_T, Any]:
    """Yield the items of `make()` one crossing at a time; what is sent or thrown in reaches the generator."""
    steps = begin()
    iterator: Any = None

    def first() -> tuple[bool, Any]:
        nonlocal iterator
        iterator = iter(make())
        return _step(partial(next, iterator))

    def close() -> None:
        if hasattr(iterator, "close"):
            iterator.close()

    step: Callable[[], tuple[bool, Any]] = first
    try:
        while True:
            more, item = await steps.run(step)
            if not more:
                return
            try:
                sent = yield item
            except GeneratorExit:
                raise
            except BaseException as error:
                step = partial(_step, partial(_method(iterator, "throw"), error))
            else:
                advance = partial(next, iterator) if sent is None else partial(_method(iterator, "send"), sent)
                step = partial(_step, advance)
    finally:
        await _close(steps, close)


def _step(advance: Callable[[], Any]) -> tuple[bool, Any]:
    try:
        return True, advance()
    except StopIteration as end:
        return False, end.value


def _method(iterator: object, name: str) -> Callable[..., Any]:
    method: Callable[..., Any] | None = getattr(iterator, name, None)
    if method is None:
        message = f"{type(iterator).__qualname__} is no generator: nothing can be passed to its {name}()"
        raise TypeError(message)
    return method


async def _close(steps: Steps, close: Callable[[], None]) -> None:
    """Close the source on its thread, whatever else is going on."""
    try:
        await steps.run(close)
    finally:
        steps.end()
