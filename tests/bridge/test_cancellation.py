"""What a cancelled task leaves behind: nothing that hangs, nothing that is lost, nothing that goes on unnoticed."""

import asyncio
import concurrent.futures
import contextvars
import logging
import threading
from collections.abc import AsyncIterator, Callable, Coroutine
from typing import Any

import pytest

from asgikit import Bridge
from asgikit.errors import AbandonedError
from asgikit.executor import ThreadSensitivePool, WorkerThreadPool
from asgikit.testing import ManualExecutor
from tests.support.gate import SECONDS, Gate, cancelled, cancelled_at, until


def above_debug(records: list[logging.LogRecord]) -> list[str]:
    return [record.getMessage() for record in records if record.levelno > logging.DEBUG]


@pytest.mark.parametrize("thread_sensitive", [True, False])
def test_the_await_ends_at_once_and_the_function_goes_on(
    thread_sensitive: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """B1: a cancelled request is no record above DEBUG. B8: it ends in CancelledError, at once."""
    caplog.set_level(logging.DEBUG)

    async def main() -> None:
        task = asyncio.create_task(bridge.options(thread_sensitive=thread_sensitive).run_sync(gate))
        await until(gate.begun.is_set)
        await cancelled(task)
        assert not gate.ended.is_set()

    with Bridge() as bridge, Gate() as gate:
        asyncio.run(main())
    assert gate.ended.wait(SECONDS)
    assert above_debug(caplog.records) == []


@pytest.mark.parametrize("thread_sensitive", [True, False])
def test_a_call_that_is_cancelled_before_it_begins_never_runs(thread_sensitive: bool) -> None:
    """B8: cancelled in the queue, it does not run, and its place is free."""
    ran = list[str]()

    async def main() -> None:
        first = asyncio.create_task(view.run_sync(gate))
        await until(gate.begun.is_set)
        second = asyncio.create_task(view.run_sync(lambda: ran.append("second")))
        await asyncio.sleep(0)
        await cancelled(second)
        third = asyncio.create_task(view.run_sync(lambda: ran.append("third")))
        await asyncio.sleep(0)
        gate.open()
        await first
        await third

    pool = WorkerThreadPool(1)
    with Bridge(worker_pool=pool) as bridge, Gate() as gate:
        view = bridge.options(thread_sensitive=thread_sensitive)
        asyncio.run(main())
        pool.close()
    assert ran == ["third"]


def test_the_next_crossing_of_an_abandoned_function_is_refused_once() -> None:
    """B2: CancelledError before anything runs; what `finally` crosses for after it works."""
    crossed = list[str]()
    outcome = list[object]()

    async def step(name: str) -> str:
        crossed.append(name)
        return name

    def function() -> None:
        gate()
        try:
            bridge.run_async(step, "work")
        except asyncio.CancelledError:
            outcome.append(bridge.cancelled())
            outcome.append(bridge.run_async(step, "clean-up"))
            raise
        finally:
            ended.set()

    async def main() -> None:
        task = asyncio.create_task(bridge.run_sync(function))
        await until(gate.begun.is_set)
        assert not bridge.cancelled()  # asked outside of any function
        await cancelled(task)
        gate.open()
        await until(ended.is_set)

    ended = threading.Event()
    with Bridge() as bridge, Gate() as gate:
        asyncio.run(main())
    assert (outcome, crossed) == ([True, "clean-up"], ["clean-up"])


def test_a_crossing_can_be_made_in_spite_of_abandonment() -> None:
    """B2: the opt-out per call; the next crossing without it is refused as the first."""
    crossed = list[object]()

    async def step(name: str) -> str:
        crossed.append(name)
        return name

    async def steps() -> AsyncIterator[str]:
        yield await step("iterated")
        yield await step("to its end")

    def function() -> None:
        gate()
        view = bridge.options(after_abandonment=True)
        try:
            view.run_async(step, "all the same")
            view.async_to_sync(step)("wrapped")
            crossed.append(list(view.iterate_sync(steps())))
            bridge.run_async(step, "work")
        except asyncio.CancelledError:
            crossed.append("refused")
        finally:
            ended.set()

    async def main() -> None:
        await cancelled_at(gate, bridge.run_sync(function))
        await until(ended.is_set)

    ended = threading.Event()
    with Bridge() as bridge, Gate() as gate:
        asyncio.run(main())
    assert crossed == [
        "all the same",
        "wrapped",
        "iterated",
        "to its end",
        ["iterated", "to its end"],
        "refused",
    ]


def test_a_function_can_ask_and_give_up() -> None:
    """B2: `cancelled` and `check_cancelled` tell synchronous code."""
    heard = list[object]()

    def function() -> None:
        heard.append(bridge.cancelled())
        bridge.check_cancelled()
        gate()
        heard.append(bridge.cancelled())
        try:
            bridge.check_cancelled()
        finally:
            ended.set()

    async def main() -> None:
        await cancelled_at(gate, bridge.run_sync(function))
        await until(ended.is_set)

    ended = threading.Event()
    with Bridge() as bridge, Gate() as gate:
        asyncio.run(main())
    assert heard == [False, True]


def test_what_an_abandoned_function_gives_up_with_is_a_debug_record(caplog: pytest.LogCaptureFixture) -> None:
    """B1: giving up as asked is nothing to worry about."""
    caplog.set_level(logging.DEBUG, "asgikit")

    def function() -> None:
        gate()
        bridge.check_cancelled()

    async def main() -> None:
        await cancelled_at(gate, bridge.run_sync(function))
        await until(lambda: caplog.records)

    with Bridge() as bridge, Gate() as gate:
        asyncio.run(main())
    assert [record.levelname for record in caplog.records] == ["DEBUG"]


@pytest.mark.parametrize("result", ["a result", ValueError("too late")])
def test_a_late_error_is_reported_and_a_late_result_is_not(result: object, caplog: pytest.LogCaptureFixture) -> None:
    """B3: a result may be dropped in silence, an error never."""
    error = result if isinstance(result, Exception) else None

    async def main() -> None:
        await cancelled_at(gate, bridge.run_sync(gate))
        await bridge.run_sync(threading.get_ident)

    with Bridge() as bridge, Gate(error=error) as gate:
        asyncio.run(main())
    assert [record.exc_info and record.exc_info[1] for record in caplog.records] == ([error] if error else [])


def test_a_late_error_is_reported_when_its_loop_has_gone(caplog: pytest.LogCaptureFixture) -> None:
    """B3: also after the loop that waited was closed."""

    async def main() -> None:
        asyncio.create_task(bridge.run_sync(gate))
        await until(gate.begun.is_set)

    with Bridge() as bridge, Gate(error=ValueError("too late")) as gate:
        asyncio.run(main())
        gate.open()
    assert ["failed after its caller had stopped waiting" in record.getMessage() for record in caplog.records] == [True]


def test_a_late_error_is_reported_when_its_loop_stands_still(caplog: pytest.LogCaptureFixture) -> None:
    """B3: also while the loop that waited neither runs nor is closed."""
    loop = asyncio.new_event_loop()
    with Bridge() as bridge, Gate(error=ValueError("too late")) as gate:

        async def main() -> None:
            task = asyncio.create_task(bridge.run_sync(gate))
            await until(gate.begun.is_set)
            await cancelled(task)

        loop.run_until_complete(main())
        gate.open()
        bridge.close()
    loop.close()
    assert len(caplog.records) == 1


@pytest.mark.parametrize("on_abandon", ["replace", "fail", "wait"])
def test_calls_behind_an_abandoned_one_go_on_as_the_policy_says(on_abandon: Any) -> None:
    """B5: a fresh worker, a refusal, or the queue; never an endless wait unless asked for."""

    async def main() -> object:
        async with bridge.thread_sensitive_scope():
            stuck = asyncio.create_task(bridge.run_sync(gate))
            await until(gate.begun.is_set)
            behind = asyncio.create_task(bridge.run_sync(lambda: threading.current_thread().name))
            await asyncio.sleep(0)
            await cancelled(stuck)
            if on_abandon == "wait":
                assert not (await asyncio.wait([behind], timeout=0.01))[0]
                gate.open()
            return (await asyncio.gather(behind, return_exceptions=True))[0]

    with ThreadSensitivePool(4, on_abandon=on_abandon) as pool, Bridge(sensitive_pool=pool) as bridge, Gate() as gate:
        outcome = asyncio.run(main())
    if on_abandon == "replace":
        assert isinstance(outcome, str)
        assert outcome not in gate.threads
    elif on_abandon == "wait":
        assert [outcome] == gate.threads
    else:
        assert isinstance(outcome, AbandonedError)
        assert "Gate" in str(outcome)


def test_beyond_the_cap_new_calls_fail_at_once() -> None:
    """B5: `max_abandoned` holds for the calls of the same scope and for other scopes that would need a worker."""

    async def main() -> None:
        async with bridge.thread_sensitive_scope():
            stuck = asyncio.create_task(bridge.run_sync(gate))
            await until(gate.begun.is_set)
            await cancelled(stuck)
            with pytest.raises(AbandonedError):
                await bridge.run_sync(int)
        async with bridge.thread_sensitive_scope():
            with pytest.raises(AbandonedError):
                await asyncio.wait_for(bridge.run_sync(int), SECONDS)
        gate.open()
        await until(lambda: pool.counters.abandoned == 0)
        async with bridge.thread_sensitive_scope():
            assert await bridge.run_sync(int) == 0

    with ThreadSensitivePool(1, max_abandoned=0) as pool, Bridge(sensitive_pool=pool) as bridge, Gate() as gate:
        asyncio.run(main())


def test_abandoned_workers_are_counted_and_come_back() -> None:
    """B5, Q1: an abandoned worker is counted until its call ends, then it is reused."""

    async def main() -> None:
        task = asyncio.create_task(bridge.options(thread_sensitive=False).run_sync(gate))
        await until(gate.begun.is_set)
        await cancelled(task)
        assert (pool.counters.abandoned, pool.counters.busy) == (1, 0)
        assert await bridge.options(thread_sensitive=False).run_sync(int) == 0
        gate.open()
        await until(lambda: pool.counters.abandoned == 0)

    with WorkerThreadPool(1) as pool, Bridge(worker_pool=pool) as bridge, Gate() as gate:
        asyncio.run(main())
        assert pool.counters.started == 2


# The function waits in async_to_sync: what it waits for is cancelled, and its outcome counts.

Inner = Callable[[], Coroutine[Any, Any, object]]


def cancel_inside(bridge: Bridge, inner: Inner, begun: threading.Event, *, times: int = 1) -> Any:
    """Have a function wait for `inner`, cancel the task that awaits the function, and return how that task ended."""
    seen = list[BaseException | None]()

    def function() -> object:
        try:
            return bridge.run_async(inner)
        except BaseException as error:
            seen.append(error)
            raise

    async def main() -> tuple[object, list[BaseException | None]]:
        task = asyncio.create_task(bridge.run_sync(function))
        await until(begun.is_set)
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        return outcome, seen

    return asyncio.run(main())


def test_the_inner_task_is_cancelled_and_the_function_hears_of_it() -> None:
    """B8: CancelledError reaches the coroutine, the function and the awaiting task, in this order."""
    order = list[str]()

    async def inner() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            order.append("coroutine")

    begun = threading.Event()
    with Bridge() as bridge:
        outcome, seen = cancel_inside(bridge, inner, begun)
    assert isinstance(outcome, asyncio.CancelledError)
    assert [type(error) for error in seen] == [asyncio.CancelledError]
    assert order == ["coroutine"]


def test_a_coroutine_that_swallows_the_cancellation_decides() -> None:
    """B8: the innermost coroutine suppressed it, so the await has a result."""

    async def inner() -> str:
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            return "swallowed"
        return "never"

    begun = threading.Event()
    with Bridge() as bridge:
        assert cancel_inside(bridge, inner, begun) == ("swallowed", [])


def test_an_error_during_the_clean_up_is_the_outcome() -> None:
    """B8: what the clean-up raises is not hidden behind CancelledError."""

    async def inner() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            message = "clean-up failed"
            raise ValueError(message)

    begun = threading.Event()
    with Bridge() as bridge:
        outcome, _ = cancel_inside(bridge, inner, begun)
    assert isinstance(outcome, ValueError)


def test_shield_inside_is_respected() -> None:
    """B8: what the coroutine shields goes on; the coroutine itself is cancelled."""
    finished = list[str]()

    async def shielded() -> None:
        await asyncio.sleep(0)
        finished.append("shielded")

    async def inner() -> None:
        task = asyncio.create_task(shielded())
        begun.set()
        try:
            await asyncio.shield(asyncio.gather(task, hold.wait()))
        except asyncio.CancelledError:
            hold.set()
            await task
            raise

    begun = threading.Event()
    hold = asyncio.Event()
    with Bridge() as bridge:
        outcome, _ = cancel_inside(bridge, inner, begun)
    assert isinstance(outcome, asyncio.CancelledError)
    assert finished == ["shielded"]


def test_a_second_cancel_abandons() -> None:
    """B8: the first waits for the coroutine's clean-up, the second does not."""

    async def inner() -> None:
        begun.set()
        try:
            await asyncio.Event().wait()
        finally:
            await hold.wait()

    def function() -> None:
        try:
            bridge.run_async(inner)
        finally:
            ended.set()

    async def main() -> None:
        task = asyncio.create_task(bridge.run_sync(function))
        await until(begun.is_set)
        task.cancel()
        for _ in range(5):
            await asyncio.sleep(0)
        assert not task.done()
        await cancelled(task)
        hold.set()
        await until(ended.is_set)

    begun, ended, hold = threading.Event(), threading.Event(), asyncio.Event()
    with Bridge() as bridge:
        asyncio.run(main())


def test_cancelling_late_abandons_the_plain_code_after_the_coroutine() -> None:
    """B8: the coroutine had ended when the cancellation came for it; the function is in plain code, so it is left."""

    async def inner(ended: threading.Event) -> None:
        ended.set()

    def function() -> None:
        bridge.options(loop=other).run_async(inner, threading.Event())
        gate()

    async def main() -> None:
        task = asyncio.create_task(bridge.run_sync(function))
        await until(gate.begun.is_set)
        await cancelled(task)
        assert not gate.ended.is_set()

    other, running = asyncio.new_event_loop(), threading.Event()
    other.call_soon(running.set)
    thread = threading.Thread(target=other.run_forever)
    thread.start()
    assert running.wait(SECONDS)
    with Bridge() as bridge, Gate() as gate:
        asyncio.run(main())
    other.call_soon_threadsafe(other.stop)
    thread.join(SECONDS)
    other.close()


def test_shield_around_a_crossing_keeps_it() -> None:
    """B8: the task that is shielded is not cancelled, and its call is not abandoned."""

    async def main() -> None:
        inner = asyncio.ensure_future(bridge.run_sync(gate))
        outer = asyncio.create_task(_shield(inner))
        await until(gate.begun.is_set)
        await cancelled(outer)
        gate.open()
        assert await inner == "through"

    async def _shield(future: "asyncio.Future[object]") -> object:
        return await asyncio.shield(future)

    with Bridge() as bridge, Gate() as gate:
        asyncio.run(main())


def test_wait_for_raises_timeout_error_at_once() -> None:
    """B4, B8: a time-out is a time-out, also inside a scope, whatever the thread is doing."""

    async def main() -> None:
        async with bridge.thread_sensitive_scope():
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(bridge.run_sync(gate), 0.01)
        assert not gate.ended.is_set()

    with Bridge() as bridge, Gate() as gate:
        asyncio.run(main())


def test_asyncio_timeout_and_uncancel_are_balanced() -> None:
    """B8: after a time-out the task is not left cancelling."""

    async def main() -> int:
        try:
            async with asyncio.timeout(0.01):
                await bridge.run_sync(gate)
        except TimeoutError:
            pass
        task = asyncio.current_task()
        assert task is not None
        return task.cancelling()

    with Bridge() as bridge, Gate() as gate:
        assert asyncio.run(main()) == 0


def test_a_task_group_cancels_the_others() -> None:
    """B8: one member fails, the crossing of the other ends at once."""

    async def fail() -> None:
        await until(gate.begun.is_set)
        message = "one member"
        raise ValueError(message)

    async def main() -> None:
        with pytest.raises(ExceptionGroup) as caught:
            async with asyncio.TaskGroup() as group:
                group.create_task(bridge.run_sync(gate))
                group.create_task(fail())
        assert [type(error) for error in caught.value.exceptions] == [ValueError]
        assert not gate.ended.is_set()

    with Bridge() as bridge, Gate() as gate:
        asyncio.run(main())


def test_a_task_group_inside_the_function_is_cancelled_as_one() -> None:
    """B8: nested: task, function, coroutine, task group with crossings of its own."""
    left = list[str]()

    async def member(name: str) -> None:
        try:
            await bridge.options(thread_sensitive=False).run_sync(gate)
        finally:
            left.append(name)

    async def inner() -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(member("one"))
            group.create_task(member("two"))
            await until(lambda: len(gate.threads) == 2)
            begun.set()

    begun = threading.Event()
    with Bridge() as bridge, Gate() as gate:
        outcome, _ = cancel_inside(bridge, inner, begun)
    assert isinstance(outcome, asyncio.CancelledError)
    assert sorted(left) == ["one", "two"]


def test_nothing_is_written_back_after_abandonment() -> None:
    """G5, B8: context variables that an abandoned function sets do not appear in the task."""
    variable = contextvars.ContextVar("variable", default="before")

    def function() -> None:
        gate()
        variable.set("late")

    async def main() -> str:
        try:
            async with asyncio.timeout(0.01):
                await bridge.run_sync(function)
        except TimeoutError:
            gate.open()
        await bridge.run_sync(int)
        return variable.get()

    with Bridge() as bridge, Gate() as gate:
        assert asyncio.run(main()) == "before"


def test_cancelled_error_of_futures_is_not_cancellation() -> None:
    """B8 (and B6): `concurrent.futures.CancelledError` from the function is an ordinary error."""

    def function() -> None:
        raise concurrent.futures.CancelledError

    async def main() -> None:
        with pytest.raises(concurrent.futures.CancelledError):
            await bridge.run_sync(function)

    with Bridge() as bridge:
        asyncio.run(main())


def test_work_hosted_on_the_calling_thread_cannot_be_left() -> None:
    """B4: the cancelled await ends, but a thread that hosts goes on with the function before it returns."""
    order = list[str]()

    def function() -> None:
        gate()
        order.append("function")

    async def main() -> None:
        task = asyncio.create_task(bridge.run_sync(function))
        await until(gate.begun.is_set)
        assert gate.threads == [threading.main_thread().name]
        await cancelled(task)
        order.append("await")
        gate.open()

    with Bridge() as bridge, Gate() as gate:
        bridge.run_async(main)
        order.append("async_to_sync")
    assert order == ["await", "function", "async_to_sync"]


def test_beyond_the_cap_scopes_in_line_are_refused_too() -> None:
    """B5: a scope that stands in line for a worker does not wait for an abandoned call."""

    async def other() -> object:
        async with bridge.thread_sensitive_scope():
            return await bridge.run_sync(int)

    async def main() -> None:
        async with bridge.thread_sensitive_scope():
            stuck = asyncio.create_task(bridge.run_sync(gate))
            await until(gate.begun.is_set)
            in_line = asyncio.create_task(other(), context=contextvars.Context())
            await until(lambda: pool.counters.queued)
            await cancelled(stuck)
            with pytest.raises(AbandonedError, match="Gate"):
                await asyncio.wait_for(in_line, SECONDS)

    with ThreadSensitivePool(1, max_abandoned=0) as pool, Bridge(sensitive_pool=pool) as bridge, Gate() as gate:
        asyncio.run(main())


def test_a_call_is_cancelled_at_the_moment_at_which_its_turn_comes(caplog: pytest.LogCaptureFixture) -> None:
    """B1, G3: it leaves the line for its context before it hears that it is the first there, which is no error."""
    caplog.set_level(logging.DEBUG)
    executor, given = ManualExecutor(), contextvars.Context()

    async def main() -> None:
        call = bridge.sync_to_async(str, thread_sensitive=False, executor=executor, context=given)
        first, second, third = (asyncio.create_task(call()) for _ in range(3))
        await asyncio.sleep(0)
        executor.run_next()  # the first will hand the turn on when its task has heard of its end,
        second.cancel()  # and before that round of the loop is over, the second hears of this
        await asyncio.wait((first, second))
        await until(executor.pending)
        executor.run_next()
        assert (await first, second.cancelled(), await third) == ("", True, "")

    with Bridge() as bridge:
        asyncio.run(main())
    assert above_debug(caplog.records) == []


# The policy `shared`: the function runs in the task's own context, in which the task can take no step meanwhile


@pytest.mark.parametrize("times", [1, 2])
def test_an_await_that_shares_its_context_ends_with_the_function(times: int, caplog: pytest.LogCaptureFixture) -> None:
    """G1, B8: in CancelledError, however often it was cancelled. B1: without a record above DEBUG."""
    caplog.set_level(logging.DEBUG)
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="nobody's")

    def function() -> None:
        variable.set("the function's")
        gate()

    async def call() -> str:
        with pytest.raises(asyncio.CancelledError):
            await bridge.options(context_policy="shared").run_sync(function)
        assert gate.ended.is_set()
        return variable.get()

    async def main() -> str:
        task = asyncio.create_task(call())
        await until(gate.begun.is_set)
        for _ in range(times):
            task.cancel()
            await asyncio.sleep(0)
        gate.open()
        return await asyncio.wait_for(task, SECONDS)

    with Bridge() as bridge, Gate() as gate:
        assert asyncio.run(main()) == "the function's"
    assert above_debug(caplog.records) == []


