"""The decorator forms: bare, called, called with options, on functions of either colour."""

from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import assert_type

from asgikit import Bridge

bridge = Bridge()
pool = ThreadPoolExecutor()
number: int = 1
text: str = "a"


# case: a bare decorator on a function
@bridge.sync_to_async
def bare(a: int, *, b: str = "") -> str:
    return b * a


async def use_bare() -> None:
    assert_type(await bare(number, b=text), str)
    await bare(text)  # E


# case: a called decorator without options
@bridge.sync_to_async()
def called(a: int) -> str:
    return str(a)


async def use_called() -> None:
    assert_type(await called(number), str)
    await called(text)  # E


# case: a decorator with thread_sensitive
@bridge.sync_to_async(thread_sensitive=False)
def free(a: int) -> str:
    return str(a)


async def use_free() -> None:
    assert_type(await free(a=number), str)
    await free()  # E


# case: a decorator with an executor
@bridge.sync_to_async(thread_sensitive=False, executor=pool)
def in_pool(a: int) -> str:
    return str(a)


async def use_in_pool() -> None:
    assert_type(await in_pool(number), str)
    await in_pool(b=number)  # E


# case: a decorator with a context
@bridge.sync_to_async(context=copy_context())
def in_context(a: int) -> str:
    return str(a)


async def use_in_context() -> None:
    assert_type(await in_context(number), str)
    await in_context(None)  # E


# case: a bare decorator on a coroutine function
@bridge.async_to_sync
async def abare(a: int, *, b: str = "") -> str:
    return b * a


def use_abare() -> None:
    assert_type(abare(number, b=text), str)
    abare(text)  # E


# case: a called decorator on a coroutine function
@bridge.async_to_sync()
async def acalled(a: int) -> str:
    return str(a)


def use_acalled() -> None:
    assert_type(acalled(number), str)
    acalled(text)  # E


# case: a decorator with a time-out
@bridge.async_to_sync(timeout=2.0)
async def alimited(a: int) -> str:
    return str(a)


def use_alimited() -> None:
    assert_type(alimited(number), str)
    alimited()  # E


# case: a decorator with force_new_loop
@bridge.async_to_sync(force_new_loop=True)
async def afresh(a: int) -> str:
    return str(a)


def use_afresh() -> None:
    assert_type(afresh(number), str)
    afresh(number, number)  # E


# case: the decorated function is no longer synchronous
def no_longer_synchronous() -> None:
    value: str = bare(number)  # E
    print(value)


# case: the decorated coroutine function is no longer awaited
async def no_longer_awaited() -> None:
    await abare(number)  # E


# case: a decorator kept under a name
on_worker = bridge.sync_to_async(thread_sensitive=False)


@on_worker
def kept(a: int) -> str:  # E?: without a function to bind to, a checker may not keep the type variables
    return str(a)


# case: a nested function
async def nested() -> None:
    @bridge.sync_to_async
    def inner(a: int) -> str:
        return str(a)

    assert_type(await inner(number), str)
    await inner(text)  # E


# case: a nested coroutine function
def anested() -> None:
    @bridge.async_to_sync
    async def inner(a: int) -> str:
        return str(a)

    assert_type(inner(number), str)
    inner(text)  # E


# case: the decorator over another decorator
def twice(function: "Wrapped") -> "Wrapped":
    return function


from collections.abc import Callable  # noqa: E402

Wrapped = Callable[[int], str]


@bridge.sync_to_async
@twice
def decorated(a: int) -> str:
    return str(a)


async def use_decorated() -> None:
    assert_type(await decorated(number), str)
    await decorated(text)  # E


# case: a decorator with an option of the other direction
bridge.sync_to_async(timeout=2.0)  # E

# case: the other direction with an option of this one
bridge.async_to_sync(thread_sensitive=False)  # E
