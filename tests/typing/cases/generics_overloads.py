"""Generic functions stay generic through both wrappers; overloads as far as a checker can keep them."""

from collections.abc import Sequence
from typing import assert_type

from given import (
    Box,
    Item,
    afirst,
    aparse,
    apply,
    asame,
    asame_number,
    fetch_row,
    first,
    one,
    parse,
    same,
    same_number,
    same_sequence,
)

from asgikit import Bridge

bridge = Bridge()
number: int = 1
text: str = "a"
real: float = 0.5
words: Sequence[str] = ["a"]
box: Box[int] = Box(number)


# case: the identity function
async def identity() -> None:
    assert_type(await bridge.sync_to_async(same)(number), int)
    assert_type(await bridge.sync_to_async(same)(text), str)


# case: one wrapper of a generic function, used with two types
async def used_twice() -> None:
    aview = bridge.sync_to_async(same)
    assert_type(await aview(number), int)
    assert_type(await aview(text), str)


# case: a type variable inside a container
async def inside_container() -> None:
    assert_type(await bridge.sync_to_async(first)(words), str)


# case: a generic function and a wrong argument
async def wrong_for_generic() -> None:
    await bridge.sync_to_async(first)(number)  # E


# case: a constrained type variable
async def constrained() -> None:
    assert_type(await bridge.sync_to_async(same_number)(number), int)
    assert_type(await bridge.sync_to_async(same_number)(real), float)


# case: a constrained type variable and a type outside
async def outside_constraint() -> None:
    await bridge.sync_to_async(same_number)(text)  # E


# case: a bound type variable
async def bounded() -> None:
    values: list[int] = [number]
    assert_type(await bridge.sync_to_async(same_sequence)(values), list[int])


# case: a bound type variable and a type outside
async def outside_bound() -> None:
    await bridge.sync_to_async(same_sequence)(number)  # E


# case: a function that takes a function
async def higher_order() -> None:
    def double(a: str) -> int:
        return len(a) * 2

    assert_type(await bridge.sync_to_async(apply)(double, text), int)


# case: a generic coroutine function
def aidentity() -> None:
    assert_type(bridge.async_to_sync(asame)(number), int)
    assert_type(bridge.async_to_sync(asame)(text), str)


# case: one wrapper of a generic coroutine function, used with two types
def aused_twice() -> None:
    view = bridge.async_to_sync(asame)
    assert_type(view(number), int)
    assert_type(view(text), str)


# case: a generic coroutine function over a container
def ainside_container() -> None:
    assert_type(bridge.async_to_sync(afirst)(words), str)
    bridge.async_to_sync(afirst)(number)  # E


# case: a constrained coroutine function
def aconstrained() -> None:
    assert_type(bridge.async_to_sync(asame_number)(real), float)
    bridge.async_to_sync(asame_number)(text)  # E


# case: a method of a generic class
async def method_of_generic() -> None:
    assert_type(await bridge.sync_to_async(box.get)(), int)
    assert_type(await bridge.sync_to_async(box.put)(number), None)


# case: a wrong argument of a method of a generic class
async def wrong_for_method_of_generic() -> None:
    await bridge.sync_to_async(box.put)(text)  # E


# case: a coroutine method of a generic class
def amethod_of_generic() -> None:
    assert_type(bridge.async_to_sync(box.aget)(), int)
    bridge.async_to_sync(box.aput)(text)  # E


# case: a classmethod of a generic class
async def classmethod_of_generic() -> None:
    assert_type(await bridge.sync_to_async(Box[str].make)(words), Box[str])


# case: a generic class of the user's own with decorated methods
from typing import Generic, TypeVar  # noqa: E402

T = TypeVar("T")


class Repository(Generic[T]):
    def __init__(self, kind: type[T]) -> None:
        self.kind = kind

    @bridge.sync_to_async
    def load(self, key: int) -> T:
        raise KeyError(key)

    @bridge.async_to_sync
    async def store(self, value: T) -> int:
        raise KeyError(value)


async def own_generic() -> None:
    repository = Repository(Item)
    assert_type(await repository.load(number), Item)
    assert_type(repository.store(Item()), int)


# case: a wrong argument of a decorated method of one's own generic class
async def own_generic_wrong() -> None:
    repository = Repository(Item)
    repository.store(number)  # E


# case: a decorated generic function
@bridge.sync_to_async
def choose(values: Sequence[T], index: int) -> T:
    return values[index]


async def decorated_generic() -> None:
    assert_type(await choose(words, number), str)
    await choose(words, text)  # E


# case: the first overload
async def first_overload() -> None:
    assert_type(await bridge.sync_to_async(parse)(text), int)


# case: a later overload
async def later_overload() -> None:
    assert_type(await bridge.sync_to_async(parse)(b"a"), float)


# case: no overload fits
async def no_overload() -> None:
    await bridge.sync_to_async(parse)(number)  # E


# case: the first overload of a coroutine function
def afirst_overload() -> None:
    assert_type(bridge.async_to_sync(aparse)(text), int)


# case: a later overload of a coroutine function
def alater_overload() -> None:
    assert_type(bridge.async_to_sync(aparse)(b"a"), float)


# case: no overload of a coroutine function fits
def ano_overload() -> None:
    bridge.async_to_sync(aparse)(number)  # E


# case: overloads that differ by keyword
async def keyword_overloads() -> None:
    assert_type(await bridge.sync_to_async(fetch_row)(number, strict=True), Item)
    assert_type(await bridge.sync_to_async(fetch_row)(number, default=text), Item | str)


# case: overloads called directly are never lost
async def overloads_by_lambda() -> None:
    assert_type(await bridge.sync_to_async(lambda: parse(b"a"))(), float)
    assert_type(await bridge.sync_to_async(lambda: parse(text))(), int)


# case: a wrapper of a wrapper keeps a type variable
async def twice() -> None:
    again = bridge.sync_to_async(bridge.async_to_sync(asame))
    assert_type(await again(number), int)


# case: a wrapper among others in a list
async def in_a_list() -> None:
    from collections.abc import Awaitable, Callable

    views: list[Callable[[int], Awaitable[str]]] = [bridge.sync_to_async(one)]
    assert_type(await views[0](number), str)
