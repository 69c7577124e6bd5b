"""Invariant R: what others had to mend, tried here. Each test names the library and the issue or release."""

import asyncio
import gc
import logging
import threading
import weakref
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar
from typing import Any

import pytest

from asgikit import Bridge
from asgikit.errors import ClosedError, LoopUnavailableError, RunningLoopError
from asgikit.executor import WorkerThreadPool
from asgikit.loop import SharedLoopRunner
from asgikit.wsgi import WsgiToAsgi
from tests.support.gate import SECONDS, Gate, until, wait_for
from tests.support.interpreter import free_threaded

BOTH = pytest.mark.parametrize("thread_sensitive", [True, False])


class Thing:
    """Something that can be watched for its end."""


def another(_: Thing) -> Thing:
    return Thing()


def test_idle_workers_are_taken_by_many_loops_at_once() -> None:
    """R (anyio 3.2.1 and 3.2.2): a worker that becomes idle is given to one of those who want it, and to no two."""
    threads, calls = 6, 200
    start = threading.Barrier(threads)

    async def main() -> list[int]:
        return [await bridge.options(thread_sensitive=False).run_sync(int, n) for n in range(calls)]

    def loop_of_its_own() -> list[int]:
        start.wait(SECONDS)
        return asyncio.run(main())

    with WorkerThreadPool(2) as pool, Bridge(worker_pool=pool) as bridge, ThreadPoolExecutor(threads) as callers:
        outcomes = [callers.submit(loop_of_its_own) for _ in range(threads)]
        assert [outcome.result(SECONDS) for outcome in outcomes] == [list(range(calls))] * threads
        assert pool.counters.started <= 2


@BOTH
def test_a_second_run_of_the_same_loop_works(thread_sensitive: bool) -> None:
    """R (anyio 3.2.0): `run_until_complete`, and again: nothing of the first run is in the way."""
    loop = asyncio.new_event_loop()
    try:
        with Bridge() as bridge:
            call = bridge.sync_to_async(abs, thread_sensitive=thread_sensitive)
            assert [loop.run_until_complete(asyncio.wait_for(call(-n), SECONDS)) for n in range(3)] == [0, 1, 2]
    finally:
        loop.close()


@BOTH
def test_an_idle_worker_keeps_nothing_of_its_last_call(thread_sensitive: bool) -> None:
    """R (anyio 4.8.1; trio 3472): neither argument nor result nor context waits in it for the next call."""
    variable: ContextVar[Thing] = ContextVar("variable")

    async def main() -> list["weakref.ref[Thing]"]:
        variable.set(Thing())
        argument = Thing()
        result = await bridge.options(thread_sensitive=thread_sensitive).run_sync(another, argument)
        return [weakref.ref(argument), weakref.ref(result), weakref.ref(variable.get())]

    with Bridge() as bridge:
        kept = asyncio.run(main())

        def let_go() -> bool:
            if free_threaded():
                gc.collect()  # without the GIL the thread that made an object frees it, but only while it runs
            return not any(thing() for thing in kept)

        wait_for(let_go, "the worker's letting go")


def test_a_cancelled_call_in_the_queue_gives_its_place_back() -> None:
    """R (anyio 947): calls that are cancelled while they wait for a worker take no worker away."""

    async def main() -> None:
        gates = [Gate() for _ in range(2)]
        held = [asyncio.create_task(free.run_sync(gate)) for gate in gates]
        for gate in gates:
            await until(gate.begun.is_set)
        queued = [asyncio.create_task(free.run_sync(int)) for _ in range(50)]
        await asyncio.sleep(0)
        for task in queued:
            task.cancel()
        await asyncio.gather(*queued, return_exceptions=True)
        for gate in gates:
            gate.open()
        await asyncio.gather(*held)
        both = threading.Barrier(2)
        await asyncio.gather(free.run_sync(both.wait, SECONDS), free.run_sync(both.wait, SECONDS))

    with WorkerThreadPool(2) as pool, Bridge(worker_pool=pool) as bridge:
        free = bridge.options(thread_sensitive=False)
        asyncio.run(main())
        assert pool.counters.queued == 0


