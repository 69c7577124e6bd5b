"""The namespaces: one attribute read, one written. Statements are timed by `timeit`, whose loop costs next to nothing.

Bars are those of DESIGN.md, section 8, and of `LocalVar` beside a bare context variable.
"""

import asyncio
import threading
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager
from contextvars import Context, ContextVar
from functools import partial
from timeit import Timer
from typing import Any, Final

from asgikit.local import Local, LocalNamespace, LocalVar, ThreadCriticalLocal
from tests.bench.shape import OURS, Bar, Entrant, Round, Row

__all__ = ("ROWS",)

CALLS: Final = 50_000
READ: Final = "local.one"
WRITE: Final = "local.one = 1"
READ_BY_HAND: Final = "var.get()['one']"
WRITE_BY_HAND: Final = "var.set({**var.get(), 'one': 1})"


class Fields(LocalNamespace):
    """A namespace that declares what is read."""

    one: int
    two: int


def asgiref_local(*, thread_critical: bool) -> object:
    from asgiref.local import Local as AsgirefLocal

    return AsgirefLocal(thread_critical=thread_critical)


@contextmanager
def statement(make: Callable[[], Any], code: str) -> Generator[Round]:
    """Yield rounds of `code`, with two attributes set, in a context of their own."""
    local = make()
    context = Context()
    context.run(setattr, local, "one", 1)
    context.run(setattr, local, "two", 2)
    timer = Timer(code, globals={"local": local})
    yield lambda calls: context.run(timer.timeit, calls)


@contextmanager
def statement_in_task(make: Callable[[], Any], code: str) -> Generator[Round]:
    """Yield the same in tasks."""
    local = make()
    timer = Timer(code, globals={"local": local})

    async def task(calls: int) -> float:
        local.one = local.two = 1
        return timer.timeit(calls)

    with asyncio.Runner() as runner:
        yield lambda calls: runner.run(task(calls))


@contextmanager
def variable(make: Callable[[], Any], code: str) -> Generator[Round]:
    """Yield rounds of `code` on a variable that is set."""
    context, var = Context(), make()
    context.run(var.set, 1)
    timer = Timer(code, globals={"var": var})
    yield lambda calls: context.run(timer.timeit, calls)


Rounds = Callable[[Callable[[], Any], str], AbstractContextManager[Round]]


@contextmanager
def by_hand(code: str) -> Generator[Round]:
    """Yield rounds of the floor: a dict in a context variable."""
    context, var = Context(), ContextVar[dict[str, int]]("bench")
    context.run(var.set, {"one": 1, "two": 2})
    timer = Timer(code, globals={"var": var})
    yield lambda calls: context.run(timer.timeit, calls)


def entrants(rounds: Rounds, code: str, code_by_hand: str) -> dict[str, Entrant]:
    return {
        OURS: partial(rounds, Local, code),
        "asgiref": partial(rounds, partial(asgiref_local, thread_critical=False), code),
        "floor": partial(by_hand, code_by_hand),
        "LocalNamespace": partial(rounds, Fields, code),
        "threading.local": partial(rounds, threading.local, code),
    }


def critical(rounds: Rounds, code: str) -> dict[str, Entrant]:
    return {
        OURS: partial(rounds, ThreadCriticalLocal, code),
        "asgiref": partial(rounds, partial(asgiref_local, thread_critical=True), code),
        "threading.local": partial(rounds, threading.local, code),
    }


def variables(code: str) -> dict[str, Entrant]:
    return {
        OURS: partial(variable, lambda: LocalVar[int]("bench"), code),
        "ContextVar": partial(variable, lambda: ContextVar[int]("bench"), code),
    }


def _row(name: str, job: str, who: dict[str, Entrant], *bars: Bar) -> Row:
    return Row(name, job, who, bars, CALLS)


ROWS: Final = (
    _row("local-read", "Local: read an attribute", entrants(statement, READ, READ_BY_HAND), Bar("asgiref", 0.15)),
    _row("local-write", "Local: write an attribute", entrants(statement, WRITE, WRITE_BY_HAND), Bar("asgiref", 0.45)),
    _row("local-critical-read", "ThreadCriticalLocal: read", critical(statement, READ), Bar("asgiref", 0.4)),
    _row("local-critical-write", "ThreadCriticalLocal: write", critical(statement, WRITE)),
    _row("local-critical-read-task", "ThreadCriticalLocal: read in a task", critical(statement_in_task, READ)),
    _row("local-var-get", "LocalVar.get", variables("var.get()"), Bar("ContextVar", 3.0)),
    _row("local-var-set", "LocalVar.set", variables("var.set(1)")),
)
