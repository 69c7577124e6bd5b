"""Executors that asgikit does not know: threads, processes and machines of others, with one small adapter."""

import asyncio
import contextvars
import importlib
import os
import threading
from collections.abc import Generator
from concurrent.futures import Executor, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest

from asgikit import Bridge
from tests.support.gate import Gate, until
from tests.support.packages import require_package

pytestmark = [
    pytest.mark.leaves_threads("process pools and clusters keep threads of their own for a while"),
    # what these libraries leave to the garbage collector or do with fork is theirs
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

variable = contextvars.ContextVar("variable", default="unset")


@contextmanager
def threads() -> Generator[Executor, None, None]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


@contextmanager
def processes() -> Generator[Executor, None, None]:
    with ProcessPoolExecutor(2) as pool:
        yield pool


@contextmanager
def loky() -> Generator[Executor, None, None]:
    require_package("loky")
    library = importlib.import_module("loky")
    pool: Executor = library.ProcessPoolExecutor(2)
    yield pool
    pool.shutdown(wait=True)


@contextmanager
def dask() -> Generator[Executor, None, None]:
    require_package("distributed")
    library = importlib.import_module("distributed")
    with (
        library.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None, silence_logs=50
        ) as cluster,
        library.Client(cluster) as client,
    ):
        yield client.get_executor()


PLACES = {"threads": threads, "processes": processes, "loky": loky, "dask.distributed": dask}
elsewhere = pytest.mark.parametrize("place", [name for name in PLACES if name != "threads"])


def double(number: int) -> int:
    """Run in another process."""
    return 2 * number


def where() -> int:
    """Run in another process."""
    return os.getpid()


def fail() -> None:
    """Raise in another process."""
    message = "raised over there"
    raise ValueError(message)


def die() -> None:
    """Take the whole process down."""
    os._exit(1)


@pytest.mark.parametrize("place", PLACES)
def test_calls_run_there_and_errors_come_back(place: str) -> None:
    """R, D2: results in order, concurrently, and the error that was raised."""

    async def main(pool: Any) -> None:
        view = bridge.options(thread_sensitive=False, executor=pool)
        assert await asyncio.gather(*(view.run_sync(double, number) for number in range(20))) == list(range(0, 40, 2))
        assert (await view.run_sync(where) == os.getpid()) is (place == "threads")
        with pytest.raises(ValueError, match="raised over there"):
            await view.run_sync(fail)

    with Bridge() as bridge, PLACES[place]() as pool:
        asyncio.run(main(pool))


def test_threads_of_others_have_the_context_and_may_cross_back() -> None:
    """R, D2, G5: in this process a call is a call: context variables both ways, and async_to_sync from there."""

    async def inner() -> int:
        return threading.get_ident()

    def function() -> int:
        variable.set(variable.get() + " and back")
        return bridge.run_async(inner)

    async def main(pool: Executor) -> None:
        variable.set("there")
        assert await bridge.options(thread_sensitive=False, executor=pool).run_sync(function) == threading.get_ident()
        assert variable.get() == "there and back"

    with Bridge() as bridge, threads() as pool:
        asyncio.run(main(pool))


@elsewhere
def test_what_cannot_be_pickled_is_a_clear_error(place: str) -> None:
    """D2: it says that the executor works in other processes; the pool goes on."""
    lock = threading.Lock()

    async def main(pool: Any) -> None:
        view = bridge.options(thread_sensitive=False, executor=pool)
        with pytest.raises(Exception, match=r"(?i)pickle|serialize") as caught:
            await view.run_sync(double, lock)  # type: ignore[arg-type]  # what no process can be sent
        if place != "dask.distributed":  # which serializes in `submit`, and says it well itself
            assert any("picklable" in note for note in getattr(caught.value, "__notes__", ()))
        assert await view.run_sync(double, 4) == 8

    with Bridge() as bridge, PLACES[place]() as pool:
        asyncio.run(main(pool))


def test_a_local_function_is_a_clear_error() -> None:
    """D2: whatever words this version of Python finds for it."""

    def local() -> None:
        """Cannot be imported."""

    async def main(pool: Any) -> None:
        with pytest.raises(Exception, match="local") as caught:
            await bridge.options(thread_sensitive=False, executor=pool).run_sync(local)
        assert any("picklable" in note for note in caught.value.__notes__)

    with Bridge() as bridge, processes() as pool:
        asyncio.run(main(pool))


@elsewhere
@pytest.mark.usefixtures("asyncio_errors")
def test_a_killed_process_is_an_error_and_not_a_hang(place: str) -> None:
    """D2: whatever its executor calls it."""

    async def main(pool: Any) -> None:
        with pytest.raises(Exception) as caught:  # noqa: PT011 - each library has a class of its own
            await asyncio.wait_for(bridge.options(thread_sensitive=False, executor=pool).run_sync(die), 50)
        assert not isinstance(caught.value, TimeoutError)

    with Bridge() as bridge, PLACES[place]() as pool:
        asyncio.run(main(pool))


def test_a_cancelled_call_that_has_not_begun_is_taken_back() -> None:
    """B8: the executor of others is told, so that it does not run what nobody wants."""
    gate = threading.Event()
    ran = list[str]()

    async def main(pool: Executor) -> None:
        view = bridge.options(thread_sensitive=False, executor=pool)
        first = [asyncio.create_task(view.run_sync(gate.wait, 10)) for _ in range(2)]
        await asyncio.sleep(0)
        second = asyncio.create_task(view.run_sync(ran.append, "second"))
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.gather(second, return_exceptions=True)
        gate.set()
        await asyncio.gather(*first)

    with Bridge() as bridge:
        with threads() as pool:
            asyncio.run(main(pool))
        assert ran == []


def test_an_executor_that_was_shut_down_says_so() -> None:
    """R: its own error is the one that is seen."""

    async def main(pool: Executor) -> None:
        with pytest.raises(RuntimeError, match="shutdown"):
            await bridge.options(thread_sensitive=False, executor=pool).run_sync(int)

    with Bridge() as bridge:
        pool = ThreadPoolExecutor(1)
        pool.shutdown()
        asyncio.run(main(pool))


def test_calls_dropped_by_a_shutdown_do_not_hang() -> None:
    """R: `shutdown(cancel_futures=True)` cancels futures; whoever awaits hears of it."""

    async def main(pool: Executor) -> None:
        view = bridge.options(thread_sensitive=False, executor=pool)
        first = asyncio.create_task(view.run_sync(gate))
        await until(gate.begun.is_set)  # from here on nothing can take it back
        second = asyncio.create_task(view.run_sync(int))
        await asyncio.sleep(0)
        pool.shutdown(wait=False, cancel_futures=True)
        gate.open()
        outcomes = await asyncio.wait_for(asyncio.gather(first, second, return_exceptions=True), 10)
        assert outcomes[0] == "through"
        assert type(outcomes[1]).__name__ == "CancelledError"

    with Bridge() as bridge, ThreadPoolExecutor(1) as pool, Gate() as gate:
        asyncio.run(main(pool))
