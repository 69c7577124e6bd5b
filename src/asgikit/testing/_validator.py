"""An application around an application that holds both sides to the specification, as `wsgiref.validate` does."""

from collections.abc import Iterable, Mapping
from typing import Any

from asgikit.errors import MessageError
from asgikit.spec import ASGI3ApplicationLike, ReceiveLike, ScopeLike, SendLike
from asgikit.testing._conversation import Conversation
from asgikit.testing._shape import received_faults, scope_faults, sent_faults

__all__ = ("validator",)


def _refuse(who: str, faults: Iterable[str]) -> None:
    told = list(faults)
    if told:
        raise MessageError(f"the {who} breaks the ASGI specification: {'; '.join(told)}")


class _Checked:
    """The channels of one scope, checked."""

    def __init__(self, scope: ScopeLike, receive: ReceiveLike, send: SendLike) -> None:
        self._scope = scope
        self._receive = receive
        self._send = send
        self._conversation = Conversation(scope["type"])

    async def receive(self) -> Mapping[str, Any]:
        event = await self._receive()
        _refuse("server", received_faults(self._scope, event))
        _refuse("server", filter(None, [self._conversation.received(event)]))
        return event

    async def send(self, event: Any) -> None:
        _refuse("application", sent_faults(self._scope, event))
        _refuse("application", filter(None, [self._conversation.sent(event)]))
        await self._send(event)

    def finish(self) -> None:
        _refuse("application", filter(None, [self._conversation.unfinished()]))


def validator(application: ASGI3ApplicationLike) -> ASGI3ApplicationLike:
    """Return an application that does what this one does, and raises `MessageError` where a side breaks the rules.

    Every scope and event is checked: keys and the types of their values, what the specification asks of their
    content, extensions that the server does not offer, the order of events, and a response left undone when the
    application returns. The error says whose fault it is, is raised where the faulty event is sent or received, and an
    event at fault does not go through. Runs on the event-loop thread. For tests; not for double-callable applications.

    Source: HTTP & WebSocket ASGI message format 2.5, lifespan protocol 2.0, the documented extensions.

    Raises:
        MessageError: by the application that is returned, while it serves.
    """

    async def validated(scope: ScopeLike, receive: ReceiveLike, send: SendLike) -> object:
        _refuse("server", scope_faults(scope))
        checked = _Checked(scope, receive, send)
        result = await application(scope, checked.receive, checked.send)
        checked.finish()
        return result

    return validated
