"""K2: an async iterable in synchronous code: one task, one context, one loop, and always closed."""

import asyncio
import gc
import logging
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Generator
from contextlib import closing
from contextvars import ContextVar, copy_context
from functools import partial
from typing import Any

import pytest

from asgikit import Bridge
from asgikit.bridge import BridgeView, _chain
from asgikit.bridge._to_loops import ToLoops
from asgikit.errors import LoopUnavailableError, RunningLoopError, ScopeError, WrapError
from asgikit.loop import (
    BlockingLoopRunner,
    CallingThreadLoopRunner,
    PerCallLoopRunner,
    PooledLoopRunner,
    SharedLoopRunner,
)
from asgikit.protocols import LoopEntry, LoopRunner
from asgikit.testing import ManualClock
from tests.support.gate import SECONDS, Gate, cancelled_at, until, wait_for

variable: ContextVar[str] = ContextVar("variable", default="unset")


class Source:
    """An infinite async iterator that notes its tasks and whether it was closed."""

    def __init__(self) -> None:
        """Count."""
        self.made = 0
        self.tasks: set[int] = set()
        self.closed = threading.Event()

    def __aiter__(self) -> AsyncIterator[int]:
        return self

    async def __anext__(self) -> int:
        self.tasks.add(id(asyncio.current_task()))
        await asyncio.sleep(0)
        self.made += 1
        return self.made

    def beyond(self, count: int) -> bool:
        return self.made > count

    async def aclose(self) -> None:
        await asyncio.sleep(0)
        self.tasks.add(id(asyncio.current_task()))
        self.closed.set()

    def check_closed(self) -> None:
        """All steps, and the close, were one task."""
        assert self.closed.is_set()
        assert len(self.tasks) == 1


@pytest.fixture(params=[64, 1, 0], ids=["ahead", "ahead by one", "lockstep"])
def max_buffer(request: pytest.FixtureRequest) -> int:
    size: int = request.param
    return size


async def numbers(upto: int) -> AsyncGenerator[int, None]:
    for number in range(upto):
        if number % 3 == 0:
            await asyncio.sleep(0)
        yield number


def test_items_arrive_in_order(max_buffer: int) -> None:
    """K2: all of them, however many."""
    with Bridge() as bridge:
        assert list(bridge.iterate_sync(numbers, max_buffer=max_buffer)(500)) == list(range(500))
        assert list(bridge.iterate_sync(numbers(5), max_buffer=max_buffer)) == list(range(5))
        assert list(bridge.iterate_sync(numbers, max_buffer=max_buffer)(0)) == []


@pytest.mark.parametrize("size", [2, 3, 64])
def test_producer_and_consumer_at_any_pace(size: int) -> None:
    """K2: whoever is faster, nobody waits for a word that has been said."""
    with closing(SharedLoopRunner()) as loops, Bridge(loop_runner=loops) as bridge:
        for upto in (0, 1, size - 1, size, size + 1, 5000):
            assert sum(bridge.iterate_sync(numbers, max_buffer=size)(upto)) == upto * (upto - 1) // 2
    gc.collect()


def test_one_task_and_one_context(max_buffer: int) -> None:
    """K2: the generator's body, from its first line to its `finally`, though the consumer's context changes."""
    seen: list[tuple[int, str]] = []

    async def body() -> AsyncGenerator[int, None]:
        token = variable.set("inside")
        try:
            for number in range(100):
                seen.append((id(asyncio.current_task()), variable.get()))
                yield number
        finally:
            variable.reset(token)
            seen.append((id(asyncio.current_task()), variable.get()))

    variable.set("outside")
    with Bridge() as bridge:
        for number in bridge.iterate_sync(body, max_buffer=max_buffer)():
            variable.set(str(number))
    assert len({task for task, _ in seen}) == 1
    assert {value for _, value in seen[:-1]} == {"inside"}
    assert seen[-1][1] == "outside"
    assert variable.get() == "99"


