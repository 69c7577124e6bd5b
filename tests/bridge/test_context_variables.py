"""Context variables across both crossings: what the callee changed, and nothing else, comes back."""

import asyncio
import gc
import threading
import weakref
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from contextvars import Context, ContextVar, copy_context
from typing import Any, Literal

import pytest

from asgikit import Bridge
from asgikit.executor import ThreadSensitivePool, WorkerThreadPool
from asgikit.testing import ManualExecutor
from tests.support.held import SECONDS

user: ContextVar[object] = ContextVar("user", default="nobody")
other: ContextVar[object] = ContextVar("other", default="nothing")


@pytest.fixture(name="bridge")
def make_bridge() -> Iterator[Bridge]:
    """Give a bridge, and close it."""
    with Bridge() as bridge:
        yield bridge


@pytest.fixture(autouse=True)
def _fresh_variables() -> Iterator[None]:
    """Let each test find the variables unset, also if it sets them in pytest's own context."""
    tokens = user.set("nobody"), other.set("nothing")
    yield
    user.reset(tokens[0])
    other.reset(tokens[1])


class Incomparable:
    """A value that must not be compared, and does not want to be hashed either."""

    def __eq__(self, other: object) -> bool:
        raise AssertionError("asgikit compares by identity")

    __hash__ = None  # type: ignore[assignment] # that is how Python spells it


class AlwaysEqual:
    """A value that is equal to everything."""

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


# There and back

Policy = Literal["propagate", "isolate", "shared"]
# policy | sync_to_async: what the function sees, what the caller sees afterwards | async_to_sync: the same two
POLICIES: list[tuple[Policy, tuple[str, str], tuple[str, str]]] = [
    ("propagate", ("caller", "callee"), ("caller", "callee")),
    ("isolate", ("caller", "caller"), ("caller", "caller")),
    ("shared", ("caller", "callee"), ("caller", "callee")),
]


@pytest.mark.parametrize("ending", ["result", "error"])
@pytest.mark.parametrize(("policy", "of_sync", "of_async"), POLICIES)
def test_policies(
    bridge: Bridge, policy: Policy, of_sync: tuple[str, str], of_async: tuple[str, str], ending: str
) -> None:
    """G5, E9: named options, the same on both sides; also after an exception."""
    view = bridge.options(context_policy=policy)

    def change() -> object:
        before = user.get()
        user.set("callee")
        if ending == "error":
            raise LookupError(before)
        return before

    async def achange() -> object:
        return change()

    def seen(call: Callable[[], object]) -> object:
        try:
            return call()
        except LookupError as error:
            return error.args[0]

    async def main() -> tuple[object, object]:
        user.set("caller")
        try:
            found = await view.run_sync(change)
        except LookupError as error:
            found = error.args[0]
        return found, user.get()

    assert asyncio.run(main()) == of_sync

    def sync_side() -> tuple[object, object]:
        user.set("caller")
        return seen(lambda: view.run_async(achange)), user.get()

    assert Context().run(sync_side) == of_async


def test_through_all_levels_and_back(bridge: Bridge) -> None:
    """G5: a value set three crossings down is seen at the top, one set at the top three crossings down."""
    seen: list[object] = []

    async def innermost() -> None:
        seen.append(user.get())
        user.set("innermost")

    def middle() -> None:
        bridge.run_async(innermost)

    async def outer() -> None:
        await bridge.sync_to_async(middle, thread_sensitive=False)()

    def top() -> object:
        user.set("top")
        bridge.run_async(outer)
        return user.get()

    assert Context().run(top) == "innermost"
    assert seen == ["top"]


def test_only_what_the_callee_changed_is_written_back(bridge: Bridge) -> None:
    """G2: what others set meanwhile, in the same context, stays."""
    user.set("before")
    other.set("before")
    executor = ManualExecutor()
    view = bridge.options(thread_sensitive=False, executor=executor)

    async def main() -> tuple[object, object]:
        call = view.run_sync(user.set, "callee")
        waiter: asyncio.Future[None] = call.send(None)  # a runner steps the coroutine in a context that others use, too
        ended = asyncio.Event()
        waiter.add_done_callback(lambda _: ended.set())
        other.set("meanwhile")
        executor.run_next()
        await ended.wait()
        with pytest.raises(StopIteration):
            call.send(None)
        return user.get(), other.get()

    assert asyncio.run(main()) == ("callee", "meanwhile")


