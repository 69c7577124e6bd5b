"""K3: context managers of the other side: entered and left on one thread, in one context, whatever happens."""

import asyncio
import logging
import threading
import traceback
from collections.abc import AsyncGenerator, Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager, suppress
from contextvars import ContextVar, copy_context
from types import TracebackType
from typing import Any, Self

import pytest

from asgikit import Bridge
from asgikit.bridge import BridgeView
from asgikit.errors import LoopUnavailableError, RunningLoopError, ScopeError, WrapError
from asgikit.executor import ThreadSensitivePool, WorkerThreadPool
from asgikit.loop import CallingThreadLoopRunner
from tests.support.gate import Gate, HoldsUp, cancelled_at, until

variable: ContextVar[str] = ContextVar("variable")


class Region:
    """A synchronous context manager that notes where it was entered and left, and how."""

    def __init__(self, *, gate: Gate | None = None, suppresses: bool = False) -> None:
        """Hold whoever enters in front of `gate`."""
        self.threads: list[int] = []
        self.left: list[type[BaseException] | None] = []
        self._gate = gate
        self._suppresses = suppresses

    def __enter__(self) -> Self:
        self.threads.append(threading.get_ident())
        if self._gate is not None:
            self._gate()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        self.threads.append(threading.get_ident())
        self.left.append(kind)
        return self._suppresses


class AsyncRegion:
    """The same for `async with`: it notes the tasks."""

    def __init__(self, *, suppresses: bool = False) -> None:
        """Suppress what the block raises, or not."""
        self.tasks: list[object] = []
        self.left: list[type[BaseException] | None] = []
        self._suppresses = suppresses

    async def __aenter__(self) -> Self:
        await asyncio.sleep(0)
        self.tasks.append(id(asyncio.current_task()))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> bool:
        await asyncio.sleep(0)
        self.tasks.append(id(asyncio.current_task()))
        self.left.append(kind)
        return self._suppresses


def fail(error: BaseException) -> None:
    raise error


@pytest.fixture(params=["sensitive", "free"])
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    return name


def view_of(bridge: Bridge, kind: str) -> BridgeView:
    return bridge if kind == "sensitive" else bridge.options(thread_sensitive=False)


# A synchronous manager in async code


def test_entered_and_left_on_one_thread(kind: str) -> None:
    """K3: and it gives what it gives."""
    region = Region()

    async def main() -> None:
        async with view_of(bridge, kind).context_to_async(region) as given:
            assert given is region
            await asyncio.sleep(0)

    with Bridge() as bridge:
        asyncio.run(main())
    assert len(set(region.threads)) == 1
    assert region.threads[0] != threading.get_ident()
    assert region.left == [None]


def test_the_calls_of_the_block_run_there_too() -> None:
    """K3: enter, body callbacks and exit have one affinity: under a host, in a scope, without either."""

    async def main() -> Region:
        region = Region()
        async with bridge.context_to_async(region):
            region.threads.append(await bridge.run_sync(threading.get_ident))
        assert len(set(region.threads)) == 1
        return region

    async def scoped(executor: ThreadPoolExecutor | None) -> Region:
        async with bridge.thread_sensitive_scope(executor=executor):
            return await main()

    with Bridge() as bridge, ThreadPoolExecutor(1) as executor:
        default = asyncio.run(main()).threads[0]
        assert bridge.run_async(main).threads[0] == threading.get_ident()
        assert asyncio.run(scoped(None)).threads[0] != default
        assert asyncio.run(scoped(executor)).threads[0] == executor.submit(threading.get_ident).result()


def test_a_given_executor() -> None:
    region = Region()

    async def main() -> None:
        async with bridge.options(thread_sensitive=False, executor=executor).context_to_async(region):
            pass

    with Bridge() as bridge, ThreadPoolExecutor(1) as executor:
        asyncio.run(main())
        assert set(region.threads) == {executor.submit(threading.get_ident).result()}


def test_a_lock_of_threads_may_be_held() -> None:
    """K3: what insists on its thread is content."""

    async def main() -> None:
        lock = threading.RLock()
        for _ in range(3):
            async with bridge.options(thread_sensitive=False).context_to_async(lock):
                await asyncio.sleep(0)

    with ThreadSensitivePool(1) as pool, Bridge(sensitive_pool=pool) as bridge:
        asyncio.run(main())
        assert pool.counters.started == 1


