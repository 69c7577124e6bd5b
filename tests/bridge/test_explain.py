"""What `explain` says agrees with what then happens."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from asgikit import Bridge


def thread_name() -> str:
    return threading.current_thread().name


def test_async_code_with_nothing_above() -> None:
    async def main() -> str:
        return bridge.explain()

    with Bridge() as bridge:
        sync, loop, context = asyncio.run(main()).splitlines()
    assert sync.startswith("sync_to_async: on the bridge's one default worker")
    assert "RunningLoopError" in loop
    assert "written back (propagate)" in context


def test_under_a_waiting_caller_it_is_that_thread() -> None:
    async def main() -> tuple[str, str]:
        return bridge.explain().splitlines()[0], await bridge.run_sync(thread_name)

    with Bridge() as bridge:
        said, name = bridge.run_async(main)
    assert f"on thread {name!r}, the nearest synchronous caller" in said


def test_in_sync_code_it_names_the_loop_of_its_caller() -> None:
    async def main() -> str:
        return await bridge.run_sync(bridge.explain)

    with Bridge() as bridge:
        said = asyncio.run(main()).splitlines()[1]
    assert "the loop of the async code that called asgikit.bridge._view.BridgeView.explain" in said


def test_in_plain_code_it_names_the_runner_or_the_loop_scope() -> None:
    with Bridge() as bridge:
        assert bridge.explain().splitlines()[1].startswith("async_to_sync: on a loop of PerCallLoopRunner")
        with bridge.loop_scope():
            assert bridge.explain().splitlines()[1] == "async_to_sync: on the loop of the enclosing loop_scope"


def test_scopes_before_and_after_their_first_call_and_after_their_end() -> None:
    async def main() -> list[str]:
        said: list[str] = []
        async with bridge.thread_sensitive_scope():
            said.append(bridge.explain().splitlines()[0])
            name = await bridge.run_sync(thread_name)
            said.append(bridge.explain().splitlines()[0])
            assert repr(name) in said[-1]
        left = asyncio.Event()

        async def outlive() -> str:
            await left.wait()
            return bridge.explain().splitlines()[0]

        with ThreadPoolExecutor(1) as executor:
            async with bridge.thread_sensitive_scope(executor=executor):
                said.append(bridge.explain().splitlines()[0])
                task = asyncio.create_task(outlive())
            left.set()
            said.append(await task)
        return said

    with Bridge() as bridge:
        before, after, given, ended = asyncio.run(main())
    assert "a worker still to be leased" in before
    assert "leased by the enclosing thread_sensitive_scope" in after
    assert "ThreadPoolExecutor" in given
    assert "(ScopeError)" in ended


@pytest.mark.parametrize(
    ("options", "line", "words"),
    [
        ({"thread_sensitive": False}, 0, "because thread_sensitive=False"),
        ({"context_policy": "isolate"}, 2, "changes stay there (isolate)"),
        ({"context_policy": "shared"}, 2, "the task's own"),
    ],
)
def test_options_are_said(options: dict[str, Any], line: int, words: str) -> None:
    with Bridge() as bridge:
        assert words in bridge.options(**options).explain().splitlines()[line]
