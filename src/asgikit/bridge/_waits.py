"""Who waits for whom: what reports and the search for deadlocks know of suspended tasks. Reads, changes nothing.

asyncio does not publish what a task is waiting for; what its tasks and futures show on CPython is looked at
with `getattr`, so that a task of another kind is merely one of which nothing is known.
"""

import asyncio
import sys
import traceback
from asyncio import AbstractEventLoop, Future
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias, cast

if TYPE_CHECKING:
    from asgikit.bridge._async_call import AsyncCall
    from asgikit.bridge._sync_call import SyncCall

__all__ = ("awaiting_stack", "find_cycle", "thread_stack")

_Steps: TypeAlias = "list[tuple[SyncCall, SyncCall, AsyncCall]]"


def _blocked_in(work: Any) -> "tuple[SyncCall, AsyncCall] | None":
    """Return the call that holds the thread running `work` and the coroutine it waits for; None if it is busy."""
    while work is not None:
        inner: AsyncCall | None = getattr(work, "inner", None)
        if inner is None:
            return None
        hosted = inner.host.running
        if hosted is None:
            return cast("SyncCall", work), inner
        work = hosted
    return None


def find_cycle(start: "SyncCall", call_of: "Callable[[Future[Any]], SyncCall | None]") -> "_Steps | None":
    """Return the waits by which `start`, not begun yet, waits for itself; None if there is no such cycle.

    Each step is a call that waits for a thread, the call that holds that thread, and the coroutine that this
    one waits for, which in turn awaits the call of the next step.
    """
    known: dict[int, _Steps | None] = {}

    def from_call(call: "SyncCall") -> "_Steps | None":
        blocked = _blocked_in(None if call.home is None else call.home.running)
        rest = None if blocked is None else from_future(blocked[1].task)
        return None if blocked is None or rest is None else [(call, *blocked), *rest]

    def from_future(future: "Future[Any] | None") -> "_Steps | None":
        """Return the steps from `future`, a task or what one awaits, to `start`, without whose end it cannot end."""
        if future is None or future.done():
            return None
        if id(future) not in known:
            known[id(future)] = None  # while it is being looked at
            known[id(future)] = steps_from(future)
        return known[id(future)]

    def steps_from(future: "Future[Any]") -> "_Steps | None":
        waiting = call_of(future)
        if waiting is not None:
            return [] if waiting is start else None if waiting.ran else from_call(waiting)
        gathered: list[Future[Any]] = [child for child in getattr(future, "_children", ()) if not child.done()]
        if gathered:  # one that fails ends it: so each has to lead there
            ways = [from_future(child) for child in gathered]
            return None if None in ways else ways[0]
        return from_future(getattr(future, "_fut_waiter", None))

    return from_call(start)


def _coroutines(loop: AbstractEventLoop, waiter: "Future[Any]") -> Iterator[Any]:
    """Yield the coroutines, outermost first, of the task that waits for `waiter`."""
    for task in asyncio.all_tasks(loop):
        if getattr(task, "_fut_waiter", None) is waiter:
            coroutine: Any = task.get_coro()
            while coroutine is not None:
                yield coroutine
                coroutine = getattr(coroutine, "cr_await", None)
            return


def awaiting_stack(loop: AbstractEventLoop, waiter: "Future[Any]") -> str:
    """Return the stack of the suspended task that waits for `waiter`, as in a traceback. Any thread."""
    summary = traceback.StackSummary()
    for coroutine in _coroutines(loop, waiter):
        frame = getattr(coroutine, "cr_frame", None)
        if frame is not None:
            summary.append(traceback.FrameSummary(frame.f_code.co_filename, frame.f_lineno, frame.f_code.co_name))
    return "".join(summary.format())


def thread_stack(thread_id: int | None) -> str:
    """Return the present stack of a thread, as in a traceback; empty if there is no such thread."""
    frame = None if thread_id is None else sys._current_frames().get(thread_id)
    return "" if frame is None else "".join(traceback.format_stack(frame))
