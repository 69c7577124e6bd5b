"""Random trees of tasks and threads, each step checked against a model: plain dicts, copied where a context is copied.

The model of sync code on a ThreadCriticalLocal is `threading.local` itself.
"""

import asyncio
import contextvars
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import TypeAlias

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from asgikit import Bridge
from asgikit.local import Local, LocalNamespace, ThreadCriticalLocal, clear, snapshot

INHERITS = bool(getattr(sys.flags, "thread_inherit_context", False))
PATIENCE = 20.0
EXAMPLES = 100

Namespaces: TypeAlias = "tuple[Local | Typed | ThreadCriticalLocal, ...]"


class Typed(LocalNamespace):
    """A namespace with fields."""

    x: int
    y: int


@dataclass
class Write:
    which: int
    name: str
    value: int | None  # None deletes


@dataclass
class Clear:
    which: int


@dataclass
class Start:
    kind: str
    steps: "list[Step]"


Step: TypeAlias = Write | Clear | Start


@dataclass
class Model:
    """What one context holds: the values that follow it, and the critical ones of its tasks, by thread."""

    follows: tuple[dict[str, int], ...] = field(default_factory=lambda: ({}, {}, {}))
    critical: dict[object, dict[str, int]] = field(default_factory=dict[object, dict[str, int]])

    def copy(self) -> "Model":
        return Model(tuple(map(dict, self.follows)), {thread: dict(values) for thread, values in self.critical.items()})


CRITICAL = 3
"""The number of the ThreadCriticalLocal among the namespaces."""


KINDS = ("task", "thread", "to_thread", "run", "callback", "bridge")


def trees(depth: int) -> st.SearchStrategy[list[Step]]:
    which = st.integers(0, CRITICAL)
    write = st.builds(Write, which, st.sampled_from(["x", "y"]), st.none() | st.integers(0, 9))
    leaf: st.SearchStrategy[Step] = write | write | st.builds(Clear, which)
    step = leaf | st.builds(Start, st.sampled_from(KINDS), trees(depth - 1)) if depth else leaf
    return st.lists(step, min_size=2, max_size=8)


class Marks(threading.local):
    """A name for each thread, which no later thread has."""

    def __init__(self) -> None:
        self.mark = object()


class World:
    """Runs one tree. Children run beside their parents; the order in which they do is up to the machine."""

    def __init__(self, bridge: Bridge) -> None:
        self.bridge = bridge
        self.namespaces: Namespaces = (Local(), Local(), Typed(), ThreadCriticalLocal())
        self.oracle = threading.local()
        self.marks = Marks()
        self.beside: list[Future[None]] = []

    def values_of(self, model: Model, which: int, *, in_task: bool) -> dict[str, int]:
        if which != CRITICAL:
            return model.follows[which]
        return model.critical.setdefault(self.marks.mark, {}) if in_task else vars(self.oracle)

    def act(self, step: Write | Clear, model: Model, *, in_task: bool) -> None:
        namespace = self.namespaces[step.which]
        values = self.values_of(model, step.which, in_task=in_task)
        if isinstance(step, Clear):
            clear(namespace)
            values.clear()
        elif step.value is not None:
            setattr(namespace, step.name, step.value)
            values[step.name] = step.value
        elif step.name in values:
            delattr(namespace, step.name)
            del values[step.name]
        else:
            assert not hasattr(namespace, step.name)

    def check(self, model: Model, *, in_task: bool) -> None:
        for which, namespace in enumerate(self.namespaces):
            values = self.values_of(model, which, in_task=in_task)
            assert snapshot(namespace) == values
            for name in ("x", "y"):
                assert getattr(namespace, name, None) == values.get(name)

    def in_sync_code(self, steps: list[Step], model: Model) -> None:
        """Run on a thread without a loop."""
        for step in steps:
            self.check(model, in_task=False)
            if isinstance(step, Start):
                self.start_from_sync(step, model)
            else:
                self.act(step, model, in_task=False)
        self.check(model, in_task=False)

    def start_from_sync(self, start: Start, model: Model) -> None:
        match start.kind:
            case "run":
                contextvars.copy_context().run(self.in_sync_code, start.steps, model.copy())
            case "bridge":  # what changes there is written back: the same model
                self.bridge.run_async(self.in_task, start.steps, model)
            case "thread" | "to_thread":
                self.start_thread(start.steps, model)
            case _:
                asyncio.run(self.in_task(start.steps, model.copy()))

    async def in_task(self, steps: list[Step], model: Model) -> None:
        async with asyncio.TaskGroup() as group:
            for step in steps:
                self.check(model, in_task=True)
                if isinstance(step, Start):
                    await self.start_from_task(step, model, group)
                else:
                    self.act(step, model, in_task=True)
                await asyncio.sleep(0)
            self.check(model, in_task=True)

    async def start_from_task(self, start: Start, model: Model, group: asyncio.TaskGroup) -> None:
        match start.kind:
            case "task":
                group.create_task(self.in_task(start.steps, model.copy()))
            case "to_thread":
                group.create_task(asyncio.to_thread(self.in_sync_code, start.steps, model.copy()))
            case "run":
                contextvars.copy_context().run(self.at_once, start.steps, model.copy())
            case "callback":
                call = self.reported(self.at_once)
                asyncio.get_running_loop().call_soon(call, start.steps, model.copy())
            case "bridge":
                await self.bridge.run_sync(self.in_sync_code, start.steps, model)
            case _:
                self.start_thread(start.steps, model)

    def at_once(self, steps: list[Step], model: Model) -> None:
        """Run on a loop's thread, without awaiting."""
        for step in steps:
            if not isinstance(step, Start):
                self.act(step, model, in_task=True)
            self.check(model, in_task=True)

    def start_thread(self, steps: list[Step], model: Model) -> None:
        call = self.reported(self.in_sync_code)
        threading.Thread(target=call, args=(steps, model.copy() if INHERITS else Model())).start()

    def reported(self, call: Callable[[list[Step], Model], None]) -> Callable[[list[Step], Model], None]:
        """Have the test wait for `call`, and fail with it."""
        done: Future[None] = Future()
        self.beside.append(done)

        def run(steps: list[Step], model: Model) -> None:
            try:
                call(steps, model)
            except BaseException as error:
                done.set_exception(error)
            else:
                done.set_result(None)

        return run


@pytest.mark.timeout(300)
@settings(deadline=None, max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow])
@given(trees(3))
def test_nobody_sees_what_another_wrote(tree: list[Step]) -> None:
    """H2: a write or delete is seen where the context is carried to, and never in a sibling or a parent."""

    def start() -> None:
        with Bridge() as bridge:
            world = World(bridge)
            world.in_sync_code(tree, Model())
            for done in world.beside:  # which may grow meanwhile
                done.result(PATIENCE)

    contextvars.Context().run(start)
