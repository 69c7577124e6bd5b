"""Applications and servers: ours, asgiref's, uvicorn's, Starlette's, hypercorn's, both ways where it is possible."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, assert_type

import asgiref.typing
import hypercorn.asyncio
import hypercorn.config
import hypercorn.typing
import starlette.applications
import starlette.testclient
import starlette.types
import uvicorn

from asgikit.spec import (
    ASGI2Application,
    ASGI3Application,
    ASGI3ApplicationLike,
    ASGIApplication,
    ASGIApplicationLike,
    ASGIReceiveCallable,
    ASGISendCallable,
    ReceiveLike,
    Scope,
    ScopeLike,
    SendLike,
)


async def ours(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    await send({"type": "http.response.start", "status": 200})


async def asgiref_typed(
    scope: asgiref.typing.Scope,
    receive: asgiref.typing.ASGIReceiveCallable,
    send: asgiref.typing.ASGISendCallable,
) -> None: ...


async def starlette_typed(
    scope: starlette.types.Scope, receive: starlette.types.Receive, send: starlette.types.Send
) -> None: ...


async def hypercorn_typed(
    scope: hypercorn.typing.Scope,
    receive: hypercorn.typing.ASGIReceiveCallable,
    send: hypercorn.typing.ASGISendCallable,
) -> None: ...


async def loose(scope: dict[str, Any], receive: Callable[..., Any], send: Callable[..., Any]) -> None: ...
async def any_typed(scope: Any, receive: Any, send: Any) -> Any: ...
async def two_parameters(receive: ASGIReceiveCallable, send: ASGISendCallable) -> None: ...
def synchronous(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None: ...


class Ours:
    def __init__(self, application: ASGI3Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        await self.application(scope, receive, send)


class Adapter:
    """An object that is an application for every server: the loose spelling."""

    async def __call__(self, scope: ScopeLike, receive: ReceiveLike, send: SendLike) -> None:
        event = await receive()
        await send({"type": event["type"]})


class Legacy:
    def __init__(self, scope: Scope) -> None: ...
    async def __call__(self, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None: ...


def legacy_function(scope: Scope) -> Callable[[ASGIReceiveCallable, ASGISendCallable], Awaitable[None]]:
    return Legacy(scope)


def takes_exact(application: ASGI3Application) -> None: ...
def takes_either(application: ASGIApplication) -> None: ...
def takes_any(application: ASGIApplicationLike) -> None: ...
def takes_any3(application: ASGI3ApplicationLike) -> None: ...
def takes_asgiref(application: asgiref.typing.ASGI3Application) -> None: ...
def takes_starlette(application: starlette.types.ASGIApp) -> None: ...
def takes_hypercorn(application: hypercorn.typing.ASGIFramework) -> None: ...


# case: a function is an application
takes_exact(ours)
takes_either(ours)

# case: an object is an application
takes_exact(Ours(ours))
takes_either(Ours(ours))

# case: a loosely typed object is an application
takes_exact(Adapter())
takes_either(Adapter())

# case: an untyped function is an application
takes_exact(any_typed)

# case: two parameters are no application
takes_exact(two_parameters)  # E

# case: a synchronous function is no application
takes_exact(synchronous)  # E

# case: an application of the legacy form
legacy: ASGI2Application = Legacy
takes_either(Legacy)

# case: the legacy form is not the current one
takes_exact(Legacy)  # E

# case: an object of the legacy class is not an application
takes_any3(legacy_function)  # E

# case: middleware calls the application that it wraps
takes_exact(Ours(Ours(ours)))

# case: middleware refuses what is no application
Ours(synchronous)  # E


# case: middleware that replaces send
class Stamped:
    def __init__(self, application: ASGI3Application) -> None:
        self.application = application

    async def __call__(self, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
        from asgikit.spec import ASGISendEvent

        async def stamped(event: ASGISendEvent) -> None:
            if event["type"] == "http.response.start":
                event = {**event, "headers": [*event.get("headers", ()), (b"x-stamp", b"1")]}
            await send(event)

        await self.application(scope, receive, stamped)


# case: an application called with a wrong scope
async def called_wrong(application: ASGI3Application, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    await application({"type": "smtp"}, receive, send)  # E


# case: an application called with channels swapped
async def called_swapped(
    application: ASGI3Application, scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable
) -> None:
    await application(scope, send, receive)  # E


# case: a parameter that takes applications takes ours
takes_any(ours)
takes_any(Ours(ours))
takes_any(Adapter())

# case: a parameter that takes applications takes asgiref's
takes_any(asgiref_typed)

# case: a parameter that takes applications takes Starlette's
takes_any(starlette_typed)
takes_any(starlette.applications.Starlette())

# case: a parameter that takes applications takes hypercorn's
takes_any(hypercorn_typed)

# case: a parameter that takes applications takes loose and untyped ones
takes_any(loose)
takes_any(any_typed)

# case: a parameter that takes applications takes the legacy form
takes_any(Legacy)
takes_any(legacy_function)

# case: a parameter that takes applications refuses two parameters
takes_any3(two_parameters)  # E

# case: a parameter that takes applications refuses a synchronous function
takes_any(synchronous)  # E

# case: a parameter that takes applications refuses the name of one
takes_any("project.asgi:application")  # E

# case: asgiref's application counts on keys that a server may leave out
takes_exact(asgiref_typed)  # E

# case: Starlette's application wants a scope that it may write to
takes_exact(starlette_typed)  # E

# case: the loosely typed object fits asgiref's words
takes_asgiref(Adapter())

# case: the loosely typed object fits Starlette's words
takes_starlette(Adapter())

# case: the loosely typed object fits hypercorn's words
takes_hypercorn(Adapter())

# case: our application under asgiref's words
takes_asgiref(Ours(Adapter()))  # E: asgiref's send wants every key of an event

# case: uvicorn runs ours
uvicorn.run(ours)
uvicorn.run(Adapter())
uvicorn.Config(Ours(ours))

# case: Starlette mounts the loosely typed object
starlette.applications.Starlette().mount("/", Adapter())

# case: Starlette's test client takes the loosely typed object
starlette.testclient.TestClient(Adapter())


# case: hypercorn serves the loosely typed object
async def serve() -> None:
    await hypercorn.asyncio.serve(Adapter(), hypercorn.config.Config())  # E?: serve's own types are incomplete


# case: a sent event of asgiref goes to our send
async def to_ours(event: asgiref.typing.ASGISendEvent, send: ASGISendCallable) -> None:
    await send(event)


# case: a scope of asgiref is a scope of ours
def asgiref_scope(scope: asgiref.typing.Scope) -> Scope:
    return scope


# case: a received event of asgiref is one of ours
async def asgiref_receive(receive: asgiref.typing.ASGIReceiveCallable) -> None:
    takes: ASGIReceiveCallable = receive
    print(takes)


# case: our send is a send of asgiref's
def asgiref_send(send: ASGISendCallable) -> asgiref.typing.ASGISendCallable:
    return send


# case: a helper typed by asgiref sends through our send
async def asgiref_helper(send: asgiref.typing.ASGISendCallable) -> None: ...
async def use_asgiref_helper(send: ASGISendCallable) -> None:
    await asgiref_helper(send)


# case: an event of ours may lack what asgiref wants
def to_asgiref(event: "ASGISendEvent") -> asgiref.typing.ASGISendEvent:
    return event  # E


from asgikit.spec import ASGISendEvent  # noqa: E402


# case: a scope as Starlette wants it, by copying
async def into_starlette(scope: Scope, receive: ReceiveLike, send: SendLike) -> None:
    inner: MutableMapping[str, Any] = dict(scope)
    await starlette_typed(inner, dict_receive(receive), send)


def dict_receive(receive: ReceiveLike) -> starlette.types.Receive:
    async def wrapper() -> MutableMapping[str, Any]:
        return dict(await receive())

    return wrapper


# case: the result of an application is nothing
async def result(application: ASGI3Application, scope: Scope, receive: Any, send: Any) -> None:
    assert_type(await application(scope, receive, send), None)


# case: the validator takes any application and gives one that servers take
def validated() -> None:
    from asgikit.testing import validator

    takes_any(validator(ours))
    takes_any(validator(starlette_typed))
    uvicorn.run(validator(ours))
    starlette.applications.Starlette().mount("/", validator(ours))  # E?: what it returns is nobody's None


# case: the validator takes no double callable
def validated_wrong() -> None:
    from asgikit.testing import validator

    validator(Legacy)  # E
