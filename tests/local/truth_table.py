"""Who sees what: the truth table of the four classes, as data, with one scenario to play for each row.

The tests play every row on every class. `python -m tests.local.truth_table` writes the table into the documentation;
with `--check` it plays it on this interpreter as it was started (with `-X thread_inherit_context=1`, say).

In each row somebody writes 1 and somebody else looks. Where the one who looks stays on, or both are the same code, the
first then writes 2 and the other looks again.
"""

import asyncio
import contextvars
import sys
import threading
from collections.abc import Awaitable, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import Enum
from pathlib import Path
from typing import Any, Protocol, TypeAlias

from asgikit import Bridge
from asgikit.local import Local, LocalNamespace, LocalVar, ThreadCriticalLocal
from asgikit.protocols import LocalLike

PAGE = Path(__file__).parents[2] / "docs" / "explanation" / "local.md"
BEGIN, END = "<!-- written by python -m tests.local.truth_table -->", "<!-- end of the table -->"
PATIENCE = 10.0


class Cell(Enum):
    """What the one who looks sees of what the other wrote."""

    BLIND = "does not see"
    SEES = "sees"
    LATER = "sees a later write"


BLIND, SEES, LATER = Cell

Looks: TypeAlias = tuple[int | None, ...]
"""What was read after each write; None where no value was visible."""

JUDGEMENT: dict[Looks, Cell] = {(None,): BLIND, (None, None): BLIND, (1,): SEES, (1, 1): SEES, (1, 2): LATER}


class Slot(Protocol):
    """One value of any of the four classes."""

    def read(self) -> int | None: ...
    def write(self, value: int) -> None: ...


class Attribute:
    """A slot that is an attribute of a namespace."""

    def __init__(self, namespace: LocalLike) -> None:
        self.namespace = namespace

    def read(self) -> int | None:
        value: int | None = getattr(self.namespace, "value", None)
        return value

    def write(self, value: int) -> None:
        self.namespace.value = value


class Typed(LocalNamespace):
    """A namespace with one field."""

    value: int


class Field:
    """A slot that is a declared field."""

    def __init__(self) -> None:
        self.namespace = Typed()

    def read(self) -> int | None:
        return self.namespace.value if hasattr(self.namespace, "value") else None

    def write(self, value: int) -> None:
        self.namespace.value = value


class Variable:
    """A slot that is a LocalVar."""

    def __init__(self) -> None:
        self.variable = LocalVar[int]("truth")

    def read(self) -> int | None:
        return self.variable.get(None)

    def write(self, value: int) -> None:
        self.variable.set(value)


COLUMNS: dict[str, Callable[[], Slot]] = {
    "Local": lambda: Attribute(Local()),
    "LocalNamespace": Field,
    "LocalVar": Variable,
    "ThreadCriticalLocal": lambda: Attribute(ThreadCriticalLocal()),
}


class Visitor:
    """Looks at a slot twice on another thread; between the two looks its host writes again."""

    def __init__(self, slot: Slot) -> None:
        self.slot = slot
        self.has_looked = threading.Event()
        self.may_look = threading.Event()

    def look_twice(self) -> Looks:
        first = self.slot.read()
        self.has_looked.set()
        assert self.may_look.wait(PATIENCE)
        return first, self.slot.read()

    def write_again(self) -> None:
        assert self.has_looked.wait(PATIENCE)
        self.slot.write(2)
        self.may_look.set()


# -- one task --------------------------------------------------------------------------------------------------------


async def same_task(slot: Slot) -> Looks:
    slot.write(1)
    first = slot.read()
    slot.write(2)
    return first, slot.read()


async def awaited_coroutine(slot: Slot) -> Looks:
    async def look() -> int | None:
        return slot.read()

    slot.write(1)
    first = await look()
    slot.write(2)
    return first, await look()


async def task_after_awaiting(slot: Slot) -> Looks:
    async def write(value: int) -> None:
        slot.write(value)

    await write(1)
    first = slot.read()
    await write(2)
    return first, slot.read()


# -- several tasks ---------------------------------------------------------------------------------------------------


async def _visit(slot: Slot, start: Callable[[Coroutine[Any, Any, None]], Awaitable[object]]) -> Looks:
    has_looked, may_look = asyncio.Event(), asyncio.Event()
    looks: list[int | None] = []

    async def look_twice() -> None:
        looks.append(slot.read())
        has_looked.set()
        await may_look.wait()
        looks.append(slot.read())

    slot.write(1)
    visit = start(look_twice())
    await has_looked.wait()
    slot.write(2)
    may_look.set()
    await visit
    return tuple(looks)


