"""The parts of a bridge: ours fit, a user's own fit by their shape, others do not."""

import asyncio
from asyncio import AbstractEventLoop
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import assert_type

from asgikit import Bridge
from asgikit.executor import CurrentThreadExecutor, InlineExecutor, ThreadSensitivePool, WorkerThreadPool
from asgikit.loop import MonotonicClock, PerCallLoopRunner, PooledLoopRunner, SharedLoopRunner
from asgikit.protocols import Cancellable, Clock, HostExecutor, LoopEntry, LoopRunner, SensitivePool, SupportsPost, Work

# case: a bridge of defaults
assert_type(Bridge(), Bridge)

# case: a bridge of our parts
Bridge(
    sensitive_pool=ThreadSensitivePool(4),
    worker_pool=WorkerThreadPool(4),
    loop_runner=SharedLoopRunner(),
    clock=MonotonicClock(),
    context_policy="isolate",
)

# case: the times of a bridge
Bridge(stall_report_after=5.0, shutdown_grace=1.0)

# case: every part may be None
Bridge(sensitive_pool=None, worker_pool=None, loop_runner=None, clock=None)

# case: parts are keyword-only
Bridge(ThreadSensitivePool(4))  # E

# case: the pools are not interchangeable
Bridge(sensitive_pool=WorkerThreadPool(4))  # E

# case: a loop is not a loop runner
Bridge(loop_runner=asyncio.new_event_loop())  # E

# case: a standard pool is not a thread-sensitive one
Bridge(sensitive_pool=ThreadPoolExecutor(1))  # E


# case: a clock of one's own
class Timer:
    def cancel(self) -> None: ...


class Fixed:
    def now(self) -> float:
        return 0.0

    def call_later(self, loop: AbstractEventLoop, delay: float, callback: Callable[[], object], /) -> Timer:
        return Timer()


Bridge(clock=Fixed())


# case: a clock that lacks a method
class Half:
    def now(self) -> float:
        return 0.0


Bridge(clock=Half())  # E


# case: a clock with a wrong result
class Textual(Fixed):
    def now(self) -> str:  # E?: nor is it what it overrides
        return "noon"


Bridge(clock=Textual())  # E

# case: our clock is a Clock
clock: Clock = MonotonicClock()
assert_type(clock.now(), float)

# case: a timer can be called off


def later(loop: AbstractEventLoop) -> None:
    timer = clock.call_later(loop, 1.0, lambda: None)
    assert_type(timer, Cancellable)
    timer.cancel()


# case: a timer's callback takes nothing
def later_wrong(loop: AbstractEventLoop) -> None:
    clock.call_later(loop, 1.0, len)  # E


# case: our runners are LoopRunners
runners: list[LoopRunner] = [PerCallLoopRunner(), PooledLoopRunner(), SharedLoopRunner()]

# case: a loop factory
PerCallLoopRunner(loop_factory=asyncio.new_event_loop)
SharedLoopRunner(loop_factory=asyncio.SelectorEventLoop)

# case: uvloop's factory
import uvloop  # noqa: E402

PooledLoopRunner(loop_factory=uvloop.new_event_loop)

# case: a loop factory returns a loop
PerCallLoopRunner(loop_factory=asyncio.sleep)  # E

# case: a loop instead of a factory
PerCallLoopRunner(loop_factory=asyncio.new_event_loop())  # E


# case: a runner of one's own
class Recording:
    def post(self, entry: LoopEntry, /) -> None:
        print(entry.name)

    def scope(self) -> "Recording":
        return self

    def close(self, grace: float = 2.0, /) -> None:
        print(grace)


Bridge(loop_runner=Recording())


# case: a runner that lacks scope
class NoScope:
    def post(self, entry: LoopEntry, /) -> None: ...
    def close(self, grace: float = 2.0, /) -> None: ...


Bridge(loop_runner=NoScope())  # E

# case: our pool is a SensitivePool
pool: SensitivePool = ThreadSensitivePool()
assert_type(pool.lease_timeout, float | None)

# case: a lease
lease = pool.lease()
assert_type(lease.waiting, bool)
assert_type(lease.thread_id, int | None)
lease.release()

# case: our current-thread executor is a HostExecutor
host: HostExecutor = CurrentThreadExecutor()

# case: an inline executor cannot host
not_host: HostExecutor = InlineExecutor()  # E

# case: the fast lane of our executors
lanes: list[SupportsPost] = [CurrentThreadExecutor(), InlineExecutor(), WorkerThreadPool()]

# case: a standard executor has no fast lane
lane: SupportsPost = ThreadPoolExecutor()  # E


# case: work of one's own
class Print:
    name = "print"

    def run(self) -> None: ...
    def deliver(self) -> None: ...
    def fail(self, error: BaseException, /) -> None: ...


work: Work = Print()
InlineExecutor().post(Print())

# case: a function is not work
InlineExecutor().post(print)  # E
