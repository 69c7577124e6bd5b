"""Which word counts when several were given: the wrapper's, then `options`, then the scope, then the bridge (E9)."""

import asyncio
import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from contextvars import Context, ContextVar
from dataclasses import fields
from typing import Any

import pytest

from asgikit import Bridge
from asgikit.bridge._options import Options
from asgikit.executor import InlineExecutor, ThreadSensitivePool, WorkerThreadPool
from asgikit.loop import SharedLoopRunner
from asgikit.testing import ManualClock

ONE, TWO = InlineExecutor(), InlineExecutor()
CONTEXT = Context()

# given when wrapping | given before, to options | what counts (only what is not None or False)
MERGED: list[tuple[dict[str, Any], dict[str, Any], dict[str, Any] | None]] = [
    ({}, {}, {}),
    ({"thread_sensitive": True}, {"thread_sensitive": False}, {"thread_sensitive": True}),
    ({"thread_sensitive": False}, {"thread_sensitive": True}, {"thread_sensitive": False}),
    ({}, {"thread_sensitive": False}, {"thread_sensitive": False}),
    ({}, {"thread_sensitive": False, "executor": ONE}, {"thread_sensitive": False, "executor": ONE}),
    ({"executor": TWO}, {"thread_sensitive": False, "executor": ONE}, {"thread_sensitive": False, "executor": TWO}),
    ({"executor": TWO}, {"thread_sensitive": False}, {"thread_sensitive": False, "executor": TWO}),
    ({"thread_sensitive": True}, {"thread_sensitive": False, "executor": ONE}, {"thread_sensitive": True}),
    ({"executor": ONE}, {}, None),
    ({"executor": ONE}, {"thread_sensitive": True}, None),
    ({"executor": ONE, "thread_sensitive": True}, {"thread_sensitive": False}, None),
    ({"context": CONTEXT}, {}, {"context": CONTEXT}),
    ({"context_policy": "isolate"}, {"context_policy": "shared"}, {"context_policy": "isolate"}),
    ({}, {"context_policy": "shared"}, {"context_policy": "shared"}),
    ({"timeout": 1.0}, {"timeout": 2.0}, {"timeout": 1.0}),
    ({"timeout": 0.0}, {"timeout": 2.0}, {"timeout": 0.0}),
    ({}, {"timeout": 2.0}, {"timeout": 2.0}),
    ({}, {"loop": "a loop"}, {"loop": "a loop"}),
    ({"loop": "another"}, {"loop": "a loop"}, {"loop": "another"}),
    ({"force_new_loop": True}, {"loop": "a loop"}, {"force_new_loop": True}),
    ({}, {"after_abandonment": True}, {"after_abandonment": True}),
    ({"after_abandonment": False}, {"after_abandonment": True}, {}),
]


@pytest.mark.parametrize(("given", "before", "expected"), MERGED)
def test_the_nearer_word_counts(given: dict[str, Any], before: dict[str, Any], expected: dict[str, Any] | None) -> None:
    """E9: None means that the two contradict each other, a TypeError."""
    if expected is None:
        with pytest.raises(TypeError, match="add thread_sensitive=False"):
            Options(**given).over(Options(**before))
        return
    merged = Options(**given).over(Options(**before))
    values = {field.name: getattr(merged, field.name) for field in fields(merged)}
    assert {name: value for name, value in values.items() if value is not None and value is not False} == {
        name: value for name, value in expected.items() if value is not False
    }
    assert merged.thread_sensitive is expected.get("thread_sensitive")


class Parts:
    """A bridge all of whose parts can be told apart by the names of their threads."""

    def __init__(self, stack: ExitStack) -> None:
        self.worker_pool = stack.enter_context(WorkerThreadPool(name="bridge-free"))
        self.sensitive_pool = stack.enter_context(ThreadSensitivePool(name="bridge-sensitive"))
        self.runner = stack.enter_context(closing(SharedLoopRunner(name="bridge-loop")))
        self.bridge = Bridge(worker_pool=self.worker_pool, sensitive_pool=self.sensitive_pool, loop_runner=self.runner)
        stack.enter_context(self.bridge)
        self.of_options = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="options"))
        self.of_wrapper = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="wrapper"))
        self.of_scope = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="scope"))


@pytest.fixture
def parts() -> Iterator[Parts]:
    """Give the parts, and close them."""
    with ExitStack() as stack:
        yield Parts(stack)


def name() -> str:
    """Name the pool of the thread."""
    return re.sub(r"[-_]\d+$", "", threading.current_thread().name)


