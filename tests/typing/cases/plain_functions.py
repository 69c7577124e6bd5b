"""Plain functions through sync_to_async: every kind of parameter arrives, every wrong argument is seen."""

from typing import assert_type

from given import (
    every_kind,
    keyword_only,
    many,
    nothing,
    one,
    optional,
    options,
    pairs,
    positional_only,
    two,
    with_default,
)

from asgikit import Bridge

bridge = Bridge()
number: int = 1
text: str = "a"
flag: bool = True


# case: a function without parameters
async def no_parameters() -> None:
    assert_type(await bridge.sync_to_async(nothing)(), None)


# case: a positional parameter and the result
async def positional() -> None:
    assert_type(await bridge.sync_to_async(one)(number), str)


# case: a parameter by keyword
async def by_keyword() -> None:
    assert_type(await bridge.sync_to_async(one)(a=number), str)


# case: a wrong argument
async def wrong_argument() -> None:
    await bridge.sync_to_async(one)(text)  # E


# case: a missing argument
async def missing_argument() -> None:
    await bridge.sync_to_async(two)(number)  # E


# case: one argument too many
async def extra_argument() -> None:
    await bridge.sync_to_async(one)(number, number)  # E


# case: an unknown keyword
async def unknown_keyword() -> None:
    await bridge.sync_to_async(one)(b=number)  # E


# case: a default may be left out
async def default_left_out() -> None:
    assert_type(await bridge.sync_to_async(with_default)(number), bytes)


# case: a default may be given by keyword
async def default_given() -> None:
    assert_type(await bridge.sync_to_async(with_default)(number, b=text), bytes)


# case: a wrong value for a default
async def default_wrong() -> None:
    await bridge.sync_to_async(with_default)(number, b=number)  # E


# case: positional-only stays positional-only
async def positional_only_kept() -> None:
    aview = bridge.sync_to_async(positional_only)
    assert_type(await aview(number, text), bytes)
    await aview(number, b=text)  # E


# case: keyword-only stays keyword-only
async def keyword_only_kept() -> None:
    aview = bridge.sync_to_async(keyword_only)
    assert_type(await aview(a=number), bytes)
    await aview(number)  # E


# case: variable positional parameters
async def variable_positional() -> None:
    aview = bridge.sync_to_async(many)
    assert_type(await aview(), list[int])
    assert_type(await aview(number, number), list[int])
    await aview(number, text)  # E


# case: variable keyword parameters
async def variable_keyword() -> None:
    aview = bridge.sync_to_async(options)
    assert_type(await aview(x=number, y=number), dict[str, int])
    await aview(x=text)  # E


# case: every kind of parameter at once
async def all_kinds() -> None:
    aview = bridge.sync_to_async(every_kind)
    assert_type(await aview(number, text, flag, c=b"c", d=1.5, e=number), str)


# case: every kind of parameter, the keyword-only one missing
async def all_kinds_missing() -> None:
    await bridge.sync_to_async(every_kind)(number, text, flag)  # E


# case: every kind of parameter, a wrong extra keyword
async def all_kinds_wrong_extra() -> None:
    await bridge.sync_to_async(every_kind)(number, text, c=b"c", e=text)  # E


# case: None in parameter and result
async def optional_parameter() -> None:
    assert_type(await bridge.sync_to_async(optional)(None), str | None)


# case: the optional result must be narrowed
async def optional_result() -> None:
    result = await bridge.sync_to_async(optional)(None)
    result.upper()  # E


# case: containers in parameter and result
async def containers() -> None:
    assert_type(await bridge.sync_to_async(pairs)([(text, number)]), dict[str, int])


# case: the result of a wrapper without await is not the function's
async def forgotten_await() -> None:
    length: str = bridge.sync_to_async(one)(number)  # E
    print(length)


# case: a forgotten await is seen when the coroutine is used
async def forgotten_await_used() -> None:
    bridge.sync_to_async(one)(number).upper()  # E


# case: awaiting the wrapper itself instead of calling it
async def await_without_call() -> None:
    await bridge.sync_to_async(one)  # E


# case: the result has the function's type and no other
async def wrong_result() -> None:
    result: int = await bridge.sync_to_async(one)(number)  # E
    print(result)


# case: unpacked arguments of the right types
async def unpacked() -> None:
    values: tuple[int, str] = (number, text)
    assert_type(await bridge.sync_to_async(two)(*values), bytes)


# case: unpacked arguments of the wrong types
async def unpacked_wrong() -> None:
    values: tuple[str, int] = (text, number)
    await bridge.sync_to_async(two)(*values)  # E


# case: a lambda
async def lambdas() -> None:
    assert_type(await bridge.sync_to_async(lambda: number)(), int)


# case: the wrapper fits the callable that a caller asks for
def as_callback() -> None:
    from collections.abc import Awaitable, Callable

    def register(handler: Callable[[int], Awaitable[str]]) -> None:
        print(handler)

    register(bridge.sync_to_async(one))


# case: the wrapper does not fit a callable with other parameters
def as_wrong_callback() -> None:
    from collections.abc import Awaitable, Callable

    def register(handler: Callable[[str], Awaitable[str]]) -> None:
        print(handler)

    register(bridge.sync_to_async(one))  # E


# case: the wrapper is not a synchronous callable
def as_sync_callback() -> None:
    from collections.abc import Callable

    def register(handler: Callable[[int], str]) -> None:
        print(handler)

    register(bridge.sync_to_async(one))  # E
