"""anyio's `from_thread` functions work on our worker threads, and anyio can do our threads no harm."""

import asyncio
import importlib
import sys
from types import ModuleType

import pytest
from anyio import from_thread

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


def test_a_call_made_while_another_thread_imports_anyio_is_a_call_like_any_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, BACKEND, ModuleType(BACKEND))  # there, and nothing in it yet

    async def main() -> None:
        async with Bridge() as bridge:
            assert await asyncio.wait_for(bridge.run_sync(len, "abc"), 10) == 3

    asyncio.run(main())