# wrapper | options | scope | where it runs
PLACES = """
-        | -        | -        | asgikit-bridge-sensitive
free     | -        | -        | asgikit-bridge-free
executor | -        | -        | wrapper
-        | free     | -        | asgikit-bridge-free
-        | executor | -        | options
free     | executor | -        | options
home     | free     | -        | asgikit-bridge-sensitive
home     | executor | -        | asgikit-bridge-sensitive
executor | executor | -        | wrapper
-        | -        | executor | scope
home     | -        | executor | scope
free     | -        | executor | asgikit-bridge-free
executor | -        | executor | wrapper
-        | free     | executor | asgikit-bridge-free
-        | executor | executor | options
home     | executor | executor | scope
executor | executor | executor | wrapper
"""


@pytest.mark.parametrize("row", [line for line in PLACES.splitlines() if "|" in line])
def test_where_a_call_runs(parts: Parts, row: str) -> None:
    """E9: one order of precedence for every way to say it."""
    wrapper, options, scope, expected = (part.strip() for part in row.split("|"))

    def words(level: str, executor: ThreadPoolExecutor) -> dict[str, Any]:
        table: dict[str, dict[str, Any]] = {
            "-": {},
            "home": {"thread_sensitive": True},
            "free": {"thread_sensitive": False},
            "executor": {"thread_sensitive": False, "executor": executor},
        }
        return table[level]

    async def main() -> tuple[str, str]:
        view = parts.bridge.options(**words(options, parts.of_options))
        async with parts.bridge.thread_sensitive_scope(executor=parts.of_scope if scope == "executor" else None):
            wrapped: str = await view.sync_to_async(name, **words(wrapper, parts.of_wrapper))()
            now = await view.options(**words(wrapper, parts.of_wrapper)).run_sync(name)
            return wrapped, now

    assert set(asyncio.run(main())) == {expected}


async def loop_now() -> asyncio.AbstractEventLoop:
    """Return the running loop."""
    return asyncio.get_running_loop()


def test_which_loop_a_call_uses(parts: Parts) -> None:
    """E9, F7: loop= of the wrapper, then of options, then the caller's loop, then the loop scope, then the runner."""
    bridge = parts.bridge
    runners = [SharedLoopRunner(), SharedLoopRunner()]
    with closing(runners[0]), closing(runners[1]):
        first, second = (Bridge(loop_runner=runner).run_async(loop_now) for runner in runners)
        of_bridge = bridge.run_async(loop_now)
        assert len({first, second, of_bridge}) == 3
        view = bridge.options(loop=first)

        def loops() -> dict[str, asyncio.AbstractEventLoop]:
            return {
                "wrapper over options": view.async_to_sync(loop_now, loop=second)(),
                "options": view.async_to_sync(loop_now)(),
                "options, called now": view.run_async(loop_now),
                "nothing said": bridge.run_async(loop_now),
                "a new one": view.async_to_sync(loop_now, force_new_loop=True)(),
            }

        async def warm() -> dict[str, asyncio.AbstractEventLoop]:
            return await bridge.run_sync(loops)

        said = {"wrapper over options": second, "options": first, "options, called now": first}
        assert loops() == {**said, "nothing said": of_bridge, "a new one": of_bridge}
        with bridge.loop_scope():
            of_scope = bridge.run_async(loop_now)
            assert of_scope not in {first, second, of_bridge}
            assert loops() == {**said, "nothing said": of_scope, "a new one": of_bridge}
            assert bridge.run_async(warm) == {**said, "nothing said": of_scope, "a new one": of_bridge}
        assert bridge.async_to_sync(warm, loop=second)() == {**said, "nothing said": second, "a new one": of_bridge}


def test_the_policy_of_the_bridge_is_the_last_word() -> None:
    """E9: `options` count before the bridge."""
    variable: ContextVar[str] = ContextVar("variable", default="unset")

    async def seen_after(view: Any) -> str:
        variable.set("before")
        await view.run_sync(variable.set, "after")
        return variable.get()

    with Bridge(context_policy="isolate") as isolating, Bridge() as propagating:
        assert asyncio.run(seen_after(isolating)) == "before"
        assert asyncio.run(seen_after(isolating.options(context_policy="propagate"))) == "after"
        assert asyncio.run(seen_after(propagating)) == "after"
        assert asyncio.run(seen_after(propagating.options(context_policy="isolate"))) == "before"


def test_views_leave_each_other_and_the_bridge_alone() -> None:
    """E9: a view is a choice for those who hold it."""
    clock = ManualClock()
    with Bridge(clock=clock) as bridge:
        free = bridge.options(thread_sensitive=False)
        free.options(thread_sensitive=True, timeout=1.0)

        async def main() -> None:
            assert (await bridge.run_sync(name)).startswith("asgikit-sensitive")
            assert (await free.run_sync(name)).startswith("asgikit-worker")

        asyncio.run(main())
