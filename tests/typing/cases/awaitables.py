"""async_to_sync takes every callable that returns an awaitable, not only coroutine functions."""

import asyncio
from typing import Any, assert_type

from given import (
    Request,
    agenerate,
    anever,
    as_awaitable,
    as_coroutine,
    as_either,
    as_future,
    as_request,
    as_task,
    auntyped_result,
    generate,
    one,
)

from asgikit import Bridge

bridge = Bridge()
number: int = 1


# case: a function that returns a future
def future() -> None:
    assert_type(bridge.async_to_sync(as_future)(number), str)


# case: a function that returns a task
def task() -> None:
    assert_type(bridge.async_to_sync(as_task)(number), str)


# case: a function that returns a coroutine
def coroutine() -> None:
    assert_type(bridge.async_to_sync(as_coroutine)(number), str)


# case: a function that returns an awaitable
def awaitable() -> None:
    assert_type(bridge.async_to_sync(as_awaitable)(number), str)


# case: a function that returns an object of one's own with __await__
def own_awaitable() -> None:
    assert_type(bridge.async_to_sync(as_request)(number), str)


# case: a class whose objects are awaitable
class Query(Request[int]):
    def __init__(self, text: str) -> None: ...


def class_of_awaitables() -> None:
    assert_type(bridge.async_to_sync(Query)("select"), int)
    bridge.async_to_sync(Query)(number)  # E


# case: a function that may return a plain value
def either() -> None:
    bridge.async_to_sync(as_either)  # E


# case: a function that returns a plain value
def plain_value() -> None:
    bridge.async_to_sync(one)  # E


# case: a generator function
def generator() -> None:
    bridge.async_to_sync(generate)  # E


# case: an asynchronous generator function
def async_generator() -> None:
    async def numbers() -> "AsyncIterator[int]":
        yield number

    bridge.async_to_sync(numbers)  # E


from collections.abc import AsyncIterator  # noqa: E402


# case: a coroutine function that returns an asynchronous iterator
def coroutine_of_iterator() -> None:
    assert_type(bridge.async_to_sync(agenerate)(number), AsyncIterator[int])


# case: gather behind a lambda
def gathered() -> None:
    both = bridge.async_to_sync(lambda: asyncio.gather(as_future(number), as_request(number)))
    assert_type(both(), tuple[str, str])


# case: asyncio.sleep with a result
def sleeping() -> None:
    assert_type(bridge.async_to_sync(asyncio.sleep)(0.1), None)


# case: a coroutine that never returns
def never_returns() -> None:
    bridge.async_to_sync(anever)()
    print("unreachable")  # E?


# case: a coroutine whose result is not typed
def not_typed() -> None:
    assert_type(bridge.async_to_sync(auntyped_result)(number), Any)


# case: an awaitable of None
def of_none() -> None:
    async def send() -> None: ...

    assert_type(bridge.async_to_sync(send)(), None)