@BOTH
def test_a_cancellation_that_meets_the_result_ends_in_one_of_both(thread_sensitive: bool) -> None:
    """R (anyio 1011, 1013; synchronicity 205, 208): never in neither, and the next call is not touched."""

    async def main() -> set[str]:
        seen: set[str] = set()
        for rounds in range(200):
            task = asyncio.create_task(view.run_sync(abs, -rounds))
            for _ in range(rounds % 5):
                await asyncio.sleep(0)
            task.cancel()
            done, pending = await asyncio.wait({task}, timeout=SECONDS)
            assert (len(done), len(pending)) == (1, 0)
            seen.add("cancelled" if task.cancelled() else "result")
            assert task.cancelled() or task.result() == rounds
            assert await view.run_sync(abs, -rounds) == rounds
        return seen

    with Bridge() as bridge:
        view = bridge.options(thread_sensitive=thread_sensitive)
        assert "cancelled" in asyncio.run(main())


def test_check_cancelled_stays_inside_the_time_out_that_cancelled() -> None:
    """R (anyio 1113): the error with which the function gives up does not escape from the block it belongs to."""

    def function() -> None:
        gate()
        bridge.check_cancelled()

    async def main() -> str:
        try:
            async with asyncio.timeout(None) as limit:
                call = asyncio.create_task(bridge.run_sync(function))
                await until(gate.begun.is_set)
                limit.reschedule(asyncio.get_running_loop().time() - 1)
                await call
        except TimeoutError:
            task = asyncio.current_task()
            return "timed out" if task is not None and not task.cancelling() else "still cancelled"
        return "went on"

    with Bridge() as bridge, Gate() as gate:
        assert asyncio.run(main()) == "timed out"


def test_every_observer_is_told_though_one_before_it_fails(caplog: pytest.LogCaptureFixture) -> None:
    """R (anyio 575): who listens is told of every end, whatever another listener does."""

    class Ends:
        def __init__(self, error: Exception | None = None) -> None:
            self.error = error
            self.told = list[str]()

        def _tell(self, crossing: Any) -> None:
            self.told.append(crossing.name)
            if self.error is not None:
                raise self.error

        queued = started = finished = abandoned = _tell

        def stalled(self, crossing: Any, report: str) -> None:
            """Nothing stalls here."""

    broken, whole = Ends(ValueError("a listener fails")), Ends()
    with Bridge(observer=broken) as bridge, bridge.observe(whole):
        asyncio.run(bridge.run_sync(int))
    assert whole.told == broken.told
    assert len(whole.told) == 3
    assert caplog.records  # of the listener that failed


