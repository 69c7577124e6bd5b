"""Any stays where the user put it and spreads no further; Never means never."""

from collections.abc import Awaitable, Callable
from typing import Any, Never, assert_type

from given import anever, auntyped_result, never, one, takes_never, untyped_parameter, untyped_result

from asgikit import Bridge

bridge = Bridge()
number: int = 1
text: str = "a"


# case: a result that is Any
async def any_result() -> None:
    assert_type(await bridge.sync_to_async(untyped_result)(number), Any)


# case: an Any result does not loosen the parameters
async def any_result_strict_parameters() -> None:
    await bridge.sync_to_async(untyped_result)(text)  # E


# case: a parameter that is Any
async def any_parameter() -> None:
    assert_type(await bridge.sync_to_async(untyped_parameter)(text), int)
    assert_type(await bridge.sync_to_async(untyped_parameter)(number), int)


# case: an Any parameter does not loosen the result
async def any_parameter_strict_result() -> None:
    value: str = await bridge.sync_to_async(untyped_parameter)(text)  # E
    print(value)


# case: a coroutine's result that is Any
def aany_result() -> None:
    assert_type(bridge.async_to_sync(auntyped_result)(number), Any)
    bridge.async_to_sync(auntyped_result)(text)  # E


# case: an argument that is Any
async def any_argument(value: Any) -> None:
    assert_type(await bridge.sync_to_async(one)(value), str)


# case: a function that is Any
async def any_function(function: Any) -> None:
    result: int = await bridge.sync_to_async(function)(number)
    print(result)


# case: a function of any parameters and result
async def loose_function(function: Callable[..., Any]) -> None:
    result: int = await bridge.sync_to_async(function)(number, text, key=text)
    print(result)


# case: a coroutine function of any parameters and result
def aloose_function(function: Callable[..., Awaitable[Any]]) -> None:
    result: int = bridge.async_to_sync(function)(number, text, key=text)
    print(result)


# case: any parameters, a known result
async def loose_parameters(function: Callable[..., str]) -> None:
    assert_type(await bridge.sync_to_async(function)(number), str)


# case: a function that never returns
async def never_returns() -> Never:
    await bridge.sync_to_async(never)()
    raise AssertionError  # E?: unreachable


# case: a coroutine that never returns
def anever_returns() -> Never:
    bridge.async_to_sync(anever)()
    raise AssertionError  # E?: unreachable


# case: a function that cannot be called
async def cannot_be_called() -> None:
    await bridge.sync_to_async(takes_never)(number)  # E


# case: what follows an ordinary call is reachable
async def reachable() -> str:
    value = await bridge.sync_to_async(one)(number)
    return value


# case: object in and out
async def objects(function: Callable[[object], object]) -> None:
    assert_type(await bridge.sync_to_async(function)(number), object)
