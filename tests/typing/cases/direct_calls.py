"""run_sync and run_async: a call without a wrapper, checked like the call itself."""

import functools
from collections.abc import Callable
from typing import assert_type

from given import (
    Box,
    Greeter,
    akeyword_only,
    anothing,
    aone,
    as_request,
    asame,
    atwo,
    every_kind,
    keyword_only,
    nothing,
    one,
    same,
    two,
)

from asgikit import Bridge

bridge = Bridge()
number: int = 1
text: str = "a"
flag: bool = True


# case: run_sync with a positional argument
async def positional() -> None:
    assert_type(await bridge.run_sync(one, number), str)


# case: run_sync with keywords
async def keywords() -> None:
    assert_type(await bridge.run_sync(two, number, b=text), bytes)
    assert_type(await bridge.run_sync(keyword_only, a=number), bytes)


# case: run_sync without arguments
async def without() -> None:
    assert_type(await bridge.run_sync(nothing), None)


# case: run_sync with every kind of parameter
async def every() -> None:
    assert_type(await bridge.run_sync(every_kind, number, text, flag, c=b"c", e=number), str)


# case: run_sync with a wrong argument
async def wrong() -> None:
    await bridge.run_sync(one, text)  # E


# case: run_sync with a missing argument
async def missing() -> None:
    await bridge.run_sync(two, number)  # E


# case: run_sync with an unknown keyword
async def unknown() -> None:
    await bridge.run_sync(one, number, timeout=2.0)  # E


# case: run_sync with a generic function
async def generic() -> None:
    assert_type(await bridge.run_sync(same, text), str)


# case: run_sync with a lambda
async def of_lambda() -> None:
    assert_type(await bridge.run_sync(lambda: two(number, text)), bytes)


# case: run_sync with a class
async def of_class() -> None:
    assert_type(await bridge.run_sync(Greeter, text, loud=flag), Greeter)


# case: run_sync with a bound method
async def of_method() -> None:
    assert_type(await bridge.run_sync(Box(number).get), int)


# case: run_sync with a partial
async def of_partial() -> None:
    assert_type(await bridge.run_sync(functools.partial(two, number), text), bytes)


# case: run_sync and a forgotten await
async def forgotten() -> None:
    value: str = bridge.run_sync(one, number)  # E
    print(value)


# case: run_async with a positional argument
def apositional() -> None:
    assert_type(bridge.run_async(aone, number), str)


# case: run_async with keywords
def akeywords() -> None:
    assert_type(bridge.run_async(atwo, number, b=text), bytes)
    assert_type(bridge.run_async(akeyword_only, a=number), bytes)


# case: run_async without arguments
def awithout() -> None:
    assert_type(bridge.run_async(anothing), None)


# case: run_async with a wrong argument
def awrong() -> None:
    bridge.run_async(aone, text)  # E


# case: run_async with a missing argument
def amissing() -> None:
    bridge.run_async(atwo, number)  # E


# case: run_async with a synchronous function
def asynchronous() -> None:
    bridge.run_async(one, number)  # E


# case: run_async with a coroutine object
def acoroutine() -> None:
    bridge.run_async(aone(number))  # E


# case: run_async with a generic coroutine function
def ageneric() -> None:
    assert_type(bridge.run_async(asame, text), str)


# case: run_async with another awaitable
def aawaitable() -> None:
    assert_type(bridge.run_async(as_request, number), str)


# case: a parameter that is called fn or func
async def clashing_names() -> None:
    def call(fn: Callable[[int], str], func: int) -> str:
        return fn(func)

    assert_type(await bridge.run_sync(call, fn=one, func=number), str)


# case: a parameter that is called self
async def clashing_self() -> None:
    def call(self: int, bridge: str) -> str:
        return bridge * self

    assert_type(await bridge.run_sync(call, self=number, bridge=text), str)  # E?: self is taken in some checkers


# case: a parameter that is called thread_sensitive
async def clashing_options() -> None:
    def call(*, thread_sensitive: bool, executor: str) -> str:
        return executor * thread_sensitive

    assert_type(await bridge.run_sync(call, thread_sensitive=flag, executor=text), str)
    assert_type(await bridge.sync_to_async(call)(thread_sensitive=flag, executor=text), str)


# case: what an adapter calls with is checked like the call itself
async def prepared() -> None:
    call = bridge.sync_caller(thread_sensitive=flag)
    assert_type(await call(two, number, b=text), bytes)
    await call(one, text)  # E


# case: and so it is in the other direction
def prepared_async() -> None:
    call = bridge.async_caller(force_new_loop=flag)
    assert_type(call(atwo, number, b=text), bytes)
    call(aone, text)  # E
    call(one, number)  # E