async def child_task(slot: Slot) -> Looks:
    return await _visit(slot, asyncio.create_task)


async def gathered(slot: Slot) -> Looks:
    return await _visit(slot, asyncio.gather)


async def sibling_task(slot: Slot) -> Looks:
    has_written, has_looked = asyncio.Barrier(2), asyncio.Barrier(2)

    async def write() -> None:
        for value in (1, 2):
            slot.write(value)
            await has_written.wait()
            await has_looked.wait()

    async def look() -> Looks:
        await has_written.wait()
        first = slot.read()
        await has_looked.wait()
        await has_written.wait()
        second = slot.read()
        await has_looked.wait()
        return first, second

    _, looks = await asyncio.gather(write(), look())
    return looks


async def parent_task(slot: Slot) -> Looks:
    has_written, may_go = asyncio.Event(), asyncio.Event()

    async def write() -> None:
        slot.write(1)
        has_written.set()
        await may_go.wait()
        slot.write(2)

    child = asyncio.create_task(write())
    await has_written.wait()
    first = slot.read()
    may_go.set()
    await child
    return first, slot.read()


async def loop_callback(slot: Slot) -> Looks:
    loop = asyncio.get_running_loop()
    looks: list[int | None] = []
    slot.write(1)
    loop.call_soon(lambda: looks.append(slot.read()))
    await asyncio.sleep(0)
    loop.call_soon(lambda: looks.append(slot.read()))
    slot.write(2)
    await asyncio.sleep(0)
    return looks[0], looks[1]


async def scheduling_task(slot: Slot) -> Looks:
    loop = asyncio.get_running_loop()
    loop.call_soon(slot.write, 1)
    await asyncio.sleep(0)
    first = slot.read()
    loop.call_soon(slot.write, 2)
    await asyncio.sleep(0)
    return first, slot.read()


# -- context.run -----------------------------------------------------------------------------------------------------


def copied_context(slot: Slot) -> Looks:
    slot.write(1)
    context = contextvars.copy_context()
    first = context.run(slot.read)
    slot.write(2)
    return first, context.run(slot.read)


def beside_copied_context(slot: Slot) -> Looks:
    context = contextvars.copy_context()
    context.run(slot.write, 1)
    first = slot.read()
    context.run(slot.write, 2)
    return first, slot.read()


async def copied_context_in_task(slot: Slot) -> Looks:
    return copied_context(slot)


async def beside_copied_context_in_task(slot: Slot) -> Looks:
    return beside_copied_context(slot)


def empty_context(slot: Slot) -> Looks:
    context = contextvars.Context()
    slot.write(1)
    first = context.run(slot.read)
    slot.write(2)
    return first, context.run(slot.read)


# -- threads without a bridge ----------------------------------------------------------------------------------------


def new_thread(slot: Slot) -> Looks:
    visitor = Visitor(slot)
    looks: list[Looks] = []
    slot.write(1)
    thread = threading.Thread(target=lambda: looks.append(visitor.look_twice()))
    thread.start()
    visitor.write_again()
    thread.join(PATIENCE)
    return looks[0]


def starting_thread(slot: Slot) -> Looks:
    thread = threading.Thread(target=slot.write, args=(1,))
    thread.start()
    thread.join(PATIENCE)
    return (slot.read(),)


async def new_thread_of_task(slot: Slot) -> Looks:
    return new_thread(slot)


async def executor(slot: Slot) -> Looks:
    visitor = Visitor(slot)
    with ThreadPoolExecutor(1) as pool:
        slot.write(1)
        visit = asyncio.get_running_loop().run_in_executor(pool, visitor.look_twice)
        visitor.write_again()
        return await visit


async def to_thread(slot: Slot) -> Looks:
    visitor = Visitor(slot)
    slot.write(1)
    visit = asyncio.create_task(asyncio.to_thread(visitor.look_twice))
    await asyncio.sleep(0)  # the task sends the call
    visitor.write_again()
    return await visit


async def task_after_to_thread(slot: Slot) -> Looks:
    await asyncio.to_thread(slot.write, 1)
    return (slot.read(),)


