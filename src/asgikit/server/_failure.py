"""What is told, and to whom, when an application fails."""

import logging
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from typing import Any, Final, TypeAlias, final

__all__ = ("ApplicationFailure", "FailureHook", "log_failure", "tell")

logger: Final = logging.getLogger("asgikit")


@final
@dataclass(frozen=True, slots=True)
class ApplicationFailure:
    """An application instance ended in an error, or did not end when it was told to."""

    scope_id: Hashable
    scope: Any
    """The scope as the application got it; its type is the server's."""
    error: BaseException


FailureHook: TypeAlias = Callable[[ApplicationFailure], object]
"""Told of each failure, on the thread of the server's loop. What it raises is logged and goes no further."""


def log_failure(failure: ApplicationFailure) -> None:
    """Log the failure with its traceback on the logger `asgikit`: the hook of a server that was given none."""
    logger.error(
        "The application for scope %r ended in %s",
        failure.scope_id,
        type(failure.error).__name__,
        exc_info=failure.error,
    )


def tell(hook: FailureHook, failure: ApplicationFailure) -> None:
    """Call the hook; an error of the hook itself is logged."""
    try:
        hook(failure)
    except Exception:
        logger.exception("The failure hook %r failed itself; it was told of %r", hook, failure)