@pytest.mark.parametrize("left", ["early", "at the end"])
def test_it_keeps_its_variables_to_itself(max_buffer: int, left: str) -> None:
    """G2, K2: what the body sets does not overwrite what its consumer has set meanwhile."""

    async def body() -> AsyncGenerator[int, None]:
        variable.set("inside")
        yield 1
        yield 2

    def consumer() -> str:
        variable.set("outside")
        for number in bridge.iterate_sync(body, max_buffer=max_buffer)():
            variable.set("consumer")
            if left == "early" and number == 1:
                break
        return variable.get()

    with Bridge() as bridge:
        assert copy_context().run(consumer) == "consumer"


def test_in_sync_code_below_async_code_it_is_the_callers_loop(max_buffer: int) -> None:
    """K2: the loop is chosen as for async_to_sync; the loop goes on meanwhile."""
    loops: list[asyncio.AbstractEventLoop] = []

    async def body() -> AsyncGenerator[int, None]:
        for number in range(10):
            loops.append(asyncio.get_running_loop())
            await asyncio.sleep(0)
            yield number

    async def main() -> None:
        total = await bridge.run_sync(lambda: sum(bridge.iterate_sync(body, max_buffer=max_buffer)()))
        assert total == 45
        assert set(loops) == {asyncio.get_running_loop()}

    with Bridge() as bridge:
        asyncio.run(main())


@pytest.mark.parametrize("runner", [PooledLoopRunner, SharedLoopRunner])
def test_on_kept_loops(runner: Callable[[], Any], max_buffer: int) -> None:
    with closing(runner()) as loops, Bridge(loop_runner=loops) as bridge:
        for _ in range(3):
            source = Source()
            for item in bridge.iterate_sync(source, max_buffer=max_buffer):
                if item == 3:
                    break
            gc.collect()
            source.check_closed()


def test_the_iterating_thread_hosts(max_buffer: int) -> None:
    """K2: thread-sensitive calls of the body run on the thread that iterates; also those of its clean-up."""
    threads: list[int] = []

    async def body() -> AsyncGenerator[int, None]:
        try:
            for number in range(10):
                threads.append(await bridge.run_sync(threading.get_ident))
                yield number
        finally:
            threads.append(await bridge.run_sync(threading.get_ident))

    with Bridge() as bridge:
        items = bridge.iterate_sync(body, max_buffer=max_buffer)()
        assert [next(items), next(items)] == [0, 1]
        assert bridge.run_async(nothing) == "nothing"  # other crossings in between are none of its business
        items.close()
    assert set(threads) == {threading.get_ident()}
    assert len(threads) >= 3


async def nothing() -> str:
    return "nothing"


def test_two_bridges(max_buffer: int) -> None:
    """K2: an iteration through one inside an iteration through another."""

    async def outer() -> AsyncGenerator[int, None]:
        async for item in first.iterate_async(inner, max_buffer=max_buffer)():
            yield item

    def inner() -> Generator[int, None, None]:
        yield from second.iterate_sync(numbers, max_buffer=max_buffer)(20)

    with Bridge() as first, Bridge() as second:
        assert list(second.iterate_sync(outer, max_buffer=max_buffer)()) == list(range(20))


