"""StatelessServer and ApplicationCommunicator: generic over scope and messages, with defaults."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypedDict, assert_type

from asgikit.server import LRUInstanceStore, ServerCounters, StatelessServer
from asgikit.spec import (
    ASGI3Application,
    ASGIReceiveCallable,
    ASGIReceiveEvent,
    ASGISendCallable,
    ASGISendEvent,
    HTTPScope,
    Scope,
)
from asgikit.testing import ApplicationCommunicator

number: int = 1
text: str = "a"


class RoomScope(TypedDict):
    """Our own protocol's scope."""

    type: str
    room: str


class Said(TypedDict):
    """What arrives."""

    type: str
    words: str


class Say(TypedDict):
    """What goes out."""

    type: str
    words: str
    loud: bool


async def chat(
    scope: RoomScope, receive: Callable[[], Awaitable[Said]], send: Callable[[Say], Awaitable[None]]
) -> None:
    said = await receive()
    await send({"type": "say", "words": said["words"], "loud": True})


async def loose(scope: Any, receive: Any, send: Any) -> None: ...
async def http(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None: ...
def synchronous(scope: RoomScope, receive: Any, send: Any) -> None: ...


# case: a server without parameters is strict-clean
class Plain(StatelessServer):
    async def handle(self) -> None:
        await self.deliver("room", {"type": "room"}, {"type": "said"})

    async def application_send(self, scope: Any, message: Any, /) -> None:
        print(scope, message)


# case: a server without parameters takes any application
Plain(loose)
Plain(chat)
Plain(http)


# case: a server over its own scope and messages
class Chat(StatelessServer[RoomScope, Said, Say]):
    async def handle(self) -> None:
        await self.deliver("room", {"type": "room", "room": text}, {"type": "said", "words": text})

    async def application_send(self, scope: RoomScope, message: Say, /) -> None:
        assert_type(scope["room"], str)
        assert_type(message["loud"], bool)


# case: its application has its types
Chat(chat)
Chat(loose)

# case: an application of another protocol
Chat(http)  # E

# case: a synchronous function as application
Chat(synchronous)  # E

# case: the options of a server
Chat(chat, 10, queue_size=5, queue_policy="reject", idle_timeout=1.0, grace_time=0.5)

# case: a policy is one of its words
Chat(chat, queue_policy="forget")  # E

# case: a bound is a number
Chat(chat, "many")  # E

# case: an unknown option
Chat(chat, max_apps=5)  # E


# case: delivering a wrong message
class WrongMessage(Chat):
    async def handle(self) -> None:
        await self.deliver("room", {"type": "room", "room": text}, {"type": "said"})  # E


# case: delivering a wrong scope
class WrongScope(Chat):
    async def handle(self) -> None:
        await self.deliver("room", {"type": "room"}, {"type": "said", "words": text})  # E


# case: a scope id is hashable
class WrongId(Chat):
    async def handle(self) -> None:
        await self.deliver(["room"], {"type": "room", "room": text}, {"type": "said", "words": text})  # E


# case: overriding with another message type
class WrongSend(StatelessServer[RoomScope, Said, Say]):
    async def handle(self) -> None: ...
    async def application_send(self, scope: RoomScope, message: bytes, /) -> None:  # E
        print(message)


# case: overriding with a synchronous method
class SyncHandle(Chat):
    def handle(self) -> None: ...  # E


# case: the abstract server cannot be made
StatelessServer(loose)  # E


# case: a subclass that lacks a method cannot be made
class Half(StatelessServer[RoomScope, Said, Say]):
    async def handle(self) -> None: ...


Half(chat)  # E


# case: a generic server of one's own
from typing import TypeVar  # noqa: E402

M = TypeVar("M")


class Echo(StatelessServer[RoomScope, M, M]):
    async def handle(self) -> None: ...
    async def application_send(self, scope: RoomScope, message: M, /) -> None:
        await self.deliver("room", scope, message)


# case: a server as an asynchronous context manager
async def managed() -> None:
    async with Chat(chat) as server:
        assert_type(server, Chat)
        assert_type(server.counters, ServerCounters)
        assert_type(server.counters.delivered, int)


# case: running
def run() -> None:
    Chat(chat).run()


# case: a store of one's own
def store() -> None:
    Chat(chat, store=LRUInstanceStore)


# case: a communicator takes its types from the application and the scope
async def inferred() -> None:
    scope: RoomScope = {"type": "room", "room": text}
    async with ApplicationCommunicator(chat, scope) as communicator:
        await communicator.send_input({"type": "said", "words": text})
        assert_type(await communicator.receive_output(), Say)


# case: a communicator and a wrong message
async def wrong_input() -> None:
    scope: RoomScope = {"type": "room", "room": text}
    async with ApplicationCommunicator(chat, scope) as communicator:
        await communicator.send_input({"type": "said", "sentence": text})  # E


# case: a communicator and a wrong scope
async def wrong_scope() -> None:
    scope: HTTPScope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "path": "/",
        "query_string": b"",
        "headers": [],
    }
    ApplicationCommunicator(chat, scope)  # E


# case: a communicator over an ASGI application
async def over_asgi(application: ASGI3Application, scope: Scope) -> None:
    async with ApplicationCommunicator(application, scope) as communicator:
        assert_type(communicator, ApplicationCommunicator[Scope, ASGIReceiveEvent, ASGISendEvent])
        await communicator.send_input({"type": "http.request"})
        start = await communicator.receive_output()
        if start["type"] == "http.response.start":
            assert_type(start["status"], int)


# case: an ASGI application and a message of no protocol
async def over_asgi_wrong(application: ASGI3Application, scope: Scope) -> None:
    async with ApplicationCommunicator(application, scope) as communicator:
        await communicator.send_input({"type": "http.wrong"})  # E


# case: a communicator with parameters given
async def given() -> None:
    scope: RoomScope = {"type": "room", "room": text}
    one: ApplicationCommunicator[RoomScope, Said, Say] = ApplicationCommunicator(chat, scope)
    assert_type(one.ended, bool)
    assert_type(one.scope, RoomScope)


# case: a communicator without parameters in an annotation
async def bare(communicator: ApplicationCommunicator) -> None:
    assert_type(await communicator.receive_output(), Any)
    await communicator.send_input({"type": "anything"})


# case: a communicator over an untyped application
async def untyped() -> None:
    scope: Mapping[str, Any] = {"type": "http"}
    async with ApplicationCommunicator(loose, scope) as communicator:
        await communicator.send_input({"type": "http.request"})


# case: times of a communicator
async def times(communicator: ApplicationCommunicator[RoomScope, Said, Say]) -> None:
    await communicator.receive_output(0.5)
    assert_type(await communicator.receive_nothing(timeout=0.1), bool)
    assert_type(await communicator.wait(), object)
    await communicator.receive_output("soon")  # E


# case: a context of a communicator is one of three
async def contexts() -> None:
    from contextvars import copy_context

    scope: RoomScope = {"type": "room", "room": text}
    ApplicationCommunicator(chat, scope, context="empty")
    ApplicationCommunicator(chat, scope, context=copy_context())
    ApplicationCommunicator(chat, scope, context="fresh")  # E


# case: a synchronous function has no communicator
async def of_synchronous() -> None:
    scope: RoomScope = {"type": "room", "room": text}
    ApplicationCommunicator(synchronous, scope)  # E


# case: a communicator is asynchronous
def not_synchronous() -> None:
    scope: RoomScope = {"type": "room", "room": text}
    with ApplicationCommunicator(chat, scope):  # E
        pass
