"""The fixtures of the pytest plugin: registered by it, imported by nobody else."""

import asyncio
import gc
import threading
import time
from collections.abc import Iterable, Iterator
from typing import Any, Final, cast

import pytest

from asgikit.bridge import Bridge
from asgikit.protocols import SensitivePool
from asgikit.testing._own_thread import OwnThreadPool

__all__ = ("asgikit_bridge", "asgikit_sensitive_pool")

_JOIN_SECONDS: Final = 2.0


@pytest.fixture
def asgikit_sensitive_pool(request: pytest.FixtureRequest) -> Iterator[SensitivePool | None]:
    """Return where thread-sensitive work of `asgikit_bridge` runs; None leaves it to the bridge.

    Override it to name a thread for all tests of a folder; whoever makes a pool closes it.
    """
    pool = OwnThreadPool() if _node(request).get_closest_marker("asgikit_own_thread") else None
    yield pool
    if pool is not None:
        pool.close()


@pytest.fixture
def asgikit_bridge(asgikit_sensitive_pool: SensitivePool | None) -> Iterator[Bridge]:
    """Return a bridge for this test alone; fail the test for threads and tasks that are left after closing it."""
    threads, tasks = set(threading.enumerate()), _pending_tasks()
    with Bridge(sensitive_pool=asgikit_sensitive_pool) as bridge:
        yield bridge
    left = [f"a thread: {thread.name!r}" for thread in _still_alive(set(threading.enumerate()) - threads)]
    left += [f"a task: {task!r}" for task in _pending_tasks() - tasks]
    if left:
        pytest.fail("the test leaves behind\n- " + "\n- ".join(left), pytrace=False)


def _node(request: pytest.FixtureRequest) -> pytest.Item:
    return cast("pytest.Item", request.node)


def _pending_tasks() -> "set[asyncio.Task[Any]]":
    """Find the tasks of all loops that have not ended; there is no other way to see those of a loop that stopped."""
    tasks: set[asyncio.Task[Any]] = set()
    for candidate in gc.get_objects():
        if issubclass(type(candidate), asyncio.Task):  # not isinstance(): proxies run code of their own for it
            task = cast("asyncio.Task[Any]", candidate)
            if not task.done():
                tasks.add(task)
    return tasks


def _still_alive(threads: Iterable[threading.Thread]) -> "list[threading.Thread]":
    """Join the threads, for two seconds in all, and return those that live on."""
    deadline = time.monotonic() + _JOIN_SECONDS
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return [thread for thread in threads if thread.is_alive()]
