"""executor= takes every object with submit: the standard library's, ours, other people's, one's own."""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any, ParamSpec, Protocol, TypeVar, assert_type

from given import nothing, one, two

from asgikit import Bridge
from asgikit.executor import CurrentThreadExecutor, InlineExecutor, ThreadSensitivePool, WorkerThreadPool
from asgikit.protocols import ExecutorLike

bridge = Bridge()
number: int = 1
text: str = "a"
P = ParamSpec("P")
T = TypeVar("T")


# case: ThreadPoolExecutor
async def thread_pool(pool: ThreadPoolExecutor) -> None:
    assert_type(await bridge.sync_to_async(one, thread_sensitive=False, executor=pool)(number), str)
    await bridge.sync_to_async(one, thread_sensitive=False, executor=pool)(text)  # E


# case: ProcessPoolExecutor
async def process_pool(pool: ProcessPoolExecutor) -> None:
    assert_type(await bridge.sync_to_async(one, thread_sensitive=False, executor=pool)(number), str)
    await bridge.sync_to_async(one, thread_sensitive=False, executor=pool)(text)  # E


# case: any Executor
async def any_executor(pool: Executor) -> None:
    assert_type(await bridge.sync_to_async(two, thread_sensitive=False, executor=pool)(number, text), bytes)


# case: our worker threads
async def worker_threads() -> None:
    pool = WorkerThreadPool(4, name="reports")
    assert_type(await bridge.sync_to_async(one, thread_sensitive=False, executor=pool)(number), str)


# case: our inline executor
async def inline() -> None:
    assert_type(await bridge.sync_to_async(one, thread_sensitive=False, executor=InlineExecutor())(number), str)


# case: our thread-sensitive pool as a plain executor
async def sensitive_pool() -> None:
    pool = ThreadSensitivePool(2)
    assert_type(await bridge.sync_to_async(one, thread_sensitive=False, executor=pool)(number), str)


# case: the current thread's executor
async def current_thread() -> None:
    pool = CurrentThreadExecutor()
    assert_type(await bridge.sync_to_async(one, thread_sensitive=False, executor=pool)(number), str)


# case: None is the default
async def none() -> None:
    assert_type(await bridge.sync_to_async(one, thread_sensitive=False, executor=None)(number), str)


# case: an executor or None, forwarded
async def forwarded(pool: ThreadPoolExecutor | None, sensitive: bool) -> None:
    aview = bridge.sync_to_async(one, thread_sensitive=sensitive, executor=pool)
    assert_type(await aview(number), str)


# case: an ExecutorLike, forwarded
async def forwarded_like(pool: ExecutorLike) -> None:
    assert_type(await bridge.sync_to_async(one, thread_sensitive=False, executor=pool)(number), str)


# case: one's own executor in the style of the standard library
class Counting(Executor):
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        future: Future[T] = Future()
        future.set_result(fn(*args, **kwargs))
        return future


async def own_executor() -> None:
    assert_type(await bridge.sync_to_async(one, thread_sensitive=False, executor=Counting())(number), str)


# case: one's own executor with nothing but submit
class OnlySubmit:
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]":
        raise NotImplementedError


async def only_submit() -> None:
    assert_type(await bridge.sync_to_async(one, thread_sensitive=False, executor=OnlySubmit())(number), str)


# case: one's own executor that takes calls without arguments
class WithoutArguments:
    def submit(self, fn: Callable[[], T], /) -> "Future[T]":
        raise NotImplementedError


async def without_arguments() -> None:
    assert_type(await bridge.sync_to_async(one, thread_sensitive=False, executor=WithoutArguments())(number), str)


# case: one's own executor with untyped arguments
class LooseArguments:
    def submit(self, fn: Callable[..., T], /, *args: Any, **kwargs: Any) -> "Future[T]":
        raise NotImplementedError


async def loose_arguments() -> None:
    assert_type(await bridge.sync_to_async(one, thread_sensitive=False, executor=LooseArguments())(number), str)


# case: one's own executor with a parameter of its own
class WithPriority:
    def submit(self, fn: Callable[[], T], /, priority: int = 0) -> "Future[T]":
        raise NotImplementedError


