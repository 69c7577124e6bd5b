"""What every executor here keeps of `concurrent.futures.Executor`, and of the fast lane."""

import gc
import threading
import weakref
from collections.abc import Callable, Generator
from concurrent.futures import Executor, Future, wait
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

import pytest

from asgikit.errors import ClosedError
from asgikit.executor import CurrentThreadExecutor, InlineExecutor, ThreadSensitivePool, WorkerThreadPool
from asgikit.executor._work import FutureWork
from asgikit.protocols import ExecutorLike, HostExecutor, SensitivePool, SupportsPost, WorkerHome
from tests.support.held import SECONDS, Held


@contextmanager
def hosted() -> Generator[CurrentThreadExecutor]:
    """Give the executor of a thread that hosts meanwhile."""
    made: Future[CurrentThreadExecutor] = Future()
    over: Future[None] = Future()

    def host() -> None:
        executor = CurrentThreadExecutor()
        made.set_result(executor)
        executor.run_until_future(over)

    thread = threading.Thread(target=host, name="host")
    thread.start()
    try:
        yield made.result(SECONDS)
    finally:
        over.set_result(None)
        thread.join(SECONDS)


Make = Callable[[], AbstractContextManager[Executor]]
KINDS: dict[str, Make] = {
    "worker": lambda: WorkerThreadPool(1),
    "sensitive": ThreadSensitivePool,
    "inline": InlineExecutor,
    "current": hosted,
}

every = pytest.mark.parametrize("kind", KINDS)
threaded = pytest.mark.parametrize("kind", ["worker", "sensitive", "current"])
pooled = pytest.mark.parametrize("make", [KINDS["worker"], ThreadSensitivePool], ids=["worker", "sensitive"])


@every
def test_it_is_an_executor_by_class_and_by_protocol(kind: str) -> None:
    with KINDS[kind]() as executor:
        like: ExecutorLike = executor
        assert isinstance(like, Executor)
        assert kind == "sensitive" or isinstance(executor, SupportsPost)


def test_the_protocols_are_met_as_the_checkers_see_it() -> None:
    """J7: judged by mypy and pyright; at run time there is little to see."""
    host: HostExecutor = CurrentThreadExecutor()
    pool: SensitivePool = ThreadSensitivePool()
    homes: list[WorkerHome] = [CurrentThreadExecutor(), InlineExecutor(), WorkerThreadPool(), pool.lease()]
    assert all(isinstance(home, WorkerHome) for home in homes)
    assert isinstance(host, CurrentThreadExecutor)


@every
def test_arguments_results_and_errors_pass_through_under_any_name(kind: str) -> None:
    error = LookupError("no")

    def call(*args: int, **kwargs: int) -> tuple[tuple[int, ...], dict[str, int]]:
        return args, kwargs

    def fail() -> None:
        raise error

    with KINDS[kind]() as executor:
        names = {"self": 1, "fn": 2, "args": 3, "timeout": 4}
        assert executor.submit(call, 5, **names).result(SECONDS) == ((5,), names)
        assert executor.submit(fail).exception(SECONDS) is error
        assert list(executor.map(divmod, (7, 9), (2, 3), timeout=SECONDS)) == [(3, 1), (3, 0)]


@every
@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_what_a_call_raises_belongs_to_its_future_and_not_to_the_thread(kind: str, error: BaseException) -> None:
    def fail() -> None:
        raise error

    with KINDS[kind]() as executor:
        assert executor.submit(fail).exception(SECONDS) is error
        assert executor.submit(int).result(SECONDS) == 0


@threaded
def test_the_future_tells_the_state_of_its_call(kind: str) -> None:
    with KINDS[kind]() as executor, Held() as held:
        running = executor.submit(held)
        held.wait()
        assert running.running()
        assert not running.cancel()
        held.let_go()
        assert wait([running], SECONDS).done == {running}


@pooled
def test_a_cancelled_call_that_had_not_begun_never_runs(make: Make) -> None:
    ran: list[int] = []
    with make() as executor, Held() as held:
        executor.submit(held)
        held.wait()
        waiting = executor.submit(ran.append, 1)
        assert waiting.cancel()
        held.let_go()
    assert ran == []


@every
def test_after_shutdown_nothing_is_taken(kind: str) -> None:
    """R: as `concurrent.futures` has it, on every lane."""
    with KINDS[kind]() as executor:
        assert executor.submit(int).result(SECONDS) == 0
    with pytest.raises(ClosedError):
        executor.submit(int)
    with pytest.raises(RuntimeError):  # what code written for concurrent.futures catches
        executor.submit(int)
    if isinstance(executor, SupportsPost):
        with pytest.raises(ClosedError):
            executor.post(FutureWork(int))


@pooled
def test_shutdown_runs_what_is_queued_first(make: Make) -> None:
    ran: list[int] = []
    with make() as executor, Held() as held:
        executor.submit(held)
        held.wait()
        futures = [executor.submit(ran.append, number) for number in range(3)]
        executor.shutdown(wait=False)
        held.let_go()
    assert ran == [0, 1, 2]
    assert all(future.done() for future in futures)


@pooled
def test_shutdown_can_drop_what_is_queued(make: Make) -> None:
    ran: list[int] = []
    with make() as executor, Held() as held:
        executor.submit(held)
        held.wait()
        dropped = executor.submit(ran.append, 1)
        executor.shutdown(wait=False, cancel_futures=True)
        assert dropped.cancelled()
    assert ran == []


@threaded
def test_a_worker_starts_with_an_empty_context(kind: str) -> None:
    """G6: whatever the thread that made it start has set."""
    variable = ContextVar("variable", default="empty")
    variable.set("mine")
    with KINDS[kind]() as executor:
        assert executor.submit(variable.get).result(SECONDS) == "empty"


class Precious:
    """Something that must not be kept."""


@every
@pytest.mark.parametrize("ending", ["result", "error"])
def test_nothing_of_a_call_is_kept_afterwards(kind: str, ending: str) -> None:
    """G6, I2, I4: not the function, an argument, the result, or the exception."""

    def call(precious: Precious) -> Precious:
        if ending == "error":
            raise LookupError(precious)
        return precious

    gc.disable()  # counting references has to do
    try:
        with KINDS[kind]() as executor:
            precious = Precious()
            kept = weakref.ref(precious)
            future = executor.submit(call, precious)
            wait([future], SECONDS)
            del future, precious
            executor.submit(int).result(SECONDS)  # the thread has gone on to another call
            assert kept() is None
    finally:
        gc.enable()


def test_inline_runs_at_once_on_the_thread_that_submits() -> None:
    executor = InlineExecutor()
    future = executor.submit(threading.get_ident)
    assert future.done()
    assert future.result() == threading.get_ident()
    assert executor.thread_id is None


@pytest.mark.parametrize("kind", ["worker", "sensitive", "current"])
@pytest.mark.parametrize("fails", [False, True])
def test_a_callback_that_raises_out_of_its_future_takes_no_thread(
    kind: str, fails: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """R: `sys.exit` in a done-callback is logged, as a failure of any other kind is by `concurrent.futures`."""

    def leave(_: "Future[str]") -> None:
        raise SystemExit

    def call() -> str:
        name = held()
        if fails:
            raise LookupError
        return name

    with KINDS[kind]() as executor, Held() as held:
        future = executor.submit(call)
        held.wait()
        future.add_done_callback(leave)
        following = executor.submit(int)
        held.let_go()
        assert following.result(SECONDS) == 0
    assert [record.getMessage() for record in caplog.records] == ["a callback of a future raised out of it"]