def test_context_variables_cross_in_both_directions(kind: str) -> None:
    """K3: one context: what entering sets, the block sees; what the block sets, leaving sees; tokens are valid."""
    seen: list[str] = []

    @contextmanager
    def region() -> Generator[None, None, None]:
        token = variable.set("entered")
        try:
            yield
        finally:
            seen.append(variable.get())
            variable.reset(token)

    async def main() -> None:
        assert variable.get(None) is None
        async with view_of(bridge, kind).context_to_async(region()):
            assert variable.get() == "entered"
            assert await bridge.run_sync(variable.get) == "entered"
            variable.set("block")
        assert variable.get(None) is None
        variable.set("mine")
        async with view_of(bridge, kind).context_to_async(region()):
            assert variable.get() == "entered"
        assert variable.get() == "mine"

    with Bridge() as bridge:
        asyncio.run(main())
    assert seen == ["block", "entered"]


def test_isolated_context_variables_stay() -> None:
    """K3: with the policy `isolate` nothing is written back."""

    @contextmanager
    def region() -> Generator[None, None, None]:
        token = variable.set("entered")
        yield
        variable.reset(token)

    async def main() -> None:
        variable.set("mine")
        async with bridge.options(context_policy="isolate").context_to_async(region()):
            assert variable.get() == "mine"

    with Bridge() as bridge:
        asyncio.run(main())


def test_what_leaving_changes_is_seen_though_it_raises(kind: str) -> None:
    """K3: as in a with statement, where an error of leaving does not undo that a token was reset."""

    async def main() -> None:
        variable.set("mine")
        with pytest.raises(LookupError):
            async with view_of(bridge, kind).context_to_async(translating()):
                raise KeyError
        assert variable.get() == "mine"
        with pytest.raises(ZeroDivisionError):
            await enter(view_of(bridge, kind).context_to_async(SetsAndFails()))
        assert variable.get() == "set"

    with Bridge() as bridge:
        asyncio.run(main())


class SetsAndFails:
    def __enter__(self) -> None:
        variable.set("set")
        raise ZeroDivisionError

    def __exit__(self, *raised: object) -> None:
        raise AssertionError


@contextmanager
def translating() -> Generator[None, None, None]:
    """Raise another error than the block."""
    token = variable.set("entered")
    try:
        yield
    except KeyError as error:
        raise LookupError from error
    finally:
        variable.reset(token)


def test_an_error_of_the_block_is_told_and_goes_on(kind: str) -> None:
    """K3: as the object it is."""
    region, error = Region(), KeyError("mine")

    async def main() -> None:
        async with view_of(bridge, kind).context_to_async(region):
            raise error

    with Bridge() as bridge, pytest.raises(KeyError) as caught:
        asyncio.run(main())
    assert caught.value is error
    assert region.left == [KeyError]


def test_an_error_of_the_block_may_be_suppressed(kind: str) -> None:
    """K3: by the manager, as in a with statement."""

    async def main() -> str:
        async with view_of(bridge, kind).context_to_async(suppress(KeyError)):
            fail(KeyError())
        async with view_of(bridge, kind).context_to_async(Region(suppresses=True)):
            fail(KeyError())
        return "went on"

    with Bridge() as bridge:
        assert asyncio.run(main()) == "went on"


def test_errors_of_entering_and_leaving(kind: str) -> None:
    """K3: raised as they are; and the worker comes back."""
    entering, leaving = LookupError("entering"), LookupError("leaving")

    @contextmanager
    def bad_entry() -> Generator[None, None, None]:
        fail(entering)
        yield

    @contextmanager
    def bad_exit() -> Generator[None, None, None]:
        yield
        raise leaving

    async def main() -> None:
        with pytest.raises(LookupError) as caught:
            async with view_of(bridge, kind).context_to_async(bad_entry()):
                raise AssertionError
        assert caught.value is entering
        with pytest.raises(LookupError) as caught:
            async with view_of(bridge, kind).context_to_async(bad_exit()):
                pass
        assert caught.value is leaving
        async with view_of(bridge, kind).context_to_async(Region()):
            pass

    with ThreadSensitivePool(1) as pool, Bridge(sensitive_pool=pool) as bridge:
        asyncio.run(main())
        assert pool.counters.started == 1