async def with_priority() -> None:
    assert_type(await bridge.sync_to_async(one, thread_sensitive=False, executor=WithPriority())(number), str)


# case: one's own executor whose futures are a subclass
class LoudFuture(Future[T]):
    def shout(self) -> None: ...


class OwnFutures:
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> LoudFuture[T]:
        raise NotImplementedError


async def own_futures() -> None:
    assert_type(await bridge.sync_to_async(one, thread_sensitive=False, executor=OwnFutures())(number), str)


# case: submit that returns no future
class ReturnsNothing:
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> None: ...


bridge.sync_to_async(one, thread_sensitive=False, executor=ReturnsNothing())  # E


# case: submit that returns the result
class ReturnsResult:
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        raise NotImplementedError


bridge.sync_to_async(one, thread_sensitive=False, executor=ReturnsResult())  # E


# case: submit that is a coroutine function
class AsyncSubmit:
    async def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        raise NotImplementedError


bridge.sync_to_async(one, thread_sensitive=False, executor=AsyncSubmit())  # E


# case: submit that needs a second argument
class NeedsName:
    def submit(self, fn: Callable[[], T], /, name: str) -> "Future[T]":
        raise NotImplementedError


bridge.sync_to_async(one, thread_sensitive=False, executor=NeedsName())  # E


# case: an object with execute instead of submit
class Executes:
    def execute(self, fn: Callable[[], T], /) -> "Future[T]":
        raise NotImplementedError


bridge.sync_to_async(one, thread_sensitive=False, executor=Executes())  # E


# case: submit for one kind of function only
class OnlyStrings:
    def submit(self, fn: Callable[[], str], /) -> "Future[str]":
        raise NotImplementedError


bridge.sync_to_async(one, thread_sensitive=False, executor=OnlyStrings())  # E


# case: a protocol of one's own with submit
class Pool(Protocol):
    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> "Future[T]": ...


async def own_protocol(pool: Pool) -> None:
    assert_type(await bridge.sync_to_async(one, thread_sensitive=False, executor=pool)(number), str)


# case: an executor variable checked against the alias
def checked() -> None:
    fine: ExecutorLike = OnlySubmit()
    wrong: ExecutorLike = ReturnsNothing()  # E
    print(fine, wrong)


# case: our executors used by themselves
def by_themselves() -> None:
    pool = WorkerThreadPool()
    assert_type(pool.submit(one, number), "Future[str]")
    pool.submit(one, text)  # E
    pool.shutdown()


# case: the inline executor by itself
def inline_by_itself() -> None:
    assert_type(InlineExecutor().submit(two, number, b=text).result(), bytes)


# case: the current thread's executor by itself
def current_by_itself() -> None:
    executor = CurrentThreadExecutor()
    future = executor.submit(nothing)
    executor.run_until_future(future)
    assert_type(future.result(), None)


# case: run_until_future takes a future
def not_a_future() -> None:
    CurrentThreadExecutor().run_until_future(one)  # E


# case: our executors are Executors
def are_executors() -> None:
    pools: list[Executor] = [WorkerThreadPool(), ThreadSensitivePool(), InlineExecutor(), CurrentThreadExecutor()]
    print(pools)


# case: a pool as a context manager
def managed() -> None:
    with WorkerThreadPool(2) as pool:
        assert_type(pool, WorkerThreadPool)  # E?: only from 3.14's typeshed on does Executor return Self to all


# case: a thread-sensitive pool with hooks
def with_hooks() -> None:
    ThreadSensitivePool(4, on_worker_start=nothing, on_lease_end=nothing, lease_timeout=1.0)


# case: hooks take no arguments
def with_wrong_hook() -> None:
    ThreadSensitivePool(4, on_worker_start=one)  # E


# case: what to do with an abandoned worker is one of two words
def with_wrong_policy() -> None:
    ThreadSensitivePool(on_abandon="ignore")  # E


# case: a pool has at least one worker, in numbers
def with_wrong_bound() -> None:
    WorkerThreadPool("many")  # E
