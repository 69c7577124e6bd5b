"""anyio's `from_thread` functions work on our worker threads, and anyio can do our threads no harm."""

import asyncio
import contextlib
import importlib
import sys
import threading
from types import ModuleType

import pytest
from anyio import NoEventLoopError, from_thread, to_thread
from anyio._core._eventloop import threadlocals

from asgikit import Bridge

BACKEND = "anyio._backends._asyncio"


@pytest.mark.parametrize("thread_sensitive", [True, False])
def test_anyio_finds_the_loop_that_called(thread_sensitive: bool) -> None:
    async def running_loop() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    async def main() -> None:
        importlib.import_module(BACKEND)  # as anyio does at its first use
        async with Bridge() as bridge:
            crossing = bridge.options(thread_sensitive=thread_sensitive)
            found = await crossing.run_sync(from_thread.run, running_loop)
            assert found is asyncio.get_running_loop()

    asyncio.run(main())


@pytest.mark.parametrize("fails", [False, True])
def test_the_loop_is_lent_for_the_time_of_the_call(fails: bool) -> None:
    """The home thread is the caller's own here: what anyio finds on it afterwards is what it found before."""

    def job() -> None:
        from_thread.run_sync(int)
        if fails:
            raise ValueError

    async def main() -> None:
        importlib.import_module(BACKEND)
        with contextlib.suppress(ValueError):
            await bridge.run_sync(job)

    with Bridge() as bridge:
        bridge.run_async(main)
        with pytest.raises(NoEventLoopError):
            from_thread.run_sync(int)


def test_a_worker_of_anyio_keeps_the_loop_of_anyio() -> None:
    def job() -> int:
        return threading.get_ident()

    async def inner() -> int:
        return await bridge.run_sync(job)

    def on_a_worker_of_anyio() -> asyncio.AbstractEventLoop:
        assert bridge.run_async(inner) == threading.get_ident()
        return from_thread.run_sync(asyncio.get_running_loop)

    async def main() -> None:
        assert await to_thread.run_sync(on_a_worker_of_anyio) is asyncio.get_running_loop()

    with Bridge() as bridge:
        asyncio.run(main())


def test_what_anyio_keeps_for_its_workers_is_what_a_call_finds() -> None:
    """So that a change in anyio's private parts is seen here; a cancel scope is a call's of anyio's own."""

    def kept() -> set[str]:
        return set(threadlocals.__dict__)

    async def main() -> None:
        async with Bridge() as bridge:
            anyios = await to_thread.run_sync(kept)
            assert await bridge.run_sync(kept) == anyios - {"current_cancel_scope"} != set()

    asyncio.run(main())


def test_an_anyio_without_tokens_says_itself_where_it_cannot_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before 4.11 it wanted a cancel scope of its own, too, which nobody else can give it."""

    def ask() -> None:
        from_thread.run_sync(threading.get_ident)

    async def main() -> None:
        importlib.import_module(BACKEND)
        monkeypatch.delattr("anyio.lowlevel.EventLoopToken")
        async with Bridge() as bridge:
            with pytest.raises(NoEventLoopError):
                await bridge.run_sync(ask)

    asyncio.run(main())


def test_a_call_made_while_another_thread_imports_anyio_is_a_call_like_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, BACKEND, ModuleType(BACKEND))  # there, and nothing in it yet

    async def main() -> None:
        async with Bridge() as bridge:
            assert await asyncio.wait_for(bridge.run_sync(len, "abc"), 10) == 3

    asyncio.run(main())