@pytest.mark.parametrize("moment", ["leaving fails", "cancelled entering", "cancelled leaving"])
def test_an_error_leads_to_no_part_of_the_bridge(moment: str, kind: str) -> None:
    """K3: nor to a thread or a pool (I1): its frames hold nothing of asgikit's."""

    @contextmanager
    def region() -> Generator[None, None, None]:
        if moment == "cancelled entering":
            gate()
        yield
        if moment == "cancelled leaving":
            gate()
        raise LookupError

    async def main() -> BaseException:
        task = asyncio.create_task(enter(view_of(bridge, kind).context_to_async(region())))
        if moment != "leaving fails":
            await until(gate.begun.is_set)
            task.cancel()
        with pytest.raises((LookupError, asyncio.CancelledError)) as caught:
            await task
        gate.open()
        return caught.value

    with Gate() as gate, Bridge() as bridge:
        found: BaseException | None = asyncio.run(main())
    assert found is not None
    frames = [frame for frame, _ in traceback.walk_tb(found.__traceback__)]
    assert any(frame.f_globals["__name__"].startswith("asgikit.") for frame in frames)
    for frame in frames:
        if not frame.f_globals["__name__"].startswith("tests."):
            kept = {type(value).__module__.partition(".")[0] for value in frame.f_locals.values()}
            assert "asgikit" not in kept, frame


def test_cancelled_in_the_block(kind: str) -> None:
    """K3: leaving still gets its thread, and is told."""
    region = Region()

    async def main() -> None:
        async def hold() -> None:
            async with view_of(bridge, kind).context_to_async(region):
                inside.set()
                await asyncio.Event().wait()

        inside = asyncio.Event()
        task = asyncio.create_task(hold())
        await inside.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with Bridge() as bridge:
        asyncio.run(main())
    assert region.left == [asyncio.CancelledError]
    assert len(set(region.threads)) == 1


