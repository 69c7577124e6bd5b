"""Random programs: trees of calls that cross from sync to async and back, in every way there is.

Every node adds one to the result of its children, so the result of a program is its size, unless something was
lost. Async nodes pass `Faults.point` at every await, where a cancellation may be injected; leaves may raise.
"""

import asyncio
import functools
import threading
import types
from collections.abc import Awaitable, Callable, Generator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeVar

from hypothesis import strategies as st

from asgikit import Bridge

__all__ = ("Fault", "Faults", "Machine", "Node", "programs", "size")

_T = TypeVar("_T")


class Fault(Exception):
    """Raised on purpose."""


@dataclass(frozen=True)
class Node:
    """One call: how it is made, through which bridge, and what it calls in turn."""

    kind: str
    bridge: int = 0
    children: tuple["Node", ...] = ()


ASYNC = ("sensitive", "free", "scope", "escope", "gather", "task", "to_thread", "yield")
SYNC = ("warm", "cold", "run", "plain")


@functools.cache  # the same strategies at every place of a program, else there are too many
def _nodes(depth: int, *, sync: bool, own_loop: bool = False) -> "st.SearchStrategy[Node]":
    if depth == 0:
        return st.builds(Node, st.sampled_from(("leaf", "leaf", "leaf", "fault")))
    bridges = st.integers(0, 1)
    # A home thread that runs a loop of its own, which waits for a thread that asgikit does not know, which waits for
    # the home thread: nobody can see that, let alone serve it. It is reported as stalled, and left out here.
    kinds = SYNC if sync else tuple(kind for kind in ASYNC if not (own_loop and kind == "to_thread"))

    def grown(kind: str) -> "st.SearchStrategy[Node]":
        below_sync = kind in {"sensitive", "free", "to_thread", "plain"}
        child = _nodes(depth - 1, sync=below_sync, own_loop=own_loop or kind == "run")
        most = 3 if kind in {"gather", "task", "plain"} else 1
        return st.builds(Node, st.just(kind), bridges, st.lists(child, min_size=1, max_size=most).map(tuple))

    return st.one_of(_nodes(0, sync=sync), *(grown(kind) for kind in kinds))


def programs(depth: int = 5) -> "st.SearchStrategy[Node]":
    """Return a strategy for programs that begin in async code."""
    return _nodes(depth, sync=False)


def size(node: Node) -> int:
    """Return how many nodes a program has: its result, if all goes well."""
    return 1 + sum(map(size, node.children))


def has_fault(node: Node) -> bool:
    """Whether a leaf of the program raises."""
    return node.kind == "fault" or any(map(has_fault, node.children))


class Faults:
    """Cancels the task that reaches the chosen suspension, counting all tasks of a run together."""

    def __init__(self, at: int = 0) -> None:
        """Cancel at suspension number `at`; -1 only counts, 0 does nothing."""
        self.at = at
        self.seen = 0
        self._lock = threading.Lock()

    def _hit(self) -> bool:
        with self._lock:
            self.seen += 1
            return self.seen == self.at

    @types.coroutine
    def point(self, awaitable: Awaitable[_T]) -> Generator[Any, Any, _T]:
        """Await, and cancel the running task at one of the suspensions."""
        if not self.at:
            return (yield from awaitable.__await__())
        steps = awaitable.__await__()
        send: Callable[[], Any] = lambda: next(steps)  # noqa: E731 - replaced by a throw below
        while True:
            try:
                future = send()
            except StopIteration as end:
                result: _T = end.value
                return result
            if self._hit():
                task = asyncio.current_task()
                assert task is not None
                task.cancel()
            try:
                yield future
            except BaseException as error:
                send = _throw(steps, error)
            else:
                send = lambda: next(steps)  # noqa: E731 - as above


def _throw(steps: Any, error: BaseException) -> Callable[[], Any]:
    return lambda: steps.throw(error)


class Machine:
    """Runs programs on two bridges."""

    def __init__(self, bridges: tuple[Bridge, Bridge], single: ThreadPoolExecutor) -> None:
        """Use `single`, an executor with one thread, for scopes that are given an executor."""
        self.bridges = bridges
        self.single = single
        self.crossings = 0
        self.running = 0
        self._lock = threading.Lock()

    def _count(self, running: int = 0) -> None:
        with self._lock:
            self.crossings += 1 - abs(running)
            self.running += running

    async def run(self, node: Node, faults: Faults) -> int:
        """Run an async node."""
        bridge = self.bridges[node.bridge]
        point, kind = faults.point, node.kind
        if kind in {"sensitive", "free"}:
            self._count()
            view = bridge.options(thread_sensitive=kind == "sensitive")
            return 1 + await point(view.run_sync(self.call_all, node.children, faults))
        if kind == "scope":
            async with bridge.thread_sensitive_scope():
                return 1 + await self._all(node.children, faults)
        if kind == "escope":
            async with bridge.thread_sensitive_scope(executor=self.single):
                return 1 + await self._all(node.children, faults)
        if kind == "gather":
            return 1 + sum(await point(asyncio.gather(*(self.run(child, faults) for child in node.children))))
        if kind == "task":
            async with asyncio.TaskGroup() as group:
                tasks = [group.create_task(self.run(child, faults)) for child in node.children]
            return 1 + sum(task.result() for task in tasks)
        if kind == "to_thread":
            return 1 + await point(asyncio.to_thread(self.call_all, node.children, faults))
        if kind == "yield":
            await point(asyncio.sleep(0))
            return 1 + await self._all(node.children, faults)
        return self._leaf(node)

    async def _all(self, nodes: tuple[Node, ...], faults: Faults) -> int:
        return sum([await self.run(node, faults) for node in nodes])

    def call_all(self, nodes: tuple[Node, ...], faults: Faults) -> int:
        """Run sync nodes, one after the other."""
        self._count(running=1)
        try:
            return sum(self.call(node, faults) for node in nodes)
        finally:
            self._count(running=-1)

    def call(self, node: Node, faults: Faults) -> int:
        """Run a sync node."""
        bridge = self.bridges[node.bridge]
        if node.kind == "warm":
            self._count()
            return 1 + bridge.run_async(self._all, node.children, faults)
        if node.kind == "cold":
            self._count()
            return 1 + bridge.async_to_sync(self._all, force_new_loop=True)(node.children, faults)
        if node.kind == "run":
            return 1 + asyncio.run(self._all(node.children, faults))
        if node.kind == "plain":
            return 1 + self.call_all(node.children, faults)
        return self._leaf(node)

    def _leaf(self, node: Node) -> int:
        if node.kind == "fault":
            raise Fault
        return 1