@BOTH
def test_a_loop_that_closes_while_its_call_runs_is_no_error_in_the_worker(
    thread_sensitive: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """R (anyio 357): the outcome finds its loop closed; the worker says nothing, and serves the next loop."""
    caplog.set_level(logging.INFO)

    async def main() -> None:
        task = asyncio.create_task(view.run_sync(gate))
        await until(gate.begun.is_set)
        task.cancel()

    with Bridge() as bridge, Gate() as gate:
        view = bridge.options(thread_sensitive=thread_sensitive)
        asyncio.run(main())
        gate.open()
        assert gate.ended.wait(SECONDS)
        assert asyncio.run(view.run_sync(abs, -1)) == 1
    assert caplog.records == []


def test_decorators_with_and_without_arguments_keep_name_and_doc() -> None:
    """R (asyncer 69, 84): both spellings work, and both keep what `functools.wraps` keeps."""
    with Bridge() as bridge:

        def documented(number: int) -> int:
            """Say it again."""
            return number

        async def documented_async(number: int) -> int:
            """Say it again."""
            return number

        for wrapped in (bridge.sync_to_async(documented), bridge.sync_to_async(thread_sensitive=False)(documented)):
            assert (wrapped.__name__, wrapped.__doc__) == ("documented", "Say it again.")
            assert asyncio.run(wrapped(1)) == 1
        for other in (bridge.async_to_sync(documented_async), bridge.async_to_sync(timeout=SECONDS)(documented_async)):
            assert (other.__name__, other.__doc__) == ("documented_async", "Say it again.")
            assert other(1) == 1


def test_a_full_worker_pool_holds_up_neither_the_home_thread_nor_another_bridge() -> None:
    """R (starlette 1724): what fills one pool is not in the way of those who were given another."""

    async def main() -> None:
        held = asyncio.create_task(bridge.options(thread_sensitive=False).run_sync(gate))
        await until(gate.begun.is_set)
        assert await asyncio.wait_for(bridge.run_sync(abs, -1), SECONDS) == 1
        assert await asyncio.wait_for(other.options(thread_sensitive=False).run_sync(abs, -2), SECONDS) == 2
        gate.open()
        await held

    with WorkerThreadPool(1) as pool, Bridge(worker_pool=pool) as bridge, Bridge() as other, Gate() as gate:
        asyncio.run(main())


def test_calling_back_on_the_thread_of_the_loop_is_an_error_and_no_deadlock() -> None:
    """R (synchronicity 37): on its own thread the loop could never run what it waits for."""

    async def inner() -> None:
        """Never runs."""

    async def main() -> None:
        with pytest.raises(RunningLoopError):
            bridge.run_async(inner)

    loops = SharedLoopRunner()
    with Bridge(loop_runner=loops) as bridge:
        bridge.run_async(main)
    loops.close()


def test_calls_that_meet_the_end_of_the_shared_loop_end() -> None:
    """R (synchronicity 271): between the last look at the loop and its close there is no place to get lost in."""

    async def number() -> int:
        await asyncio.sleep(0)
        return 1

    def call_until_refused(start: threading.Barrier) -> int:
        start.wait(SECONDS)
        for calls in range(100_000):
            try:
                assert bridge.run_async(number) == 1
            except (ClosedError, LoopUnavailableError, asyncio.CancelledError):
                return calls
        return -1

    for _ in range(10):
        loops, start = SharedLoopRunner(), threading.Barrier(4)
        with Bridge(loop_runner=loops) as bridge, ThreadPoolExecutor(3) as callers:
            outcomes = [callers.submit(call_until_refused, start) for _ in range(3)]
            start.wait(SECONDS)
            loops.close()
            assert all(outcome.result(SECONDS) >= 0 for outcome in outcomes)


def test_an_adapter_of_wsgi_starts_no_loop_and_no_thread_of_its_own() -> None:
    """R (OCA 508 about a2wsgi): adapters use the bridge's threads, however many adapters there are."""

    def application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [threading.current_thread().name.encode()]

    async def answer(adapter: Any) -> bytes:
        sent = list[dict[str, Any]]()

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        await adapter({"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}, receive, send)
        return b"".join(message.get("body", b"") for message in sent)

    async def main() -> set[bytes]:
        return {await answer(WsgiToAsgi(application, bridge=bridge)) for _ in range(20)}

    with Bridge() as bridge:
        before = threading.active_count()
        assert len(asyncio.run(main())) == 1
        assert threading.active_count() <= before + 1


def test_a_plain_thread_beside_trio_may_call() -> None:
    """R (trio 2534): that trio runs on another thread is no reason to refuse."""
    trio = pytest.importorskip("trio", reason="trio is not installed")

    async def number() -> int:
        return 1

    async def main() -> list[int]:
        ended, token = trio.Event(), trio.lowlevel.current_trio_token()
        results = list[int]()

        def plain() -> None:
            results.append(bridge.run_async(number))
            token.run_sync_soon(ended.set)

        thread = threading.Thread(target=plain)
        thread.start()
        with trio.fail_after(SECONDS):
            await ended.wait()
        thread.join(SECONDS)
        return results

    with Bridge() as bridge:
        assert trio.run(main) == [1]