def asyncio_run(slot: Slot) -> Looks:
    async def look() -> int | None:
        return slot.read()

    slot.write(1)
    return (asyncio.run(look()),)


def after_asyncio_run(slot: Slot) -> Looks:
    async def write(value: int) -> None:
        slot.write(value)

    asyncio.run(write(1))
    return (slot.read(),)


async def coroutine_threadsafe(slot: Slot) -> Looks:
    loop = asyncio.get_running_loop()

    async def look() -> int | None:
        return slot.read()

    def send() -> Looks:
        slot.write(1)
        return (asyncio.run_coroutine_threadsafe(look(), loop).result(PATIENCE),)

    return await asyncio.to_thread(send)


# -- through a bridge ------------------------------------------------------------------------------------------------


async def _below(bridge: Bridge, slot: Slot, *, thread_sensitive: bool) -> Looks:
    slot.write(1)
    return (await bridge.sync_to_async(slot.read, thread_sensitive=thread_sensitive)(),)


async def _above(bridge: Bridge, slot: Slot, *, thread_sensitive: bool) -> Looks:
    await bridge.sync_to_async(slot.write, thread_sensitive=thread_sensitive)(1)
    return (slot.read(),)


async def sensitive_function(slot: Slot) -> Looks:
    with Bridge() as bridge:
        return await _below(bridge, slot, thread_sensitive=True)


async def task_after_sensitive(slot: Slot) -> Looks:
    with Bridge() as bridge:
        return await _above(bridge, slot, thread_sensitive=True)


async def free_function(slot: Slot) -> Looks:
    with Bridge() as bridge:
        return await _below(bridge, slot, thread_sensitive=False)


async def task_after_free(slot: Slot) -> Looks:
    with Bridge() as bridge:
        return await _above(bridge, slot, thread_sensitive=False)


def bridged_coroutine(slot: Slot) -> Looks:
    async def look() -> int | None:
        return slot.read()

    with Bridge() as bridge:
        slot.write(1)
        return (bridge.run_async(look),)


def after_bridged_coroutine(slot: Slot) -> Looks:
    async def write(value: int) -> None:
        slot.write(value)

    with Bridge() as bridge:
        bridge.run_async(write, 1)
        return (slot.read(),)


async def bridged_back(slot: Slot) -> Looks:
    """Task, function on a worker, coroutine on the task's own loop again."""

    async def look() -> int | None:
        return slot.read()

    with Bridge() as bridge:

        def function() -> int | None:
            return bridge.run_async(look)

        slot.write(1)
        return (await bridge.run_sync(function),)


def back_home(slot: Slot) -> Looks:
    """Sync code, coroutine on another thread, thread-sensitive function back on the first one."""
    with Bridge() as bridge:

        async def look() -> int | None:
            return await bridge.run_sync(slot.read)

        slot.write(1)
        return (bridge.run_async(look),)


# -- the table -------------------------------------------------------------------------------------------------------

Scenario: TypeAlias = Callable[[Slot], Looks | Coroutine[Any, Any, Looks]]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One situation: who looks at what whom wrote."""

    play: Scenario
    writes: str
    looks: str
    follows: Cell
    """What the three classes that follow the context see."""
    critical: Cell
    """What ThreadCriticalLocal sees."""
    inherited: Cell | None = None
    """`follows` where new threads begin with a copy of their starter's context."""

    @property
    def name(self) -> str:
        return getattr(self.play, "__name__", repr(self.play))

    def expected(self, column: str, *, inherit: bool) -> Cell:
        if column == "ThreadCriticalLocal":
            return self.critical
        return self.inherited if inherit and self.inherited else self.follows


def _row(play: Scenario, writes: str, looks: str, follows: Cell, critical: Cell) -> Row:
    return Row(play=play, writes=writes, looks=looks, follows=follows, critical=critical)


