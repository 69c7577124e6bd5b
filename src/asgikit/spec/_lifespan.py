"""Lifespan: startup and shutdown of an application within its event loop (lifespan protocol 2.0)."""

from typing import Literal, NotRequired, TypeAlias

from typing_extensions import ReadOnly, TypedDict

from asgikit.spec._common import ASGIVersions, State

__all__ = (
    "LifespanReceiveEvent",
    "LifespanScope",
    "LifespanSendEvent",
    "LifespanShutdownCompleteEvent",
    "LifespanShutdownEvent",
    "LifespanShutdownFailedEvent",
    "LifespanStartupCompleteEvent",
    "LifespanStartupEvent",
    "LifespanStartupFailedEvent",
)


class LifespanScope(TypedDict):
    """The time during which one event loop serves the application."""

    type: Literal["lifespan"]
    asgi: ReadOnly[ASGIVersions]
    state: ReadOnly[NotRequired[State]]  # to be filled at startup; absent: the server does not support it


class LifespanStartupEvent(TypedDict):
    """Received: get ready; no connection is accepted yet."""

    type: Literal["lifespan.startup"]


class LifespanShutdownEvent(TypedDict):
    """Received: clean up; every connection has been closed."""

    type: Literal["lifespan.shutdown"]


class LifespanStartupCompleteEvent(TypedDict):
    """Sent: ready to serve."""

    type: Literal["lifespan.startup.complete"]


class LifespanStartupFailedEvent(TypedDict):
    """Sent: not ready; the server is to log the message and to exit."""

    type: Literal["lifespan.startup.failed"]
    message: ReadOnly[NotRequired[str]]  # defaults to ""


class LifespanShutdownCompleteEvent(TypedDict):
    """Sent: cleaned up; the server may end."""

    type: Literal["lifespan.shutdown.complete"]


class LifespanShutdownFailedEvent(TypedDict):
    """Sent: the clean-up failed; the server is to log the message and to end."""

    type: Literal["lifespan.shutdown.failed"]
    message: ReadOnly[NotRequired[str]]  # defaults to ""


LifespanReceiveEvent: TypeAlias = LifespanStartupEvent | LifespanShutdownEvent
"""What `receive()` gives inside a lifespan scope."""

LifespanSendEvent: TypeAlias = (
    LifespanStartupCompleteEvent
    | LifespanStartupFailedEvent
    | LifespanShutdownCompleteEvent
    | LifespanShutdownFailedEvent
)
"""What `send()` takes inside a lifespan scope."""
