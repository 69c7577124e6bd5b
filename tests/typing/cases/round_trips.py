"""There and back: both wrappers over each other give the first signature again."""

from typing import assert_type

from given import aone, every_kind, keyword_only, nothing, one, two, with_default

from asgikit import Bridge

bridge = Bridge()
other = Bridge()
number: int = 1
text: str = "a"
flag: bool = True


# case: a function made asynchronous and synchronous again
def there_and_back() -> None:
    again = bridge.async_to_sync(bridge.sync_to_async(one))
    assert_type(again(number), str)
    again(text)  # E


# case: a coroutine function made synchronous and asynchronous again
async def back_and_there() -> None:
    again = bridge.sync_to_async(bridge.async_to_sync(aone))
    assert_type(await again(number), str)
    await again(text)  # E


# case: a default survives the round trip
def default_survives() -> None:
    again = bridge.async_to_sync(bridge.sync_to_async(with_default))
    assert_type(again(number), bytes)
    assert_type(again(number, text), bytes)
    assert_type(again(number, b=text), bytes)


# case: keyword-only survives the round trip
def keyword_survives() -> None:
    again = bridge.async_to_sync(bridge.sync_to_async(keyword_only))
    assert_type(again(a=number), bytes)
    again(number)  # E


# case: every kind of parameter survives the round trip
def everything_survives() -> None:
    again = bridge.async_to_sync(bridge.sync_to_async(every_kind))
    assert_type(again(number, text, flag, c=b"c", e=number), str)
    again(number, text, flag)  # E


# case: three crossings
async def three() -> None:
    again = bridge.sync_to_async(bridge.async_to_sync(bridge.sync_to_async(two)))
    assert_type(await again(number, text), bytes)


# case: four crossings
def four() -> None:
    again = bridge.async_to_sync(bridge.sync_to_async(bridge.async_to_sync(bridge.sync_to_async(two))))
    assert_type(again(number, text), bytes)
    again(text, number)  # E


# case: two bridges in one chain
def two_bridges() -> None:
    assert_type(other.async_to_sync(bridge.sync_to_async(one))(number), str)


# case: a wrapper called inside a wrapper
@bridge.sync_to_async
def outer(a: int) -> str:
    return bridge.async_to_sync(aone)(a)


async def call_outer() -> None:
    assert_type(await outer(number), str)


# case: stacked decorators
@bridge.async_to_sync
@bridge.sync_to_async
def stacked(a: int) -> str:
    return str(a)


def call_stacked() -> None:
    assert_type(stacked(number), str)
    stacked(text)  # E


# case: stacked decorators with options
@bridge.sync_to_async(thread_sensitive=False)
@bridge.async_to_sync(timeout=1.0)
async def stacked_options(a: int) -> str:
    return str(a)


async def call_stacked_options() -> None:
    assert_type(await stacked_options(number), str)
    await stacked_options(text)  # E


# case: a function without parameters there and back
def no_parameters() -> None:
    assert_type(bridge.async_to_sync(bridge.sync_to_async(nothing))(), None)


# case: a method there and back
class Store:
    @bridge.async_to_sync
    @bridge.sync_to_async
    def get(self, key: str) -> int:
        return len(key)


def call_method() -> None:
    assert_type(Store().get(text), int)
    Store().get(number)  # E