TABLE: tuple[Row, ...] = (
    _row(same_task, "a task", "the same task", LATER, LATER),
    _row(awaited_coroutine, "a task", "a coroutine that it awaits", LATER, LATER),
    _row(task_after_awaiting, "an awaited coroutine", "the task that awaited it", LATER, LATER),
    _row(child_task, "a task", "a task that it starts afterwards", SEES, SEES),
    _row(gathered, "a task", "what it gives to `asyncio.gather`", SEES, SEES),
    _row(sibling_task, "a task", "its sibling", BLIND, BLIND),
    _row(parent_task, "a task", "its parent", BLIND, BLIND),
    _row(loop_callback, "a task", "a callback that it schedules afterwards (`call_soon`)", SEES, SEES),
    _row(scheduling_task, "a callback", "the task that scheduled it", BLIND, BLIND),
    _row(copied_context_in_task, "a task", "code in `copy_context().run` there", SEES, SEES),
    _row(beside_copied_context_in_task, "code in `copy_context().run`", "the task outside", BLIND, BLIND),
    _row(copied_context, "sync code without a loop", "code in `copy_context().run` there", SEES, LATER),
    _row(beside_copied_context, "code in `copy_context().run`", "the sync code outside", BLIND, LATER),
    _row(empty_context, "sync code without a loop", "code in an empty `Context().run` there", BLIND, LATER),
    replace(_row(new_thread, "sync code", "a new thread", BLIND, BLIND), inherited=SEES),
    replace(_row(new_thread_of_task, "a task", "a new thread", BLIND, BLIND), inherited=SEES),
    _row(starting_thread, "a new thread", "whoever started it", BLIND, BLIND),
    replace(_row(executor, "a task", "a function in `run_in_executor`", BLIND, BLIND), inherited=SEES),
    _row(to_thread, "a task", "a function in `asyncio.to_thread`", SEES, BLIND),
    _row(task_after_to_thread, "a function in `asyncio.to_thread`", "the task, afterwards", BLIND, BLIND),
    _row(coroutine_threadsafe, "a thread", "what it gives to `run_coroutine_threadsafe`", SEES, BLIND),
    _row(asyncio_run, "sync code", "its `asyncio.run`", SEES, BLIND),
    _row(after_asyncio_run, "a task of `asyncio.run`", "the sync code, afterwards", BLIND, BLIND),
    _row(sensitive_function, "a task", "a thread-sensitive function it calls", SEES, BLIND),
    _row(task_after_sensitive, "a thread-sensitive function", "the task that called it, afterwards", SEES, BLIND),
    _row(free_function, "a task", "a function it calls on a free worker", SEES, BLIND),
    _row(task_after_free, "a function on a free worker", "the task that called it, afterwards", SEES, BLIND),
    _row(bridged_coroutine, "sync code", "a coroutine called with `async_to_sync`", SEES, BLIND),
    _row(after_bridged_coroutine, "a coroutine called with `async_to_sync`", "the sync code, afterwards", SEES, BLIND),
    _row(bridged_back, "a task", "a coroutine called by a function it calls", SEES, SEES),
    _row(back_home, "sync code", "a thread-sensitive function, called by a coroutine it calls", SEES, SEES),
)


INHERITS = bool(getattr(sys.flags, "thread_inherit_context", False))
"""Whether new threads begin with a copy of their starter's context; the default of free-threaded 3.14 alone."""


def play(row: Row, column: str) -> Cell:
    """Return what is seen on this interpreter, in a context and on a thread of its own."""
    scenario = row.play(COLUMNS[column]())
    looks = asyncio.run(scenario) if asyncio.iscoroutine(scenario) else scenario
    return JUDGEMENT[looks]


def render() -> str:
    """Return the table in Markdown."""
    lines = [("who writes", "who looks", *(f"`{column}`" for column in COLUMNS)), ("---",) * 6]
    for row in TABLE:
        mark = "[^inherit]" if row.inherited else ""
        cells = (
            row.expected(column, inherit=False).value + (mark if column != "ThreadCriticalLocal" else "")
            for column in COLUMNS
        )
        lines.append((row.writes, row.looks, *cells))
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def in_page(page: str) -> str:
    """Return the page with this table where its marks are."""
    before, rest = page.split(BEGIN)
    _, after = rest.split(END)
    return f"{before}{BEGIN}\n{render()}{END}{after}"


def check() -> list[str]:
    """Play the whole table, and return what differs from it."""
    return [
        f"{row.name}, {column}: {seen.value}, not {expected.value}"
        for row in TABLE
        for column in COLUMNS
        if (seen := play(row, column)) is not (expected := row.expected(column, inherit=INHERITS))
    ]


if __name__ == "__main__":
    if "--check" in sys.argv:
        sys.exit("\n".join(check()) or None)
    PAGE.write_text(in_page(PAGE.read_text()))
