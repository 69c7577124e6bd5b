"""Local: one attribute read, and one written. `timeit` writes the loop, so that it costs next to nothing itself."""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import partial
from timeit import Timer
from typing import Any, Final

from asgikit.local import Local
from tests.bench.shape import OURS, Bar, Entrant, Round, Row

__all__ = ("ROWS",)


@contextmanager
def timed(statement: str, make: Callable[[], object]) -> Generator[Round]:
    """Yield rounds of a statement about `local`."""
    yield Timer(statement, globals={"local": make()}).timeit


def ours() -> object:
    local = Local()
    local.name = "value"
    return local


def asgiref() -> object:
    from asgiref.local import Local as Theirs

    local: Any = Theirs()
    local.name = "value"
    return local


def by_hand() -> object:
    """The floor: a dict in a context variable."""
    local: ContextVar[dict[str, str]] = ContextVar("local")
    local.set({"name": "value"})
    return local


def entrants(statement: str, by_hand_statement: str) -> dict[str, Entrant]:
    return {
        OURS: partial(timed, statement, ours),
        "asgiref": partial(timed, statement, asgiref),
        "floor": partial(timed, by_hand_statement, by_hand),
    }


READ: Final = entrants("local.name", "local.get()['name']")
WRITE: Final = entrants("local.name = 'other'", "local.set({**local.get(), 'name': 'other'})")

ROWS: Final = (
    Row("local-read", "Local: read one attribute", READ, (Bar("asgiref", 0.15),), 20_000),
    Row("local-write", "Local: write one attribute", WRITE, (Bar("asgiref", 0.45),), 20_000),
)
