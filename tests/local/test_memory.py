"""Nothing stays: not with the context, not with the thread, not for the collector; and nobody waits for a lock."""

import asyncio
import gc
import sys
import threading
import weakref
from collections.abc import Callable, Iterator
from contextvars import Context, copy_context
from dataclasses import field
from types import FrameType
from typing import Any

import pytest

from asgikit.local import Local, LocalNamespace, LocalVar, ThreadCriticalLocal, clear, snapshot
from tests.local import memory


class Value:
    """Something that shows when it goes."""


class Fields(LocalNamespace):
    """A namespace with fields."""

    value: Value
    made: list[Value] = field(default_factory=list[Value])


@pytest.fixture(autouse=True)
def _no_collector() -> Iterator[None]:
    """What goes must go by reference counting."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@pytest.mark.parametrize("make", [Local, Fields, ThreadCriticalLocal])
def test_no_garbage_for_the_collector(make: Callable[[], Any]) -> None:
    """H6: no use of a namespace, a missing attribute included, makes a reference cycle."""

    def use() -> None:
        for _ in range(100):
            local = make()
            local.value = Value()
            copy_context().run(setattr, local, "value", Value())
            for access in (getattr, delattr):
                with pytest.raises(AttributeError):
                    access(local, "missing")
            assert not hasattr(local, "missing")
            for look in (repr, dir, snapshot):
                look(local)
            local.other = Value()
            del local.other
            clear(local)
            local.value = Value()

    async def task() -> None:
        use()

    Context().run(use)
    gc.collect()
    Context().run(use)
    assert gc.collect() == 0

    asyncio.run(task())
    gc.collect()
    asyncio.run(asyncio.sleep(0))
    loops_own = gc.collect()
    asyncio.run(task())
    assert gc.collect() <= loops_own


@pytest.mark.parametrize("kind", ["Local", "Fields", "LocalVar"])
def test_nothing_is_kept_after_the_context(kind: str) -> None:
    """H6: the last context that holds a value takes it along."""
    local, fields, var = Local(), Fields(), LocalVar[Value]("value")
    outer, value = Context(), Value()
    alive = weakref.ref(value)
    match kind:
        case "Local":
            outer.run(setattr, local, "value", value)
        case "Fields":
            outer.run(setattr, fields, "value", value)
        case _:
            outer.run(var.set, value)
    del value
    inner = outer.copy()
    del outer
    assert alive() is not None
    del inner
    assert alive() is None


def test_nothing_is_kept_after_the_namespace() -> None:
    """H6: dropped where it was used, it takes its values along, as a `threading.local` does."""
    for make in (Local, Fields, ThreadCriticalLocal):
        local: Any = make()
        local.value = value = Value()
        alive = weakref.ref(value)
        del value, local
        assert alive() is None


def test_a_namespace_can_be_referred_to_weakly() -> None:
    for make in (Local, Fields, ThreadCriticalLocal):
        local: Any = make()
        alive = weakref.ref(local)
        local.x = 1
        del local
        assert alive() is None


def test_nothing_is_kept_after_the_thread() -> None:
    """H6: a thread takes its values of a ThreadCriticalLocal along."""
    local = ThreadCriticalLocal()
    seen: list[weakref.ref[Value]] = []

    def run() -> None:
        local.value = Value()
        seen.append(weakref.ref(local.value))
        asyncio.run(in_task())

    async def in_task() -> None:
        local.value = Value()
        seen.append(weakref.ref(local.value))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join(10)
    del thread
    assert seen[0]() is None
    gc.collect()  # asyncio.run leaves cycles of its own
    assert seen[1]() is None


@pytest.mark.parametrize(("job", "count"), [(memory.one_by_one, 100_000), (memory.all_at_once, 20_000)])
def test_100_000_in_one_long_lived_task(job: Callable[[int], None], count: int) -> None:
    """H6: flat memory, nothing left in the context, no garbage."""

    async def task() -> None:
        local = Local()
        local.here = "before"
        kept = memory.kept()
        memory.measure(job, 100)
        before, after, garbage = memory.measure(job, count)
        assert garbage == 0
        assert abs(after.blocks - before.blocks) < count / 20
        assert memory.kept() == kept
        assert local.here == "before"

    asyncio.run(task())


@pytest.mark.parametrize("make", [Local, Fields, ThreadCriticalLocal])
def test_no_lock_on_reads(make: Callable[[], Any]) -> None:
    """H5: a read calls a handful of built-in functions, none of which can wait."""
    local = make()
    local.value = 1
    called: set[str] = set()

    def profile(_: FrameType, event: str, argument: Any) -> None:
        if event == "c_call":
            called.add(argument.__name__)

    def read() -> None:
        sys.setprofile(profile)
        try:
            _ = local.value
            _ = getattr(local, "missing", None)
        finally:
            sys.setprofile(None)

    read()
    assert called <= {"get", "_get_running_loop", "getattr", "setprofile", "__get__"}


def test_writers_on_many_threads() -> None:
    """H5, L5: threads that write, read and drop side by side disturb nobody, also without the GIL."""
    shared, critical = Local(), ThreadCriticalLocal()
    shared.x = "main"
    start = threading.Barrier(8)
    errors: list[BaseException] = []

    def run(number: int) -> None:
        try:
            start.wait(10)
            for step in range(300):
                own = Local()
                shared.x = own.x = critical.x = (number, step)
                shared.__setattr__(f"y{step % 5}", step)
                assert shared.x == own.x == critical.x == (number, step)
                del own
            assert snapshot(shared) == {"x": (number, 299), **{f"y{step % 5}": step for step in range(295, 300)}}
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=copy_context().run, args=(run, number)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert errors == []
    assert snapshot(shared) == {"x": "main"}