def test_a_call_that_shares_its_context_and_has_not_begun_never_runs() -> None:
    """G1, B8: cancelled in the queue, it ends at once."""
    ran = list[str]()

    async def main() -> None:
        first = asyncio.create_task(bridge.run_sync(gate))
        await until(gate.begun.is_set)
        second = asyncio.create_task(bridge.options(context_policy="shared").run_sync(ran.append, "second"))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        await cancelled(second)
        gate.open()
        await first
        await bridge.run_sync(ran.append, "third")

    with Bridge() as bridge, Gate() as gate:
        asyncio.run(main())
    assert ran == ["third"]


def test_the_coroutine_below_a_shared_context_is_cancelled() -> None:
    """G1, B8: then the function goes on, and its await ends with it."""
    events = list[str]()

    async def coroutine() -> None:
        try:
            begun.set()
            await asyncio.Event().wait()
        finally:
            events.append("coroutine cleaned up")

    def function() -> None:
        try:
            bridge.run_async(coroutine)
        finally:
            events.append("function cleaned up")

    async def main() -> None:
        task = asyncio.create_task(bridge.options(context_policy="shared").run_sync(function))
        await until(begun.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asyncio.wait_for(task, SECONDS)
        events.append("await ended")

    begun = threading.Event()
    with Bridge() as bridge:
        asyncio.run(main())
    assert events == ["coroutine cleaned up", "function cleaned up", "await ended"]


@pytest.mark.parametrize("begun", [True, False])
def test_an_awaiting_coroutine_that_is_closed_by_hand_gives_up_its_turn(begun: bool) -> None:
    """G3: the next call with the same context does not wait for one that nobody awaits."""
    given = contextvars.Context()

    async def main(executor: ManualExecutor | None) -> int:
        crossing = bridge.sync_to_async(gate, thread_sensitive=False, executor=executor, context=given)
        call: Coroutine[Any, Any, object] = crossing()
        call.send(None)
        if begun:
            await until(gate.begun.is_set)
        call.close()
        return await asyncio.wait_for(bridge.sync_to_async(int, context=given)(), SECONDS)

    with Bridge() as bridge, Gate() as gate:
        assert asyncio.run(main(None if begun else ManualExecutor())) == 0
        gate.open()


def test_an_error_is_reported_though_the_awaiting_coroutine_was_closed_by_hand(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """B3: an error never disappears."""

    async def main() -> None:
        call: Coroutine[Any, Any, object] = bridge.run_sync(gate)
        call.send(None)
        await until(gate.begun.is_set)
        call.close()
        gate.open()
        await bridge.run_sync(int)

    with Bridge() as bridge, Gate(error=ValueError("too late")) as gate:
        asyncio.run(main())
    assert ["failed after its caller" in message for message in above_debug(caplog.records)] == [True]


def test_a_late_error_of_an_executor_that_works_elsewhere_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    """B3: also where the function does not run in this process, and nobody can say whether it has begun."""

    class Elsewhere:
        def submit(self, fn: Callable[[], Any], /) -> "concurrent.futures.Future[Any]":
            return answer

    async def main() -> None:
        task = asyncio.create_task(bridge.sync_to_async(int, thread_sensitive=False, executor=Elsewhere())())
        await asyncio.sleep(0)
        await cancelled(task)
        answer.set_running_or_notify_cancel()
        answer.set_exception(error)

    error, answer = ValueError("too late"), concurrent.futures.Future[Any]()
    with Bridge() as bridge:
        asyncio.run(main())
    assert [record.exc_info and record.exc_info[1] for record in caplog.records] == [error]
