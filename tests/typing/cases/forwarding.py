"""Wrappers that users write around ours: parameters are forwarded and stay checked."""

import functools
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Concatenate, ParamSpec, TypeVar, assert_type

from given import aone, atwo, nothing, one, same, two, with_default

from asgikit import Bridge

P = ParamSpec("P")
R = TypeVar("R")
T = TypeVar("T")
bridge = Bridge()
number: int = 1
text: str = "a"


# case: a decorator of one's own around sync_to_async
def in_thread(function: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    return bridge.sync_to_async(function, thread_sensitive=False)


@in_thread
def threaded(a: int, *, b: str = "") -> str:
    return b * a


async def use_threaded() -> None:
    assert_type(await threaded(number, b=text), str)
    await threaded(text)  # E


# case: a decorator of one's own around async_to_sync
def blocking(function: Callable[P, Awaitable[R]]) -> Callable[P, R]:
    return bridge.async_to_sync(function)


@blocking
async def blocked(a: int) -> str:
    return str(a)


def use_blocked() -> None:
    assert_type(blocked(number), str)
    blocked(text)  # E


# case: a function that forwards a call to run_sync
async def call(function: Callable[P, R], *args: P.args, **kwargs: P.kwargs) -> R:
    return await bridge.run_sync(function, *args, **kwargs)


async def use_call() -> None:
    assert_type(await call(two, number, b=text), bytes)
    await call(two, text, b=text)  # E


# case: a function that forwards a call to run_async
def acall(function: Callable[P, Awaitable[R]], *args: P.args, **kwargs: P.kwargs) -> R:
    return bridge.run_async(function, *args, **kwargs)


def use_acall() -> None:
    assert_type(acall(atwo, number, b=text), bytes)
    acall(atwo, number)  # E


# case: a decorator that logs and awaits
def logged(function: Callable[P, R]) -> Callable[P, Coroutine[Any, Any, R]]:
    aview = bridge.sync_to_async(function)

    @functools.wraps(function)
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        return await aview(*args, **kwargs)

    return wrapper


async def use_logged() -> None:
    assert_type(await logged(with_default)(number), bytes)
    await logged(with_default)(text)  # E


# case: a decorator that retries
def retried(times: int) -> Callable[[Callable[P, R]], Callable[P, Awaitable[R]]]:
    def decorate(function: Callable[P, R]) -> Callable[P, Awaitable[R]]:
        async def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
            for _ in range(times):
                try:
                    return await bridge.run_sync(function, *args, **kwargs)
                except OSError:
                    continue
            raise TimeoutError

        return wrapper

    return decorate


async def use_retried() -> None:
    assert_type(await retried(3)(one)(number), str)
    await retried(3)(one)(text)  # E


# case: a decorator that adds a parameter
def with_user(function: Callable[P, R]) -> Callable[Concatenate[str, P], Awaitable[R]]:
    async def wrapper(user: str, /, *args: P.args, **kwargs: P.kwargs) -> R:
        print(user)
        return await bridge.sync_to_async(function)(*args, **kwargs)

    return wrapper


async def use_with_user() -> None:
    assert_type(await with_user(one)(text, number), str)
    await with_user(one)(number)  # E


# case: a decorator that fills a parameter
def with_connection(function: Callable[Concatenate[int, P], R]) -> Callable[P, Awaitable[R]]:
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        return await bridge.sync_to_async(function)(number, *args, **kwargs)

    return wrapper


async def use_with_connection() -> None:
    assert_type(await with_connection(two)(text), bytes)
    await with_connection(two)(number, text)  # E


# case: a wrapper with wrongly forwarded parameters
def careless(function: Callable[P, R]) -> Callable[P, Awaitable[R]]:
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        return await bridge.sync_to_async(function)(*args)  # E

    return wrapper


# case: a wrapper that forgets to await
def forgetful(function: Callable[P, R]) -> Callable[P, Awaitable[R]]:
    async def wrapper(*args: P.args, **kwargs: P.kwargs) -> R:
        return bridge.sync_to_async(function)(*args, **kwargs)  # E

    return wrapper


# case: a class that keeps a wrapped function
from typing import Generic  # noqa: E402


class Job(Generic[P, R]):
    def __init__(self, function: Callable[P, R]) -> None:
        self._run = bridge.sync_to_async(function)

    async def __call__(self, *args: P.args, **kwargs: P.kwargs) -> R:
        return await self._run(*args, **kwargs)


async def use_job() -> None:
    assert_type(await Job(one)(number), str)
    await Job(one)(text)  # E


# case: a bridge handed over by argument
class Repository:
    def __init__(self, *, bridge: Bridge) -> None:
        self.load = bridge.sync_to_async(one)


async def use_repository() -> None:
    assert_type(await Repository(bridge=bridge).load(number), str)


# case: a method that forwards
class Runner:
    async def run(self, function: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
        return await bridge.run_sync(function, *args, **kwargs)


async def use_runner() -> None:
    assert_type(await Runner().run(one, number), str)
    await Runner().run(one, text)  # E


# case: a callback without parameters
async def each(callback: Callable[[], T]) -> list[T]:
    return [await bridge.sync_to_async(callback)()]


async def use_each() -> None:
    assert_type(await each(nothing), list[None])


# case: mapping a function over values
async def over(function: Callable[[T], R], values: list[T]) -> list[R]:
    aview = bridge.sync_to_async(function)
    return [await aview(value) for value in values]


async def use_over() -> None:
    assert_type(await over(one, [number]), list[str])
    await over(one, [text])  # E


# case: a generic function through a decorator of one's own
async def generic_through() -> None:
    assert_type(await in_thread(same)(text), str)


# case: a decorator for either colour
def plain(function: Callable[P, Awaitable[R]]) -> Callable[P, R]:
    return bridge.async_to_sync(function)


def use_plain() -> None:
    assert_type(plain(aone)(number), str)
    plain(one)  # E
