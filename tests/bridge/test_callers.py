"""Calls for adapters: `sync_caller` and `async_caller`, which check nothing, and `calling_loop`."""

import asyncio
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar, copy_context
from typing import Any

import pytest

from asgikit import Bridge
from asgikit.bridge import calling_loop
from asgikit.errors import ExecutorContractError, RunningLoopError
from asgikit.protocols import Crossing
from asgikit.testing import ManualClock

VARIABLE: ContextVar[str] = ContextVar("VARIABLE")


@pytest.fixture(name="bridge")
def make_bridge() -> Iterator[Bridge]:
    """Give a bridge, and close it."""
    with Bridge(clock=ManualClock()) as bridge:
        yield bridge


class Recorder:
    """Notes the names of crossings."""

    def __init__(self) -> None:
        """Have none."""
        self.names: list[str] = []

    def queued(self, crossing: Crossing) -> None:
        """Note one."""
        self.names.append(crossing.name)

    def started(self, crossing: Crossing) -> None: ...
    def finished(self, crossing: Crossing) -> None: ...
    def abandoned(self, crossing: Crossing) -> None: ...
    def stalled(self, crossing: Crossing, report: str) -> None: ...


def everything(func: str, /, *args: int, **kwargs: object) -> tuple[object, ...]:
    """Say what came."""
    return func, args, kwargs


async def aeverything(func: str, /, *args: int, **kwargs: object) -> tuple[object, ...]:
    """Say what came."""
    return func, args, kwargs


def test_arguments_of_every_name_pass(bridge: Bridge) -> None:
    given: dict[str, Any] = {"self": 2, "func": 3, "args": 4, "kwargs": 5, "loop": 6}
    expected = "func", (1,), given
    assert asyncio.run(bridge.sync_caller()(everything, "func", 1, **given)) == expected
    assert bridge.async_caller()(aeverything, "func", 1, **given) == expected


def test_a_sync_caller_keeps_its_choices(bridge: Bridge) -> None:
    """E9: as those of a wrapper; what it leaves open is the view's."""
    context = copy_context()

    async def main() -> None:
        sensitive, free = bridge.sync_caller(), bridge.sync_caller(thread_sensitive=False)
        home = await bridge.run_sync(threading.get_ident)
        assert await sensitive(threading.get_ident) == home
        assert await free(threading.get_ident) not in {home, threading.get_ident()}
        assert await bridge.options(thread_sensitive=False).sync_caller()(threading.get_ident) != home
        named = bridge.sync_caller(thread_sensitive=False, executor=executor)
        assert (await named(threading.current_thread)).name.startswith("given")
        await bridge.sync_caller(context=context)(VARIABLE.set, "written")

    with ThreadPoolExecutor(1, thread_name_prefix="given") as executor:
        asyncio.run(main())
    assert context[VARIABLE] == "written"
    assert VARIABLE.get(None) is None


def test_an_async_caller_keeps_its_choices(bridge: Bridge) -> None:
    """F1: `force_new_loop` and `loop` mean what they mean to a wrapper."""

    async def running() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    async def main() -> None:
        own = asyncio.get_running_loop()
        assert await bridge.run_sync(lambda: bridge.async_caller()(running)) is own
        assert await bridge.run_sync(lambda: bridge.async_caller(force_new_loop=True)(running)) is not own
        assert await asyncio.to_thread(lambda: bridge.async_caller(loop=own)(running)) is own
        with pytest.raises(RunningLoopError, match="running"):
            bridge.async_caller()(running)

    asyncio.run(main())


def test_an_async_caller_with_a_timeout() -> None:
    """B4: real time, and none of it is waited for."""
    with Bridge() as bridge, pytest.raises(TimeoutError, match=r"Event\.wait did not end within 0 seconds"):
        bridge.async_caller(timeout=0)(asyncio.Event().wait)


def test_what_contradicts_itself_is_refused_when_the_caller_is_made(bridge: Bridge) -> None:
    with pytest.raises(TypeError, match="thread_sensitive"), ThreadPoolExecutor(1) as executor:
        bridge.sync_caller(thread_sensitive=True, executor=executor)
    with pytest.raises(ExecutorContractError, match="no submit"):
        bridge.sync_caller(thread_sensitive=False, executor=object())  # type: ignore[arg-type]
    loop = asyncio.new_event_loop()
    with pytest.raises(TypeError, match=re.escape("force_new_loop=True and loop=")):
        bridge.async_caller(force_new_loop=True, loop=loop)
    loop.close()


def test_calls_are_named_after_the_function(bridge: Bridge) -> None:
    """A9, Q1: reports and observers name what was called, and not the caller."""
    seen = Recorder()
    with bridge.observe(seen):
        asyncio.run(bridge.sync_caller()(everything, "a"))
        bridge.async_caller()(aeverything, "a")
    assert [name.rpartition(".")[2] for name in seen.names] == ["everything", "aeverything"]


def test_the_calling_loop(bridge: Bridge) -> None:
    """The loop of the async code above: of any bridge, and also where the function runs on that loop's own thread."""

    async def inside() -> asyncio.AbstractEventLoop | None:
        return await bridge.run_sync(calling_loop)

    async def main() -> None:
        loop = asyncio.get_running_loop()
        assert calling_loop() is None
        assert await inside() is loop
        assert await bridge.options(thread_sensitive=False).run_sync(calling_loop) is loop
        with Bridge() as other:
            assert await other.run_sync(calling_loop) is loop

    asyncio.run(main())
    assert calling_loop() is None

    async def here_and_inside() -> None:
        outer = calling_loop()
        assert outer is not asyncio.get_running_loop()  # of the function that runs this loop
        assert await inside() is asyncio.get_running_loop()  # inline, on this very thread

    async def around() -> None:
        await bridge.run_sync(asyncio.run, here_and_inside())

    asyncio.run(around())
