"""What a bridge writes back of a namespace: what the callee changed, and nothing else."""

import asyncio
import contextvars

import pytest

from asgikit import Bridge
from asgikit.local import Local, snapshot
from asgikit.local._base import key_of
from asgikit.local._values import SHARDS


@pytest.mark.parametrize("crossing", ["function", "coroutine"])
def test_what_others_set_in_the_same_context_meanwhile_stays(crossing: str) -> None:
    """G2: two tasks in one context, as some test runners have them; one calls, the other sets meanwhile."""
    local, other = Local(), Local()
    key_of(other).var = key_of(local).var  # the worst case: both on one shard
    local.kept, local.gone = 1, 1

    async def caller(bridge: Bridge, called: asyncio.Event, may_end: asyncio.Event) -> None:
        loop = asyncio.get_running_loop()

        async def wait() -> None:
            called.set()
            await may_end.wait()

        def function() -> None:
            local.mine = "callee"
            del local.gone
            asyncio.run_coroutine_threadsafe(wait(), loop).result(10)

        async def coroutine() -> None:
            local.mine = "callee"
            del local.gone
            await wait()

        if crossing == "function":
            await bridge.run_sync(function)
        else:
            await bridge.run_sync(bridge.run_async, coroutine)

    async def main() -> None:
        called, may_end = asyncio.Event(), asyncio.Event()
        context = contextvars.copy_context()
        with Bridge() as bridge:
            task = asyncio.get_running_loop().create_task(caller(bridge, called, may_end), context=context)
            await called.wait()
            context.run(setattr, local, "theirs", "other task")
            context.run(setattr, other, "theirs", "other task")
            may_end.set()
            await task
        assert context.run(snapshot, local) == {"kept": 1, "mine": "callee", "theirs": "other task"}
        assert context.run(snapshot, other) == {"theirs": "other task"}

    asyncio.run(main())


def test_written_back_after_an_exception() -> None:
    """G2, G5: what the callee set before it failed is seen."""
    local = Local()

    def fail() -> None:
        local.x = 1
        raise LookupError

    async def main() -> None:
        with Bridge() as bridge:
            with pytest.raises(LookupError):
                await bridge.run_sync(fail)
            assert local.x == 1
            with pytest.raises(AttributeError):
                await bridge.run_sync(delattr, local, "y")
            await bridge.run_sync(delattr, local, "x")
            assert not hasattr(local, "x")

    asyncio.run(main())


def test_isolated_calls_write_nothing_back() -> None:
    """G5: the policy of the bridge counts for namespaces as for variables."""
    local = Local()
    local.x = 1

    async def main() -> None:
        with Bridge(context_policy="isolate") as bridge:
            await bridge.run_sync(setattr, local, "x", 2)
            assert local.x == 1

    asyncio.run(main())


def test_workers_begin_empty() -> None:
    """G6: what one caller set is not seen by the next on the same worker, whose context holds nothing of it."""
    local = Local()

    async def main() -> None:
        with Bridge() as bridge:

            async def write() -> None:
                local.x = 1
                await bridge.run_sync(setattr, local, "y", 1)

            async def look() -> object:
                return await bridge.run_sync(snapshot, local)

            await asyncio.create_task(write())
            assert await asyncio.create_task(look()) == {}

    asyncio.run(main())


def test_calls_that_share_one_context() -> None:
    """G3: side by side on one given context they take turns, and each finds what the one before left."""
    local = Local()
    context = contextvars.Context()
    context.run(setattr, local, "count", 0)

    def count() -> None:
        local.count += 1

    async def main() -> None:
        with Bridge() as bridge:
            counting = bridge.sync_to_async(count, thread_sensitive=False, context=context)
            await asyncio.gather(*(counting() for _ in range(20)))

    asyncio.run(main())
    assert context.run(getattr, local, "count") == 20


def test_a_context_does_not_grow_with_the_number_of_namespaces() -> None:
    """G4: however many namespaces have values, what a crossing looks through has an upper bound."""
    alive: list[Local] = []

    def fill() -> int:
        for number in range(1000):
            local = Local()
            local.number = number
            alive.append(local)
        return len(contextvars.copy_context())

    assert contextvars.Context().run(fill) <= len(SHARDS)