def test_values_are_compared_by_identity(bridge: Bridge) -> None:
    """G2: no `__eq__` or `__hash__` of a user's value is ever called."""
    first, second = Incomparable(), Incomparable()

    async def achange() -> None:
        user.set(second)

    async def main() -> bool:
        user.set(first)
        other.set(first)
        await bridge.run_sync(user.set, second)
        return user.get() is second and other.get() is first

    assert asyncio.run(main())

    def sync_side() -> bool:
        user.set(first)
        bridge.run_async(achange)
        return user.get() is second

    assert Context().run(sync_side)


def test_a_value_replaced_by_an_equal_one_is_written_back(bridge: Bridge) -> None:
    """G2: equal is not the same."""
    first, second = AlwaysEqual(), AlwaysEqual()

    async def main() -> bool:
        user.set(first)
        await bridge.run_sync(user.set, second)
        return user.get() is second

    async def achange() -> None:
        user.set(second)

    def sync_side() -> bool:
        user.set(first)
        bridge.run_async(achange)
        return user.get() is second

    assert asyncio.run(main())
    assert Context().run(sync_side)


def test_a_variable_set_and_reset_by_the_callee_is_as_before(bridge: Bridge) -> None:
    """G2: also one that had no value."""
    fresh: ContextVar[int] = ContextVar("fresh")

    def set_and_reset() -> None:
        fresh.reset(fresh.set(1))
        user.reset(user.set("callee"))

    async def main() -> tuple[bool, object]:
        user.set("before")
        await bridge.run_sync(set_and_reset)
        return fresh in copy_context(), user.get()

    assert asyncio.run(main()) == (False, "before")


def test_siblings_do_not_see_each_other(bridge: Bridge) -> None:
    """G2: tasks that call at the same time, on one thread or on several."""

    async def task(name: str, *, thread_sensitive: bool) -> object:
        user.set(name)
        before: object = await bridge.sync_to_async(user.get, thread_sensitive=thread_sensitive)()
        await bridge.sync_to_async(other.set, thread_sensitive=thread_sensitive)(name)
        return before, user.get(), other.get()

    async def main() -> None:
        for sensitive in (True, False):
            found = await asyncio.gather(*(task(str(number), thread_sensitive=sensitive) for number in range(10)))
            assert found == [(str(number),) * 3 for number in range(10)]
        assert (user.get(), other.get()) == ("nobody", "nothing")

    asyncio.run(main())


def test_a_callee_that_sets_nothing_costs_no_look_at_the_variables(
    bridge: Bridge, monkeypatch: pytest.MonkeyPatch
) -> None:
    """G4: one identity check says that nothing was changed, however many variables there are."""
    from asgikit.bridge import _async_call, _sync_call

    def refuse(*_: object) -> None:
        raise AssertionError("nothing was changed")

    monkeypatch.setattr(_sync_call, "write_back", refuse)
    monkeypatch.setattr(_async_call, "write_back", refuse)

    async def main() -> None:
        await bridge.run_sync(user.get)

    user.set("caller")
    asyncio.run(main())
    bridge.run_async(main)
    with pytest.raises(AssertionError, match="nothing was changed"):
        asyncio.run(bridge.sync_to_async(user.set)("callee"))


# The chain itself


def test_the_chain_is_not_written_back(bridge: Bridge) -> None:
    """Which crossings lie above is no value of users: a scope entered by the callee ends with it."""

    async def enter() -> None:
        scope = bridge.thread_sensitive_scope(executor=pool)
        await scope.__aenter__()

    with ThreadPoolExecutor(1, thread_name_prefix="scope") as pool:
        bridge.run_async(enter)

        async def main() -> str:
            await bridge.run_sync(lambda: bridge.run_async(enter))
            return await bridge.run_sync(lambda: threading.current_thread().name)

        assert asyncio.run(main()).startswith("asgikit-sensitive")


# A context that is given


def test_a_given_context_is_used_and_changed_and_the_caller_is_not(bridge: Bridge) -> None:
    """G3: its changes are written there."""
    given = Context()
    given.run(user.set, "given")

    def change() -> object:
        before = user.get()
        user.set("callee")
        return before

    async def main() -> tuple[object, object]:
        user.set("caller")
        return await bridge.sync_to_async(change, context=given)(), user.get()

    assert asyncio.run(main()) == ("given", "caller")
    assert given[user] == "callee"


