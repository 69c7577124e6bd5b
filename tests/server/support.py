"""A server whose stream is the test itself, and loops turned by hand."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

from asgikit.server import ApplicationFailure, Outcome, StatelessServer
from asgikit.testing import ManualClock

Scope: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Any]]
Send: TypeAlias = Callable[[Any], Awaitable[None]]


class OpenServer(StatelessServer[Scope, Any, Any]):
    """Delivers what the test delivers; keeps what applications send as (scope id, message)."""

    def __init__(self, application: Any, max_applications: int = 1000, **options: Any) -> None:
        super().__init__(application, max_applications, **options)
        self.sent: list[tuple[object, Any]] = []
        self.cleaned = 0

    async def handle(self) -> None:
        await asyncio.Event().wait()

    async def application_send(self, scope: Scope, message: Any, /) -> None:
        self.sent.append((scope["id"], message))

    async def cleanup(self) -> None:
        self.cleaned += 1

    async def give(self, scope_id: object, message: object, *, done: Callable[[Outcome], object] | None = None) -> None:
        """Deliver to the scope of this id."""
        await self.deliver(scope_id, {"type": "test", "id": scope_id}, message, done=done)


def ignore(failure: ApplicationFailure) -> None:
    """Say nothing about a failure that the test means."""


async def turn(times: int = 20) -> None:
    """Let everything run that can run without time passing."""
    for _ in range(times):
        await asyncio.sleep(0)


async def advance(clock: ManualClock, seconds: float) -> None:
    """Let time pass, and everything run that it sets going."""
    await turn()
    clock.advance(seconds)
    await turn()


async def echo(scope: Scope, receive: Receive, send: Send) -> None:
    """Send back each message; return after "end", raise what is an exception."""
    while True:
        message = await receive()
        if message == "end":
            return
        if isinstance(message, BaseException):
            raise message
        await send(message)
