"""Importing and making a bridge starts nothing; executors of every kind are taken, in other processes too."""

import asyncio
import functools
import multiprocessing
import operator
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from pickle import PicklingError
from typing import Any

import pytest

from asgikit import Bridge
from asgikit.executor import CurrentThreadExecutor, InlineExecutor, ThreadSensitivePool, WorkerThreadPool

IMPORTING = """
import sys, threading
before = set(sys.modules)
import asgikit, asgikit.executor, asgikit.loop, asgikit.bridge
assert threading.active_count() == 1, threading.enumerate()
heavy = {"multiprocessing", "concurrent.futures.process"} & (set(sys.modules) - before)
assert not heavy, heavy
bridge = asgikit.Bridge()
bridge.sync_to_async(print), bridge.async_to_sync(asgikit.Bridge.aclose), bridge.options(timeout=1.0)
bridge.thread_sensitive_scope(), bridge.loop_scope()
assert threading.active_count() == 1, threading.enumerate()
"""


def test_importing_starts_nothing_and_a_bridge_may_stay_open() -> None:
    """D3: in a process of its own, with warnings as errors; a bridge at module level closes silently at exit."""
    command = [sys.executable, "-W", "error", "-c", IMPORTING]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=30)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_bridge_starts_what_it_needs_when_it_needs_it() -> None:
    """D3: and nothing else."""

    def ours() -> set[str]:
        return {thread.name for thread in threading.enumerate() if thread.name.startswith("asgikit")}

    async def nothing() -> None:
        """Return."""

    with Bridge() as bridge:
        assert ours() == set()
        asyncio.run(bridge.run_sync(int))
        assert ours() == {"asgikit-sensitive-1"}
        asyncio.run(bridge.options(thread_sensitive=False).run_sync(int))
        assert ours() == {"asgikit-sensitive-1", "asgikit-worker-1"}
        bridge.run_async(nothing)
        assert ours() == {"asgikit-sensitive-1", "asgikit-worker-1", "asgikit-loop-1"}


# Executors of every kind


class Duck:
    """An executor by nothing but `submit`, with arguments or without."""

    def __init__(self) -> None:
        self.submitted = 0

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        self.submitted += 1
        future: Future[Any] = Future()
        try:
            future.set_result(fn(*args, **kwargs))
        except BaseException as error:
            future.set_exception(error)
        return future


EXECUTORS: dict[str, Callable[[], Any]] = {
    "ThreadPoolExecutor": lambda: ThreadPoolExecutor(1),
    "WorkerThreadPool": WorkerThreadPool,
    "ThreadSensitivePool": ThreadSensitivePool,
    "InlineExecutor": InlineExecutor,
    "anything with submit": Duck,
}


@pytest.mark.parametrize("place", ["call", "options", "bridge", "scope"])
@pytest.mark.parametrize("kind", EXECUTORS)
def test_executors(kind: str, place: str) -> None:
    """D2: wherever one may be given; results, errors and context variables are the same everywhere."""
    executor = EXECUTORS[kind]()

    async def main() -> None:
        with Bridge(worker_pool=executor) if place == "bridge" else Bridge() as bridge:
            view = bridge.options(thread_sensitive=False, executor=executor) if place == "options" else bridge
            if place == "call":
                call = view.sync_to_async(divmod, thread_sensitive=False, executor=executor)
            elif place == "scope":
                call = view.sync_to_async(divmod)
            else:
                call = view.sync_to_async(divmod, thread_sensitive=False)
            async with bridge.thread_sensitive_scope(executor=executor if place == "scope" else None):
                assert await call(7, 2) == (3, 1)
                with pytest.raises(ZeroDivisionError):
                    await call(7, 0)

    try:
        asyncio.run(main())
        if isinstance(executor, Duck):
            assert executor.submitted == 2
    finally:
        if isinstance(executor, Executor):
            executor.shutdown()


def test_a_host_of_the_user_is_an_executor_too() -> None:
    """D2, O7: a test runs all synchronous work of its async code on its own thread."""
    executor: CurrentThreadExecutor = CurrentThreadExecutor()

    async def main() -> int:
        async with bridge.thread_sensitive_scope(executor=executor):
            return await bridge.run_sync(threading.get_ident)

    with Bridge() as bridge, ThreadPoolExecutor(1) as pool:
        running = pool.submit(asyncio.run, main())
        executor.run_until_future(running)
        assert running.result() == threading.get_ident()


# Other processes


def fail(number: int) -> None:
    """Raise, in another process."""
    raise LookupError(number)


@pytest.fixture(name="processes", scope="module")
def make_processes() -> Iterator[ProcessPoolExecutor]:
    """One process for all tests here."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
        processes.submit(int).result(30)
        yield processes


def test_a_process_pool_runs_picklable_functions(processes: ProcessPoolExecutor) -> None:
    """D2: what is pickled is the user's function and arguments alone."""

    async def main() -> None:
        with Bridge() as bridge:
            view = bridge.options(thread_sensitive=False, executor=processes)
            assert await view.run_sync(os.getpid) != os.getpid()
            assert await view.sync_to_async(operator.mul)(6, 7) == 42
            assert await view.run_sync(int, "11", base=2) == 3
            assert await view.run_sync(functools.partial(int, base=2), "11") == 3
            with pytest.raises(LookupError) as caught:
                await view.run_sync(fail, 3)
            assert caught.value.args == (3,)

    asyncio.run(main())


def test_a_function_that_cannot_be_pickled_is_an_error_of_the_call(processes: ProcessPoolExecutor) -> None:
    """D2: and the pool goes on."""
    lock = threading.Lock()

    async def main() -> None:
        with Bridge() as bridge:
            view = bridge.options(thread_sensitive=False, executor=processes)
            with pytest.raises((TypeError, AttributeError, PicklingError), match=r"(?i)pickle"):
                await view.run_sync(lambda: 1)
            with pytest.raises(TypeError, match="cannot pickle"):
                await view.run_sync(id, lock)
            assert await view.run_sync(int, "7") == 7

    asyncio.run(main())


def test_a_process_that_dies_is_an_error_of_the_call() -> None:
    """D2: BrokenProcessPool, and no hang."""
    from concurrent.futures.process import BrokenProcessPool

    async def main() -> None:
        with Bridge() as bridge, ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as processes:
            view = bridge.options(thread_sensitive=False, executor=processes)
            with pytest.raises(BrokenProcessPool):
                await view.run_sync(os._exit, 1)
            with pytest.raises(BrokenProcessPool):
                await view.run_sync(int)

    asyncio.run(main())


def test_a_scope_needs_a_thread_of_this_process(processes: ProcessPoolExecutor) -> None:
    """D2: thread-sensitive work cannot be sent away; that is said, and nothing hangs."""

    async def main() -> None:
        with Bridge() as bridge:
            async with bridge.thread_sensitive_scope(executor=processes):
                with pytest.raises((TypeError, AttributeError, PicklingError), match=r"(?i)pickle"):
                    await bridge.run_sync(int)

    asyncio.run(main())