def test_cancelled_while_entering(kind: str) -> None:
    """K3: the await ends at once; what was entered all the same is left again, by its own thread."""

    async def main() -> None:
        async def hold() -> None:
            async with view_of(bridge, kind).context_to_async(region):
                raise AssertionError

        task = asyncio.create_task(hold())
        await until(gate.begun.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.open()
        await until(lambda: region.left)

    with Gate() as gate, Bridge() as bridge:
        region = Region(gate=gate)
        asyncio.run(main())
    assert region.left == [None]
    assert len(set(region.threads)) == 1


def test_cancelled_as_its_thread_comes_to_entering(kind: str) -> None:
    """K3: what its thread has taken up, and not begun yet, is left again by that thread as well."""

    async def main() -> None:
        task = asyncio.create_task(enter(view_of(bridge, kind).context_to_async(region)))
        await until(gate.begun.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.open()
        await until(gate.ended.is_set)
        await until(lambda: region.left)

    region = Region()
    with Gate() as gate, Bridge(observer=HoldsUp(gate, 1)) as bridge:
        asyncio.run(main())
    assert region.left == [None]
    assert len(set(region.threads)) == 1


def test_cancelled_while_entering_fails_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    """K3: nothing was entered, so nothing is left; the late error is told (B3)."""

    @contextmanager
    def region() -> Generator[None, None, None]:
        gate()
        yield

    async def main() -> None:
        task = asyncio.create_task(enter(bridge.context_to_async(region())))
        await until(gate.begun.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.open()
        await bridge.run_sync(str)

    with Gate(error=LookupError("late")) as gate, Bridge() as bridge, caplog.at_level(logging.ERROR, "asgikit"):
        asyncio.run(main())
    assert "region failed after its caller had stopped waiting" in caplog.text


async def enter(manager: Any) -> None:
    async with manager:
        pass


def test_cancelled_while_leaving_waits_for_its_thread() -> None:
    """K3: leaving is done, however long its thread is busy, and though nobody waits for it any more."""
    region = Region()

    async def main() -> None:
        async def hold() -> None:
            async with bridge.context_to_async(region):
                inside.set()
                await leave.wait()
            raise AssertionError

        inside, leave = asyncio.Event(), asyncio.Event()
        task = asyncio.create_task(hold())
        await inside.wait()
        busy = asyncio.create_task(bridge.run_sync(gate))
        await until(gate.begun.is_set)
        leave.set()
        for _ in range(5):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert region.left == []
        gate.open()
        await busy
        await until(lambda: region.left)

    with Gate() as gate, Bridge() as bridge:
        asyncio.run(main())
    assert region.left == [None]


def test_leaving_gets_a_thread_when_all_workers_are_taken() -> None:
    """K3: the worker that entered waits for the exit, however many others want one."""

    async def main() -> None:
        free = bridge.options(thread_sensitive=False)
        region = Region()
        async with free.context_to_async(region):
            others = [asyncio.create_task(enter(free.context_to_async(Region()))) for _ in range(3)]
            for _ in range(5):
                await asyncio.sleep(0)
            assert not any(task.done() for task in others)
        assert region.left == [None]
        await asyncio.gather(*others)

    with ThreadSensitivePool(1) as pool, Bridge(sensitive_pool=pool) as bridge:
        asyncio.run(main())


def test_entered_twice_or_never() -> None:
    """K3: a manager under way is not entered again (E6); used one after the other it may be."""

    async def main() -> None:
        manager = bridge.context_to_async(Region())
        async with manager:
            with pytest.raises(ScopeError, match="entered already"):
                await manager.__aenter__()
        async with manager:
            pass
        with pytest.raises(ScopeError, match="without having been entered"):
            await manager.__aexit__(None, None, None)

    with Bridge() as bridge:
        asyncio.run(main())
        other = bridge.context_to_sync(AsyncRegion())
        with other, pytest.raises(ScopeError, match="entered already"):
            other.__enter__()
        with other:
            pass
        with pytest.raises(ScopeError, match="without having been entered"):
            other.__exit__(None, None, None)


# An async manager in synchronous code


def test_entered_and_left_in_one_task() -> None:
    """K3: which goes on while the block does other things."""
    region = AsyncRegion()
    with Bridge() as bridge:
        with bridge.context_to_sync(region) as given:
            assert given is region
            assert bridge.run_async(asyncio.sleep, 0, "other crossings work") == "other crossings work"
        assert bridge.run_async(asyncio.sleep, 0, "and after it") == "and after it"
    assert len(set(region.tasks)) == 1
    assert region.left == [None]


def test_its_sensitive_calls_come_back_to_the_thread() -> None:
    """K3: the thread of the block hosts while it enters and leaves."""
    threads: list[int] = []

    @asynccontextmanager
    async def region() -> AsyncGenerator[None, None]:
        threads.append(await bridge.run_sync(threading.get_ident))
        yield
        threads.append(await bridge.run_sync(threading.get_ident))

    with Bridge() as bridge, bridge.context_to_sync(region()):
        threads.append(threading.get_ident())
    assert len(threads) == 3
    assert len(set(threads)) == 1


def test_below_async_code_it_is_on_the_callers_loop() -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    @asynccontextmanager
    async def region() -> AsyncGenerator[None, None]:
        loops.append(asyncio.get_running_loop())
        yield
        loops.append(asyncio.get_running_loop())

    def block() -> None:
        with bridge.context_to_sync(region()):
            pass

    async def main() -> None:
        await bridge.run_sync(block)
        assert loops == [asyncio.get_running_loop()] * 2

    with Bridge() as bridge:
        asyncio.run(main())


def test_in_the_block_a_worker_holds_its_place() -> None:
    """E3, K3: only while it hosts, in entering and leaving, does another take the place of a free worker."""

    def hold() -> None:
        with bridge.context_to_sync(AsyncRegion()):
            gate()

    async def main() -> None:
        free = bridge.options(thread_sensitive=False)
        first = asyncio.create_task(free.run_sync(hold))
        await until(gate.begun.is_set)
        second = asyncio.create_task(free.run_sync(threading.get_ident))
        await asyncio.sleep(0)
        assert (pool.counters.busy, pool.counters.queued) == (1, 1)
        gate.open()
        await asyncio.gather(first, second)

    with WorkerThreadPool(1) as pool, Gate() as gate, Bridge(worker_pool=pool) as bridge:
        asyncio.run(main())


def test_context_variables_cross_in_both_directions_here_too() -> None:
    """K3: as they would with `async with`."""
    seen: list[str] = []

    @asynccontextmanager
    async def region() -> AsyncGenerator[None, None]:
        token = variable.set("entered")
        try:
            yield
        finally:
            seen.append(variable.get())
            variable.reset(token)

    def block() -> None:
        assert variable.get(None) is None
        with bridge.context_to_sync(region()):
            assert variable.get() == "entered"
            variable.set("block")
        assert variable.get(None) is None
        variable.set("mine")
        with bridge.context_to_sync(region()):
            assert variable.get() == "entered"
        assert variable.get() == "mine"

    with Bridge() as bridge:
        copy_context().run(block)
    assert seen == ["block", "entered"]


def test_what_leaving_changes_is_seen_though_it_raises_here_too() -> None:
    """K3: an error of leaving does not undo that a token was reset."""

    @asynccontextmanager
    async def region() -> AsyncGenerator[None, None]:
        with translating():
            yield

    def block() -> None:
        variable.set("mine")
        with pytest.raises(LookupError), bridge.context_to_sync(region()):
            raise KeyError
        assert variable.get() == "mine"

    with Bridge() as bridge:
        copy_context().run(block)


def test_an_error_of_the_block_goes_on_or_is_suppressed() -> None:
    """K3: as the object it is, unless the manager suppresses it."""
    error = KeyError("mine")
    region = AsyncRegion()
    with Bridge() as bridge:
        with pytest.raises(KeyError) as caught, bridge.context_to_sync(region):
            raise error
        assert caught.value is error
        assert region.left == [KeyError]
        with bridge.context_to_sync(AsyncRegion(suppresses=True)):
            fail(error)


def test_errors_of_entering_and_leaving_here_too() -> None:
    entering, leaving = LookupError("entering"), LookupError("leaving")

    @asynccontextmanager
    async def bad_entry() -> AsyncGenerator[None, None]:
        fail(entering)
        yield

    @asynccontextmanager
    async def bad_exit() -> AsyncGenerator[None, None]:
        yield
        raise leaving

    @asynccontextmanager
    async def other_exit() -> AsyncGenerator[None, None]:
        try:
            yield
        except KeyError:
            raise leaving from None

    with Bridge() as bridge:
        with pytest.raises(LookupError) as caught, bridge.context_to_sync(bad_entry()):
            raise AssertionError
        assert caught.value is entering
        with pytest.raises(LookupError) as caught, bridge.context_to_sync(bad_exit()):
            pass
        assert caught.value is leaving
        with pytest.raises(LookupError) as caught, bridge.context_to_sync(other_exit()):
            raise KeyError
        assert caught.value is leaving


def test_cancelled_in_the_block_of_an_async_manager() -> None:
    """K3: the caller of the block was cancelled while the block waited: the manager is left."""
    region = AsyncRegion()

    def block() -> None:
        with bridge.context_to_sync(region):
            bridge.run_async(forever)

    async def forever() -> None:
        waiting.set()
        await asyncio.Event().wait()

    async def main() -> None:
        task = asyncio.create_task(bridge.run_sync(block))
        await until(waiting.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: region.left)

    waiting = threading.Event()
    with Bridge() as bridge:
        asyncio.run(main())
    assert region.left == [asyncio.CancelledError]


def test_left_by_a_function_that_was_abandoned() -> None:
    """B2, K3: that is no crossing to be refused: the manager is left, and the block's own outcome goes on."""
    region, outcome = AsyncRegion(), list[str]()

    def function() -> None:
        with bridge.context_to_sync(region):
            gate()
        outcome.append("left" if region.left else "not left")
        with pytest.raises(asyncio.CancelledError):
            bridge.run_async(asyncio.sleep, 0)
        outcome.append("refused")

    async def main() -> None:
        await cancelled_at(gate, bridge.run_sync(function))
        await until(lambda: not bridge._parts.resources.sensitive_pool.default().running)

    with Bridge() as bridge, Gate() as gate:
        asyncio.run(main())
    assert outcome == ["left", "refused"]


def test_a_loop_on_the_calling_thread_is_refused() -> None:
    """K3: with the remedy in the message, instead of a hang."""
    with Bridge(loop_runner=CallingThreadLoopRunner()) as bridge:
        with pytest.raises(LoopUnavailableError, match="loop_scope"), bridge.context_to_sync(AsyncRegion()):
            raise AssertionError
        with bridge.loop_scope(), bridge.context_to_sync(AsyncRegion()) as given:
            assert isinstance(given, AsyncRegion)


def generator() -> Generator[None]:
    yield


async def async_generator() -> AsyncGenerator[None]:
    yield


@pytest.mark.parametrize(
    ("method", "wrong", "words"),
    [
        ("context_to_async", AsyncRegion(), "no __enter__ and __exit__; it is for `async with` as it is"),
        ("context_to_sync", Region(), "no __aenter__ and __aexit__; it is for `with` as it is"),
        ("context_to_async", contextmanager(generator), "generator, .*; call it, and give the context manager"),
        ("context_to_sync", asynccontextmanager(async_generator), "; call it, and give the context manager"),
        ("context_to_async", Region, "Region, .*; call it, and give the context manager"),
        ("context_to_sync", AsyncRegion, "Region, .*; call it, and give the context manager"),
        ("context_to_async", 3, "int, which has no __enter__ and __exit__$"),
    ],
)
def test_what_is_no_manager(method: str, wrong: object, words: str) -> None:
    with Bridge() as bridge, pytest.raises(WrapError, match=words):
        getattr(bridge, method)(wrong)


def test_an_async_manager_on_a_thread_that_runs_a_loop() -> None:
    """F2: refused before it is entered, and the message says how to enter it there."""
    region = AsyncRegion()

    async def main() -> None:
        with pytest.raises(RunningLoopError, match=r"AsyncRegion is async already.*`async with`"):
            bridge.context_to_sync(region).__enter__()

    with Bridge() as bridge:
        asyncio.run(main())
    assert region.tasks == []
