"""Several calls that belong together: one thread, one context, and an end that always comes.

The steps of an iteration, or the entry and the exit of a context manager, run one after another. Whatever
becomes of the task that takes them, the closing is done, on the same thread: by the step that is running when
nobody waits any more, else by a step of its own.
"""

import logging
import threading
from asyncio import CancelledError, Future
from collections.abc import Callable
from contextvars import Context, copy_context
from typing import Any, TypeVar, final

from asgikit.bridge import _chain
from asgikit.bridge._mailbox import Mailbox
from asgikit.bridge._options import Options
from asgikit.bridge._parts import Parts
from asgikit.bridge._sync_call import SyncCall
from asgikit.executor import name_of
from asgikit.protocols import Lease

__all__ = ("Steps", "users_part")

_T = TypeVar("_T")
_logger = logging.getLogger("asgikit")


@final
class _Step:
    """A function as a step; observers and reports see the name of what the steps are for."""

    def __init__(self, function: Callable[[], Any], runner: Callable[[Callable[[], Any]], Any], name: str) -> None:
        self._function = function
        self._runner = runner
        self.__module__, _, self.__qualname__ = name.rpartition(".")

    def __call__(self) -> Any:
        return self._runner(self._function)


@final
class Steps:
    """Runs steps for one task. Its methods are called on the thread of the loop.

    Args:
        parts, options: of the bridge; where a call with these options would go, the steps go.
        subject: what the steps are for, of which the name is told.
        close: undoes what the first step began. Runs once, on the thread of the steps; never if none has begun.
        told: is given a copy of the context of the steps after each that was awaited to its end; in the task.
    """

    __slots__ = (
        "_begun",
        "_busy",
        "_close",
        "_closed",
        "_context",
        "_home",
        "_lease",
        "_left",
        "_link",
        "_lock",
        "_mailbox",
        "_name",
        "_parts",
        "_told",
    )

    def __init__(
        self,
        parts: Parts,
        options: Options,
        subject: object,
        close: Callable[[], object],
        told: Callable[[Context], object] | None = None,
    ) -> None:
        self._parts = parts
        self._told = told
        self._name = name_of(subject)
        self._close = close
        self._lock = threading.Lock()
        self._begun = self._busy = self._left = self._closed = False
        self._link = _chain.current.get()
        self._context = copy_context()
        self._lease: Lease | None = None
        self._mailbox: Mailbox | None = None
        self._home = parts.resources.home_for(options)
        if self._home is parts.resources.free_home:  # any one thread will do, but it has to be one
            self._home = self._lease = parts.resources.sensitive_pool.lease()
            self._mailbox = parts.to_threads.hold(self._lease)

    def begin(self, function: Callable[[], Any]) -> SyncCall:
        """Have `function` run after the steps before it."""
        step = _Step(function, self._run, self._name)
        self._busy = True  # from now on: its thread may have taken it up, and not have come to it
        return self._parts.to_threads.begin_step(step, self._link, self._context, self._home, self._lease)

    async def run(self, function: Callable[[], Any]) -> tuple[Any, BaseException | None]:
        """Run `function`, and return its result and error. Cancelled, it ends as any other call does."""
        call = self.begin(function)
        try:
            while not call.settled:
                await self.wait(call, call.waiter)
            return self._taken(call)
        finally:
            del self, call, function  # a cancellation keeps this frame alive, and nothing through it (invariant I1)

    def _taken(self, call: SyncCall) -> tuple[Any, BaseException | None]:
        outcome = call.take()
        if self._told is not None:
            self._told(self._context.copy())
        return outcome

    async def wait(self, call: SyncCall, future: "Future[None]") -> None:
        """Wait for `future`, or longer if `call`, the step under way, has to be waited for though cancelled.

        Raises:
            CancelledError: nobody waits for the step any more; if it is running, it does the closing.
        """
        try:
            await future
            if call.waiter.cancelled():  # though not by the task that awaits
                await call.waiter
        except CancelledError:
            self._leave()
            if call.interrupted():
                if not call.goes_on:
                    self._stay()
                del self, call, future  # as above
                raise
            self._stay()

    async def finish(self, call: SyncCall | None, error: BaseException | None) -> None:
        """Let `call`, the step under way, end before the closing; its error, or that of the last, is for the logger.

        Where it waits for a coroutine its thread serves others meanwhile, and must not come upon the closing.
        """
        if error is not None:
            self.late(error)
        if call is None:
            return
        try:
            while self._begun and not call.settled:
                await call.waiter
        except CancelledError:
            self._leave()
            raise
        finally:
            call.leave()
            del self, call, error  # as above

    async def end(self, last: Callable[[], _T] | None = None) -> _T | None:
        """Close, unless a step is doing so, or run `last` instead; no further step will come.

        Cancelled, it ends at once; the closing comes all the same.
        """
        try:
            if not self._begun or self._leaving():
                return None
            call = self.begin(self._close_now if last is None else last)
            try:
                while not call.settled:
                    await call.waiter
            except CancelledError:
                call.leave()
                del call
                raise
            value, error = call.take() if last is None else self._taken(call)
        finally:
            self.release()
            del self, last  # as above
        del call
        if error is None:
            result: _T = value
            return result
        try:
            raise users_part(error)
        finally:
            del error, value

    def late(self, error: BaseException) -> None:
        """Report an error of a step that nobody came to (invariant B3)."""
        _logger.error("%s failed further on than it was followed", self._name, exc_info=error)

    def release(self) -> None:
        """Give a leased worker back, once it has run what it was asked to."""
        if self._lease is not None:
            self._lease.release()
            if self._mailbox is not None:
                self._mailbox.held.discard(self._lease)

    def _leave(self) -> None:
        """Leave the closing to the step under way, if there is one."""
        with self._lock:
            self._left = self._busy

    def _stay(self) -> None:
        """It is awaited after all, or will not run."""
        with self._lock:
            self._left = False

    def _leaving(self) -> bool:
        with self._lock:
            return self._closed or self._left

    # On the thread of the steps

    def _run(self, function: Callable[[], _T]) -> _T:
        self._begun = True
        try:
            return function()
        finally:
            with self._lock:
                self._busy = False
                left = self._left
            if left:
                _let_cross()
                self._close_now()

    def _close_now(self) -> None:
        if not self._closed:
            self._closed = True
            self._close()

    def closed(self) -> None:
        """A step has closed by itself: there is nothing left to do."""
        self._closed = True


def _let_cross() -> None:
    """The running call is abandoned, so its next crossing would be refused: not that of the closing."""
    call = _chain.here.thread.call
    if call is not None:
        call.refused = True


def users_part(error: BaseException) -> BaseException:
    """Take the frames of this room off the beginning of the traceback: they lead to the bridge (invariant I1)."""
    traceback = error.__traceback__
    while traceback is not None and traceback.tb_frame.f_globals.get("__name__", "").startswith("asgikit.bridge."):
        traceback = traceback.tb_next
    return error.with_traceback(traceback)
