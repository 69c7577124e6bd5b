"""The asgiref drop-in: asgiref's names, as fully typed as the native ones."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar, assert_type

from given import anothing, aone, as_request, asame, atwo, one, same, two, with_default

from asgikit import Bridge
from asgikit.compat.asgiref import default_bridge
from asgikit.compat.asgiref.compatibility import guarantee_single_callable
from asgikit.compat.asgiref.local import Local
from asgikit.compat.asgiref.sync import (
    AsyncToSync,
    SyncToAsync,
    ThreadSensitiveContext,
    async_to_sync,
    iscoroutinefunction,
    markcoroutinefunction,
    sync_to_async,
)
from asgikit.compat.asgiref.testing import ApplicationCommunicator
from asgikit.compat.asgiref.typing import ASGI3Application, ASGIReceiveCallable, ASGISendCallable, HTTPScope, Scope
from asgikit.compat.asgiref.wsgi import WsgiToAsgi
from asgikit.spec import StartResponse, WSGIEnvironment

P = ParamSpec("P")
R = TypeVar("R")
number: int = 1
text: str = "a"


# case: a function made asynchronous
async def to_async() -> None:
    assert_type(await sync_to_async(one)(number), str)
    assert_type(await sync_to_async(two)(number, b=text), bytes)


# case: a wrong argument of a function made asynchronous
async def to_async_wrong() -> None:
    await sync_to_async(one)(text)  # E


# case: a coroutine function made synchronous
def to_sync() -> None:
    assert_type(async_to_sync(aone)(number), str)
    assert_type(async_to_sync(atwo)(number, b=text), bytes)


# case: a wrong argument of a coroutine function made synchronous
def to_sync_wrong() -> None:
    async_to_sync(aone)(text)  # E


# case: any awaitable
def any_awaitable() -> None:
    assert_type(async_to_sync(as_request)(number), str)


# case: a synchronous function on the asynchronous side
async_to_sync(one)  # E

# case: a number instead of a function
sync_to_async(5)  # E

# case: a coroutine object
async_to_sync(aone(number))  # E


# case: decorators with and without arguments
@sync_to_async
def bare(a: int) -> str:
    return str(a)


@sync_to_async(thread_sensitive=False)
def free(a: int) -> str:
    return str(a)


@async_to_sync
async def blocking(a: int) -> str:
    return str(a)


@async_to_sync(force_new_loop=True)
async def fresh(a: int) -> str:
    return str(a)


async def use_decorated() -> None:
    assert_type(await bare(number), str)
    assert_type(await free(number), str)
    assert_type(blocking(number), str)
    assert_type(fresh(number), str)


# case: wrong arguments of the decorated
async def use_decorated_wrong() -> None:
    await bare(text)  # E
    await free(text)  # E
    blocking(text)  # E
    fresh(text)  # E


# case: executors
async def executors(threads: ThreadPoolExecutor, processes: ProcessPoolExecutor) -> None:
    assert_type(await sync_to_async(one, thread_sensitive=False, executor=threads)(number), str)
    assert_type(await sync_to_async(one, thread_sensitive=False, executor=processes)(number), str)


# case: an executor without thread_sensitive
def executor_alone(threads: ThreadPoolExecutor) -> None:
    sync_to_async(one, executor=threads)  # E


# case: options that only the bridge has
async_to_sync(aone, timeout=1.0)  # E


# case: gather
async def gathered() -> None:
    assert_type(await asyncio.gather(sync_to_async(one)(number), sync_to_async(two)(number, text)), tuple[str, bytes])


# case: generic functions
async def generic() -> None:
    assert_type(await sync_to_async(same)(number), int)
    assert_type(async_to_sync(asame)(text), str)


# case: methods
class Store:
    @sync_to_async
    def get(self, key: str) -> int:
        return len(key)

    @async_to_sync
    async def fetch(self, key: str) -> bytes:
        return key.encode()


async def methods() -> None:
    assert_type(await Store().get(text), int)
    assert_type(Store().fetch(text), bytes)
    await Store().get(number)  # E
    Store().fetch(number)  # E


# case: the class SyncToAsync around a function
async def by_class() -> None:
    aview = SyncToAsync(one, thread_sensitive=False)
    assert_type(await aview(number), str)
    await aview(text)  # E


# case: the class AsyncToSync around a coroutine function
def by_other_class() -> None:
    view = AsyncToSync(aone)
    assert_type(view(number), str)
    view(text)  # E


# case: the class AsyncToSync around a synchronous function
AsyncToSync(one)  # E


# case: the classes as decorators of methods
class Decorated:
    @SyncToAsync
    def get(self, key: str) -> int:
        return len(key)

    @AsyncToSync
    async def fetch(self, key: str) -> bytes:
        return key.encode()


async def decorated_methods() -> None:
    assert_type(await Decorated().get(text), int)
    assert_type(Decorated().fetch(text), bytes)


# case: wrong arguments of methods that the classes decorate
async def decorated_methods_wrong() -> None:
    await Decorated().get(number)  # E
    Decorated().fetch(number)  # E


# case: a subclass that handles the thread, as Channels has one
class DatabaseSyncToAsync(SyncToAsync[P, R]):
    def thread_handler(self, loop: Any, *args: Any, **kwargs: Any) -> Any:
        return super().thread_handler(loop, *args, **kwargs)


async def by_subclass() -> None:
    assert_type(await DatabaseSyncToAsync(one)(number), str)
    await DatabaseSyncToAsync(one)(text)  # E


# case: a thread-sensitive context
async def context() -> None:
    async with ThreadSensitiveContext() as entered:
        assert_type(entered, ThreadSensitiveContext)


# case: a thread-sensitive context is asynchronous
def context_wrong() -> None:
    with ThreadSensitiveContext():  # E
        pass


# case: asking for the colour
async def colour(function: Callable[[int], str] | Callable[[int], Awaitable[str]]) -> None:
    if iscoroutinefunction(function):
        await function(number)


# case: marking a function keeps its type
def marked() -> None:
    assert_type(markcoroutinefunction(with_default)(number), bytes)


# case: the default bridge
assert_type(default_bridge(), Bridge)

# case: the drop-in's Local
local = Local(thread_critical=True)


def use_local(values: Local) -> None:
    values.user = text
    assert_type(values.group, Any)


# case: the types of asgiref.typing
async def application(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    if scope["type"] == "http":
        assert_type(scope, HTTPScope)
    await send({"type": "http.response.start", "status": 200, "headers": []})


# case: a wrong event under the types of asgiref.typing
async def application_wrong(scope: Scope, receive: ASGIReceiveCallable, send: ASGISendCallable) -> None:
    await send({"type": "http.response.start", "status": "200"})  # E


# case: a single callable
taken: ASGI3Application = guarantee_single_callable(application)


# case: the communicator
async def communicator(scope: Scope) -> None:
    one = ApplicationCommunicator(application, scope)
    await one.send_input({"type": "http.request"})
    await one.receive_output(timeout=1)


# case: a WSGI application
def wsgi(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
    return [b""]


adapted: ASGI3Application = WsgiToAsgi(wsgi)

# case: no WSGI application
WsgiToAsgi(application)  # E


# case: nothing in, nothing out
def nothing() -> None:
    assert_type(async_to_sync(anothing)(), None)