@pytest.mark.parametrize("thread_sensitive", [True, False])
def test_calls_given_one_context_take_turns_on_it(bridge: Bridge, thread_sensitive: bool) -> None:
    """G3: none fails, none loses what another has written; tasks in that context neither."""
    given = Context()
    trail: ContextVar[tuple[str, ...]] = ContextVar("trail", default=())

    def append(name: str) -> None:
        trail.set((*trail.get(), name))

    async def aappend(name: str) -> None:
        append(name)

    async def main() -> None:
        call = bridge.sync_to_async(append, thread_sensitive=thread_sensitive, context=given)
        tasks = [asyncio.get_running_loop().create_task(aappend(name), context=given) for name in "ab"]
        await asyncio.gather(call("1"), call("2"), *tasks, call("3"))
        assert trail.get() == ()

    asyncio.run(main())
    assert sorted(given.run(trail.get)) == ["1", "2", "3", "a", "b"]


def test_the_context_of_the_running_task_may_be_given(bridge: Bridge) -> None:
    """G3: though it is entered."""
    given = Context()

    async def main() -> object:
        await bridge.sync_to_async(user.set, context=given)("callee")
        return user.get()

    async def outer() -> object:
        return await asyncio.get_running_loop().create_task(main(), context=given)

    assert asyncio.run(outer()) == "callee"


# The shared policy


def test_a_token_can_be_reset_in_a_later_step_of_the_task(bridge: Bridge) -> None:
    """G1: with the shared policy, in synchronous and in async steps."""
    view = bridge.options(context_policy="shared")

    async def main() -> list[object]:
        tokens = [user.set("first")]
        tokens.append(await view.run_sync(user.set, "second"))
        seen = [user.get()]
        await view.run_sync(user.reset, tokens.pop())
        seen.append(user.get())
        user.reset(tokens.pop())
        return [*seen, user.get()]

    assert asyncio.run(main()) == ["second", "first", "nobody"]


def test_the_shared_policy_never_meets_a_context_that_is_entered(bridge: Bridge) -> None:
    """G1: however quick the worker is."""

    class Quick:
        def submit(self, fn: Callable[[], Any]) -> Any:
            with ThreadPoolExecutor(1) as pool:
                return pool.submit(fn)

    async def main() -> object:
        view = bridge.options(context_policy="shared", thread_sensitive=False, executor=Quick())
        await view.run_sync(user.set, "callee")
        return user.get()

    assert asyncio.run(main()) == "callee"


# What workers keep


class Value:
    """Something that must not be kept."""


@pytest.mark.parametrize("ending", ["result", "error"])
@pytest.mark.parametrize("thread_sensitive", [True, False])
def test_a_worker_keeps_nothing_of_a_call(thread_sensitive: bool, ending: str) -> None:
    """G6, I4: no context, no argument, no result, no loop."""

    def call(argument: Value) -> Value:
        user.set(argument)
        if ending == "error":
            raise LookupError
        return argument

    async def cross() -> "tuple[weakref.ref[Value], weakref.ref[asyncio.AbstractEventLoop]]":
        value = Value()
        other.set(value)
        with suppress(LookupError):
            await bridge.sync_to_async(call, thread_sensitive=thread_sensitive)(value)
        return weakref.ref(value), weakref.ref(asyncio.get_running_loop())

    with Bridge(worker_pool=(pool := WorkerThreadPool(1))) as bridge, pool:
        value, loop = asyncio.run(cross())
        asyncio.run(bridge.sync_to_async(int, thread_sensitive=thread_sensitive)())  # the worker has gone on
        gc.collect()
        assert value() is None
        assert loop() is None


def test_workers_start_with_an_empty_context() -> None:
    """G6: what the first caller had set is nothing to those that come later through another door."""
    with ThreadSensitivePool() as sensitive, WorkerThreadPool(1) as free:
        with Bridge(sensitive_pool=sensitive, worker_pool=free) as bridge:

            async def main() -> None:
                user.set("first caller")
                assert await bridge.run_sync(user.get) == "first caller"
                assert await bridge.options(thread_sensitive=False).run_sync(user.get) == "first caller"

            asyncio.run(main())
        for pool in (sensitive, free):
            assert pool.submit(lambda: list(copy_context())).result(SECONDS) == []
