"""What is done on the other side: nothing, so that only the crossing costs."""

from contextvars import ContextVar
from typing import Final

__all__ = ("nothing", "nothing_async", "set_variables")

_VARIABLES: Final = tuple(ContextVar[int](f"variable_{n}") for n in range(1000))


def nothing() -> None:
    """Do nothing on another thread."""


async def nothing_async() -> None:
    """Do nothing on a loop."""


def set_variables(count: int) -> None:
    """Set that many context variables in the running context."""
    for number, variable in enumerate(_VARIABLES[:count]):
        variable.set(number)