@pytest.mark.parametrize("size", [1, 2, 7, 64])
def test_an_infinite_producer_stays_within_the_bound(size: int) -> None:
    """K2: what was made and not taken is never more than `max_buffer`."""
    source = Source()
    ahead: list[int] = []
    with Bridge() as bridge:
        for taken in bridge.iterate_sync(source, max_buffer=size):
            ahead.append(source.made - taken)
            if taken == size + 1:
                wait_for(partial(source.beyond, taken - 1 + size // 2))
                ahead.append(source.made - taken)
            if taken == 300:
                break
    gc.collect()
    source.check_closed()
    assert max(ahead) <= size
    assert size == 1 or max(ahead) > 0


# The end that always comes


def test_break_and_close(max_buffer: int) -> None:
    """K2: an iterator that is dropped is closed at once, in its task."""
    source = Source()
    with Bridge() as bridge:
        for item in bridge.iterate_sync(source, max_buffer=max_buffer):
            if item == 5:
                break
        gc.collect()
        source.check_closed()


def test_an_exception_in_the_loop(max_buffer: int) -> None:
    """K2: it goes on, and the iterable is closed."""
    source = Source()
    with Bridge() as bridge:
        items = bridge.iterate_sync(source, max_buffer=max_buffer)
        with pytest.raises(KeyError):
            for _ in items:
                raise KeyError
        items.close()
        source.check_closed()


def test_never_begun(max_buffer: int) -> None:
    source = Source()
    with Bridge() as bridge:
        bridge.iterate_sync(source, max_buffer=max_buffer).close()
    assert source.made == 0


def test_cancelled_while_its_caller_waits_for_an_item(max_buffer: int) -> None:
    """K2: cancelling the awaiting task cancels the source, and closes it."""
    told: list[str] = []

    async def body() -> AsyncGenerator[int, None]:
        try:
            yield 1
            told.append("waiting")
            await asyncio.Event().wait()
        finally:
            told.append("closed")

    async def main() -> None:
        task = asyncio.create_task(bridge.run_sync(lambda: list(bridge.iterate_sync(body, max_buffer=max_buffer)())))
        await until(lambda: told)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await until(lambda: "closed" in told)

    with Bridge() as bridge:
        asyncio.run(main())


def _abandoned(bridge: Bridge, gate: Gate, function: Callable[[], object]) -> None:
    """Run `function`, which comes to `gate`, and open that when nobody waits for it any more."""

    async def main() -> None:
        await cancelled_at(gate, bridge.run_sync(function))
        await until(lambda: not bridge._parts.resources.sensitive_pool.default().running)

    asyncio.run(main())


def test_left_by_a_function_that_was_abandoned(max_buffer: int) -> None:
    """B2, K2: that is no crossing to be refused: the source is closed as ever."""
    source = Source()

    def function() -> None:
        for _ in bridge.iterate_sync(source, max_buffer=max_buffer):
            gate()
            break
        source.check_closed()
        left.append(_chain.here.thread.host)
        with pytest.raises(asyncio.CancelledError):
            bridge.run_async(asyncio.sleep, 0)

    left: list[object] = []
    with Bridge() as bridge, Gate() as gate:
        _abandoned(bridge, gate, function)
    assert left == [None]


def test_gone_on_with_by_a_function_that_was_abandoned() -> None:
    """B2, K2: that is refused; the source is closed, and the thread does not count as hosting afterwards."""
    source = Source()

    def function() -> None:
        with pytest.raises(asyncio.CancelledError):
            for _ in bridge.iterate_sync(source, max_buffer=0):
                gate()
        source.check_closed()
        left.append(_chain.here.thread.host)

    left: list[object] = []
    with Bridge() as bridge, Gate() as gate:
        _abandoned(bridge, gate, function)
    assert left == [None]


def test_ctrl_c_before_the_loop_has_come_to_it(monkeypatch: pytest.MonkeyPatch, max_buffer: int) -> None:
    """C1, K2: the coroutine that nobody will listen to does not even begin, and keeps no thread."""

    class Slow:
        """A runner that gets to work when it is told to."""

        def __init__(self) -> None:
            self.entries: list[LoopEntry] = []

        def post(self, entry: LoopEntry, /) -> None:
            self.entries.append(entry)

        def scope(self) -> LoopRunner:
            return self

        def close(self, grace: float = 2.0, /) -> None:
            """There is nothing to close."""

    def press(*_: object) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    source, slow, loops = Source(), Slow(), PerCallLoopRunner()
    with Bridge(loop_runner=slow) as bridge:
        monkeypatch.setattr(ToLoops, "pause", press)
        with pytest.raises(KeyboardInterrupt):
            next(bridge.iterate_sync(source, max_buffer=max_buffer))
    loops.post(slow.entries.pop())
    loops.close(SECONDS)
    assert not loops.started
    assert source.made == 0


def test_collected_by_another_thread(max_buffer: int) -> None:
    """K2: the coroutine is cancelled and closed on its loop; its sensitive calls go elsewhere, none is lost."""
    told: list[str] = []

    async def body() -> AsyncGenerator[int, None]:
        try:
            while True:
                yield 1
        finally:
            told.append(await bridge.run_sync(lambda: threading.current_thread().name))

    def begin() -> None:
        items = bridge.iterate_sync(body, max_buffer=max_buffer)()
        next(items)
        held.append(items)

    held: list[object] = []
    with Bridge() as bridge:
        thread = threading.Thread(target=begin)
        thread.start()
        thread.join()
        held.clear()
        gc.collect()
        wait_for(lambda: told)
        assert told == ["asgikit-sensitive-1"]


def test_collected_on_a_thread_that_runs_a_loop_by_now(max_buffer: int) -> None:
    """K2: the loop is not blocked, and the iterable is closed."""
    source = Source()
    held: list[object] = []

    async def main() -> None:
        held.clear()
        gc.collect()
        await until(source.closed.is_set)

    with Bridge() as bridge:
        items = bridge.iterate_sync(source, max_buffer=max_buffer)
        next(items)
        held.append(items)
        del items
        asyncio.run(main())
    source.check_closed()


def test_going_on_in_another_thread_is_refused(max_buffer: int) -> None:
    """K2: one thread for all steps: an iterator that was begun stays with its thread."""
    source = Source()
    errors: list[BaseException] = []

    def go_on() -> None:
        try:
            for _ in range(200):
                next(items)
        except ScopeError as error:
            errors.append(error)

    with Bridge() as bridge:
        items = bridge.iterate_sync(source, max_buffer=max_buffer)
        next(items)
        thread = threading.Thread(target=go_on)
        thread.start()
        thread.join()
        assert "no other thread can go on" in str(errors[0])
        assert source.closed.wait(10)


def test_a_loop_that_is_gone(max_buffer: int) -> None:
    """K2: nobody waits for an item of a loop that was closed (A1)."""

    def body() -> Generator[int, None, None]:
        yield from bridge.iterate_sync(Source(), max_buffer=max_buffer)

    held: list[Generator[int, None, None]] = []

    async def main() -> None:
        def begin() -> None:
            held.append(body())
            next(held[0])

        await bridge.run_sync(begin)

    with Bridge() as bridge:
        bridge.run_async(main)
        with pytest.raises((LoopUnavailableError, asyncio.CancelledError)):
            for _ in range(200):
                next(held[0])
    held.clear()


# Errors


def test_errors_arrive_as_they_were_raised(max_buffer: int) -> None:
    """K2: after the items before it, the same object, with few frames and none that leads to the bridge (I1)."""
    error = LookupError("lost")

    async def body() -> AsyncGenerator[int, None]:
        yield 1
        raise error

    got: list[int] = []
    with Bridge() as bridge:
        with pytest.raises(LookupError) as caught:
            for item in bridge.iterate_sync(body, max_buffer=max_buffer)():
                got.append(item)
        assert got == [1]
        assert caught.value is error
        assert [entry.name for entry in caught.traceback][-1] == "body"
        assert len(caught.traceback) <= 3
    traceback = error.__traceback__
    traceback = traceback and traceback.tb_next  # the frame of this test
    while traceback is not None:
        for value in traceback.tb_frame.f_locals.values():
            assert not type(value).__module__.startswith("asgikit."), traceback.tb_frame
        traceback = traceback.tb_next


def test_cancelled_error_of_the_source_is_no_end(max_buffer: int) -> None:
    """K2: a source that raises CancelledError has not simply ended."""

    async def body() -> AsyncGenerator[int, None]:
        yield 1
        raise asyncio.CancelledError

    with Bridge() as bridge, pytest.raises(asyncio.CancelledError):
        list(bridge.iterate_sync(body, max_buffer=max_buffer)())


def test_the_ends_of_generators_leak_as_runtime_error(max_buffer: int) -> None:
    """K2: StopIteration or StopAsyncIteration out of the body of an async generator does not end the iteration."""

    async def body(error: Exception) -> AsyncGenerator[int, None]:
        yield 1
        raise error

    with Bridge() as bridge:
        for error in (StopIteration("leaked"), StopAsyncIteration("leaked")):
            items = bridge.iterate_sync(body, max_buffer=max_buffer)(error)
            assert next(items) == 1
            with pytest.raises(RuntimeError) as caught:
                next(items)
            assert caught.value.__cause__ is error


def test_a_time_out_is_for_calls_and_not_for_iterations(max_buffer: int) -> None:
    """K2: an iteration may last longer than a call: as long as its caller takes items."""

    async def timed(view: BridgeView) -> AsyncGenerator[str, None]:
        with pytest.raises(TimeoutError):  # a call that is made with the same time-out while the iteration lasts
            await asyncio.to_thread(view.run_async, asyncio.Event().wait)
        yield "later"

    with Bridge() as bridge:
        view = bridge.options(timeout=0.01)
        assert list(view.iterate_sync(timed, max_buffer=max_buffer)(view)) == ["later"]


def test_a_time_out_is_not_for_clean_up_either(max_buffer: int) -> None:
    """K2: left early, an iteration whose time-out has long passed cleans up in peace."""
    clock, cleaned = ManualClock(), list[int]()

    async def endless() -> AsyncGenerator[int, None]:
        try:
            while True:
                yield 1
        finally:
            await bridge.run_sync(clock.advance, 100.0)
            await bridge.run_sync(int)
            cleaned.append(1)

    with Bridge(clock=clock, stall_report_after=None) as bridge:
        items = bridge.options(timeout=1.0).iterate_sync(endless, max_buffer=max_buffer)()
        assert next(items) == 1
        items.close()
    assert cleaned == [1]


def test_an_error_in_clean_up_is_raised(max_buffer: int) -> None:
    """K2: leaving early does not swallow what aclose raises."""

    async def body() -> AsyncGenerator[int, None]:
        try:
            while True:
                yield 1
        finally:
            raise LookupError("in clean-up")

    with Bridge() as bridge:
        items = bridge.iterate_sync(body, max_buffer=max_buffer)()
        next(items)
        with pytest.raises(LookupError, match="in clean-up"):
            items.close()


def test_an_error_that_nobody_came_to_is_not_lost(caplog: pytest.LogCaptureFixture) -> None:
    """K2: reading ahead, the source failed behind the item at which its consumer left: logged (B3).

    If it fails at the very moment of leaving, it is raised like an error of the clean-up.
    """

    async def body() -> AsyncGenerator[int, None]:
        yield 1
        failed.set()
        raise LookupError("further on")

    failed = threading.Event()
    raised: list[BaseException] = []
    with Bridge() as bridge, caplog.at_level(logging.ERROR, "asgikit"):
        items = bridge.iterate_sync(body)()
        assert next(items) == 1
        wait_for(failed.is_set)
        try:
            items.close()
        except LookupError as error:
            raised.append(error)
    told = raised + [record.exc_info[1] for record in caplog.records if record.exc_info and record.exc_info[1]]
    assert [type(error) for error in told] == [LookupError]


def test_on_a_thread_that_runs_a_loop(max_buffer: int) -> None:
    async def main() -> None:
        with pytest.raises(RunningLoopError, match=r"numbers is async already.*use it with `async for`"):
            next(bridge.iterate_sync(numbers, max_buffer=max_buffer)(5))

    with Bridge() as bridge:
        asyncio.run(main())


def test_with_a_runner_that_may_block_a_loop(max_buffer: int) -> None:
    """K2: between two items the blocked loop is there again."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        items = bridge.iterate_sync(numbers, max_buffer=max_buffer)(5)
        for number in range(5):
            assert next(items) == number
            assert asyncio.get_running_loop() is loop
            await asyncio.sleep(0)
        assert list(items) == []

    with closing(SharedLoopRunner()) as loops, Bridge(loop_runner=BlockingLoopRunner(loops)) as bridge:
        asyncio.run(main())


def test_with_a_loop_on_the_calling_thread(max_buffer: int) -> None:
    """K2: which cannot both run the loop and go on: said at once, with the remedy, instead of a hang."""
    with Bridge(loop_runner=CallingThreadLoopRunner()) as bridge:
        with pytest.raises(LoopUnavailableError, match="loop_scope"):
            next(bridge.iterate_sync(numbers, max_buffer=max_buffer)(5))
        with bridge.loop_scope():
            assert list(bridge.iterate_sync(numbers, max_buffer=max_buffer)(5)) == list(range(5))


# send, throw


async def echo() -> AsyncGenerator[str, str]:
    got = ""
    while True:
        try:
            got = yield f"got {got}"
        except KeyError as error:
            got = f"thrown {error.args[0]}"


def test_send_and_throw_reach_the_generator() -> None:
    """K2: in lockstep."""
    with Bridge() as bridge:
        talk = bridge.iterate_sync(echo, max_buffer=0)()
        assert next(talk) == "got "
        assert talk.send("a") == "got a"
        assert talk.throw(KeyError("b")) == "got thrown b"
        assert talk.send("c") == "got c"
        with pytest.raises(LookupError):
            talk.throw(LookupError("not mine"))
        with pytest.raises(StopIteration):
            next(talk)


def test_throwing_into_what_is_no_generator() -> None:
    with Bridge() as bridge:
        items: Generator[int, Any, None] = bridge.iterate_sync(Source(), max_buffer=0)
        next(items)
        with pytest.raises(KeyError, match="mine"):
            items.throw(KeyError("mine"))
        others: Generator[int, Any, None] = bridge.iterate_sync(Source(), max_buffer=0)
        next(others)
        with pytest.raises(TypeError, match="Source is no async generator"):
            others.send("something")


# Wrapping


def generator() -> Generator[int, None, None]:
    yield 1


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (5, "neither an async iterable nor a function"),
        ([1], "use iterate_async"),
        (generator, "use iterate_async"),
        (nothing, "neither an async iterable nor a function"),
    ],
)
def test_what_cannot_be_iterated_is_said_when_wrapping(wrong: Any, words: str) -> None:
    """K1: and the message names what to do."""
    with Bridge() as bridge, pytest.raises(WrapError, match=words):
        bridge.iterate_sync(wrong)


def test_decorated_above_and_below_staticmethod(max_buffer: int) -> None:
    """J2: in both orders, through the class and the object."""
    bridge = Bridge()

    class Table:
        @staticmethod
        @bridge.iterate_sync(max_buffer=max_buffer)
        async def above(upto: int) -> AsyncIterator[int]:
            for number in range(upto):
                yield number

        @bridge.iterate_sync(max_buffer=max_buffer)
        @staticmethod
        async def below(upto: int) -> AsyncIterator[int]:
            for number in range(upto):
                yield number

    with bridge:
        for owner in (Table, Table()):
            assert list(owner.above(2)) == list(owner.below(2)) == [0, 1]


def test_a_negative_bound() -> None:
    with Bridge() as bridge, pytest.raises(ValueError, match="must not be negative"):
        bridge.iterate_sync(numbers, max_buffer=-1)


def test_iterations_are_observed_under_the_name_of_the_function(max_buffer: int) -> None:
    """K2: an iteration is one crossing in the picture."""
    from asgikit.trace import record

    with Bridge() as bridge, record(bridge) as trace:
        list(bridge.iterate_sync(numbers, max_buffer=max_buffer)(3))
    (span,) = trace.spans
    assert span.name == f"{__name__}.numbers"
    assert span.direction == "async_to_sync"
