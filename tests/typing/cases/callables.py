"""What is called need not be a function: objects, classes, partials, builtins, lambdas."""

import copy
import functools
import operator
import time
from collections.abc import Callable
from pathlib import Path
from typing import assert_type

from given import AsyncGreeter, Box, Greeter, aone, atwo, one, two

from asgikit import Bridge

bridge = Bridge()
number: int = 1
text: str = "a"


# case: an object with __call__
async def callable_object() -> None:
    assert_type(await bridge.sync_to_async(Greeter(text))(number), str)


# case: a wrong argument of an object with __call__
async def callable_object_wrong() -> None:
    await bridge.sync_to_async(Greeter(text))(text)  # E


# case: an object with an asynchronous __call__
def async_callable_object() -> None:
    assert_type(bridge.async_to_sync(AsyncGreeter())(number), str)


# case: a wrong argument of an object with an asynchronous __call__
def async_callable_object_wrong() -> None:
    bridge.async_to_sync(AsyncGreeter())(text)  # E


# case: an asynchronous __call__ taken as a method
def async_call_method() -> None:
    assert_type(bridge.async_to_sync(AsyncGreeter().__call__)(number), str)


# case: a class is called to make an object
async def a_class() -> None:
    assert_type(await bridge.sync_to_async(Greeter)(text, loud=True), Greeter)


# case: a wrong argument of a class
async def a_class_wrong() -> None:
    await bridge.sync_to_async(Greeter)(number)  # E


# case: a generic class
async def a_generic_class() -> None:
    assert_type(await bridge.sync_to_async(Box[int])(number), Box[int])


# case: a partial with a positional argument
async def partial_positional() -> None:
    assert_type(await bridge.sync_to_async(functools.partial(two, number))(text), bytes)


# case: a partial with a keyword
async def partial_keyword() -> None:
    assert_type(await bridge.sync_to_async(functools.partial(two, b=text))(number), bytes)


# case: a partial that is complete
async def partial_complete() -> None:
    assert_type(await bridge.sync_to_async(functools.partial(one, number))(), str)


# case: a partial with a wrong argument
async def partial_wrong() -> None:
    await bridge.sync_to_async(functools.partial(two, text))(text)  # E


# case: a partial of a coroutine function
def apartial() -> None:
    assert_type(bridge.async_to_sync(functools.partial(atwo, number))(text), bytes)


# case: a builtin
async def builtin() -> None:
    assert_type(await bridge.sync_to_async(time.sleep)(0.1), None)
    await bridge.sync_to_async(time.sleep)(text)  # E


# case: a method of a builtin type
async def method_of_builtin() -> None:
    assert_type(await bridge.sync_to_async(text.upper)(), str)


# case: a method of a library's object
async def method_of_library() -> None:
    assert_type(await bridge.sync_to_async(Path(text).exists)(), bool)
    assert_type(await bridge.sync_to_async(Path(text).read_bytes)(), bytes)


# case: a generic builtin
async def generic_builtin() -> None:
    values: list[int] = [number]
    assert_type(await bridge.sync_to_async(copy.deepcopy)(values), list[int])


# case: len
async def builtin_len() -> None:
    values: list[int] = [number]
    assert_type(await bridge.sync_to_async(len)(values), int)
    await bridge.sync_to_async(len)(number)  # E


# case: an operator
async def of_operator() -> None:
    assert_type(await bridge.sync_to_async(operator.not_)(text), bool)


# case: a lambda that closes over its arguments
async def lambda_closure() -> None:
    assert_type(await bridge.sync_to_async(lambda: two(number, text))(), bytes)


# case: a function kept in a variable
async def in_variable() -> None:
    view: Callable[[int], str] = one
    assert_type(await bridge.sync_to_async(view)(number), str)
    await bridge.sync_to_async(view)(text)  # E


# case: a coroutine function kept in a variable
def ain_variable() -> None:
    from collections.abc import Awaitable

    view: Callable[[int], Awaitable[str]] = aone
    assert_type(bridge.async_to_sync(view)(number), str)
    bridge.async_to_sync(view)(text)  # E


# case: a callable with any parameters
async def any_parameters(view: Callable[..., str]) -> None:
    assert_type(await bridge.sync_to_async(view)(number, text, option=number), str)


# case: a function behind functools.wraps
async def behind_wraps() -> None:
    @functools.wraps(one)
    def logged(a: int) -> str:
        return one(a)

    assert_type(await bridge.sync_to_async(logged)(number), str)


# case: a function behind functools.cache
async def behind_cache() -> None:
    @functools.cache
    def slow(a: int) -> str:
        return one(a)

    assert_type(await bridge.sync_to_async(slow)(number), str)


# case: one of two functions
async def one_of_two(flag: bool) -> None:
    def other(a: int) -> str:
        return str(a)

    assert_type(await bridge.sync_to_async(one if flag else other)(number), str)


# case: a callback protocol
from typing import Protocol  # noqa: E402


class Handler(Protocol):
    def __call__(self, request: str, *, retries: int = 0) -> bytes: ...


async def callback_protocol(handler: Handler) -> None:
    assert_type(await bridge.sync_to_async(handler)(text, retries=number), bytes)
    await bridge.sync_to_async(handler)(text, number)  # E


# case: an asynchronous callback protocol
class AsyncHandler(Protocol):
    async def __call__(self, request: str, *, retries: int = 0) -> bytes: ...


def async_callback_protocol(handler: AsyncHandler) -> None:
    assert_type(bridge.async_to_sync(handler)(text, retries=number), bytes)
    bridge.async_to_sync(handler)(number)  # E
