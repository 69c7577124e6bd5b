"""Other runtimes in the same process: what works there, and the one clear message where it does not."""

import asyncio
import threading

import pytest

from asgikit import Bridge
from asgikit.errors import RunningLoopError, UnsupportedRuntimeError
from asgikit.executor import InlineExecutor
from asgikit.loop import CallingThreadLoopRunner
from tests.support.gate import Gate, until
from tests.support.packages import require_package
from tests.support.processes import run

GEVENT = """
import gevent.monkey
gevent.monkey.patch_all({what})
import asyncio, gevent, threading
from asgikit import Bridge
from asgikit.errors import UnsupportedRuntimeError
from asgikit.loop import CallingThreadLoopRunner
bridge = Bridge()
async def fetch(number):
    await asyncio.sleep(0)
    return number, await bridge.run_sync(threading.get_ident)
"""


def test_under_gevent_every_call_fails_with_one_clear_message() -> None:
    """L1: greenlets share one thread, which can run but one loop: no half of the calls works by luck."""
    require_package("gevent")
    done = run(
        f"""{GEVENT.format(what="")}
def call(number):
    try:
        return bridge.run_async(fetch, number)
    except UnsupportedRuntimeError as error:
        return str(error)
jobs = [gevent.spawn(call, number) for number in range(5)]
gevent.joinall(jobs, timeout=10)
messages = {{job.value for job in jobs}}
assert len(messages) == 1, messages
print(messages.pop())
async def main():
    try:
        await bridge.run_sync(int)
    except UnsupportedRuntimeError as error:
        print("the same" if "gevent" in str(error) else error)
asyncio.run(main())
"""
    )
    assert "gevent.monkey.patch_all()" in done.stdout
    assert done.stdout.endswith("the same\n")


def test_under_gevent_with_real_threads_calls_work() -> None:
    """L1: as the message advises."""
    require_package("gevent")
    done = run(
        f"""{GEVENT.format(what="thread=False")}
print([bridge.run_async(fetch, number)[0] for number in range(3)])
"""
    )
    assert done.stdout == "[0, 1, 2]\n"


def test_under_trio_an_await_is_a_named_error() -> None:
    """L2: sync_to_async says which runtime it met, and what to do."""
    require_package("trio")
    import trio

    async def main() -> None:
        with pytest.raises(UnsupportedRuntimeError, match="trio"):
            await bridge.run_sync(int)

    with Bridge() as bridge:
        trio.run(main)


@pytest.mark.leaves_threads("trio keeps idle threads for a while")
def test_under_trio_blocking_its_loop_is_a_named_error() -> None:
    """L2: async_to_sync on the thread that runs trio would stop everything there."""
    require_package("trio")
    import trio

    async def nothing() -> None:
        """Never runs."""

    async def main() -> None:
        with pytest.raises(RunningLoopError, match="trio"):
            bridge.run_async(nothing)
        assert await trio.to_thread.run_sync(bridge.run_async, where) is not None  # a thread of its own is fine

    async def where() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    with Bridge() as bridge:
        trio.run(main)


@pytest.mark.parametrize("thread_sensitive", [True, False])
def test_from_thread_of_anyio_works_in_our_workers(thread_sensitive: bool) -> None:
    """L3: `anyio.from_thread` finds the loop of the task that awaits, also from a thread that hosts."""
    require_package("anyio")
    import anyio.lowlevel
    from anyio import from_thread

    async def inner() -> asyncio.AbstractEventLoop:
        await anyio.lowlevel.checkpoint()
        return asyncio.get_running_loop()

    def function() -> tuple[object, object]:
        return from_thread.run(inner), from_thread.run_sync(threading.get_ident)

    async def main() -> None:
        here = (asyncio.get_running_loop(), threading.get_ident())
        assert await bridge.options(thread_sensitive=thread_sensitive).run_sync(function) == here

    with Bridge() as bridge:
        anyio.run(main)  # loads its asyncio backend
        bridge.run_async(main)


def test_from_thread_check_cancelled_in_our_workers() -> None:
    """L3, R: anyio's question does not break in a thread that is not its own."""
    require_package("anyio")
    from anyio import from_thread

    def function() -> str:
        gate()
        try:
            from_thread.check_cancelled()
        except BaseException as error:
            answers.append(type(error).__name__)
        else:
            answers.append("went on")
        return "done"

    async def main() -> None:
        task = asyncio.create_task(bridge.run_sync(function))
        await until(gate.begun.is_set)
        gate.open()
        assert await task == "done"

    answers = list[str]()
    with Bridge() as bridge, Gate() as gate:
        asyncio.run(main())
    assert len(answers) == 1


def test_our_workers_keep_no_token_of_anyio() -> None:
    """L3, I4: afterwards the worker is a thread like any other."""
    require_package("anyio")
    import anyio
    from anyio import from_thread

    def ask() -> int:
        return from_thread.run_sync(int)

    async def main() -> None:
        await bridge.run_sync(ask)

    with Bridge() as bridge:
        anyio.run(main)
        with pytest.raises(RuntimeError):
            bridge._parts.resources.sensitive_pool.default().submit(ask).result(5)


def test_without_threads_everything_runs_inline() -> None:
    """L4: an explicit choice; the loop is blocked, no thread is started."""

    async def fetch() -> tuple[int, int]:
        view = bridge.options(thread_sensitive=False)
        free = await view.run_sync(threading.get_ident)
        async with bridge.thread_sensitive_scope(executor=InlineExecutor()):
            return free, await bridge.run_sync(threading.get_ident)

    before = threading.active_count()
    with Bridge(worker_pool=InlineExecutor(), loop_runner=CallingThreadLoopRunner()) as bridge:
        assert bridge.run_async(fetch) == (threading.get_ident(), threading.get_ident())
        assert threading.active_count() == before
