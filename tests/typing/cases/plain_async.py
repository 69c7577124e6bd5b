"""Coroutine functions through async_to_sync: every kind of parameter arrives, every wrong argument is seen."""

from collections.abc import Callable
from typing import assert_type

from given import (
    aevery_kind,
    akeyword_only,
    amany,
    anothing,
    aone,
    aoptional,
    aoptions,
    apositional_only,
    atwo,
    awith_default,
)

from asgikit import Bridge

bridge = Bridge()
number: int = 1
text: str = "a"
flag: bool = True


# case: a coroutine function without parameters
def no_parameters() -> None:
    assert_type(bridge.async_to_sync(anothing)(), None)


# case: a positional parameter and the result
def positional() -> None:
    assert_type(bridge.async_to_sync(aone)(number), str)


# case: a parameter by keyword
def by_keyword() -> None:
    assert_type(bridge.async_to_sync(aone)(a=number), str)


# case: a wrong argument
def wrong_argument() -> None:
    bridge.async_to_sync(aone)(text)  # E


# case: a missing argument
def missing_argument() -> None:
    bridge.async_to_sync(atwo)(number)  # E


# case: one argument too many
def extra_argument() -> None:
    bridge.async_to_sync(aone)(number, number)  # E


# case: an unknown keyword
def unknown_keyword() -> None:
    bridge.async_to_sync(aone)(b=number)  # E


# case: a default may be left out
def default_left_out() -> None:
    assert_type(bridge.async_to_sync(awith_default)(number), bytes)


# case: a default may be given by keyword
def default_given() -> None:
    assert_type(bridge.async_to_sync(awith_default)(number, b=text), bytes)


# case: positional-only stays positional-only
def positional_only_kept() -> None:
    view = bridge.async_to_sync(apositional_only)
    assert_type(view(number, text), bytes)
    view(number, b=text)  # E


# case: keyword-only stays keyword-only
def keyword_only_kept() -> None:
    view = bridge.async_to_sync(akeyword_only)
    assert_type(view(a=number), bytes)
    view(number)  # E


# case: variable positional parameters
def variable_positional() -> None:
    view = bridge.async_to_sync(amany)
    assert_type(view(number, number), list[int])
    view(number, text)  # E


# case: variable keyword parameters
def variable_keyword() -> None:
    view = bridge.async_to_sync(aoptions)
    assert_type(view(x=number, y=number), dict[str, int])
    view(x=text)  # E


# case: every kind of parameter at once
def all_kinds() -> None:
    assert_type(bridge.async_to_sync(aevery_kind)(number, text, flag, c=b"c", d=1.5, e=number), str)


# case: every kind of parameter, the keyword-only one missing
def all_kinds_missing() -> None:
    bridge.async_to_sync(aevery_kind)(number, text, flag)  # E


# case: None in parameter and result
def optional_parameter() -> None:
    assert_type(bridge.async_to_sync(aoptional)(None), str | None)


# case: the optional result must be narrowed
def optional_result() -> None:
    bridge.async_to_sync(aoptional)(None).upper()  # E


# case: the result is a value and cannot be awaited
async def not_awaitable() -> None:
    await bridge.async_to_sync(aone)(number)  # E


# case: the result has the coroutine's type and no other
def wrong_result() -> None:
    result: int = bridge.async_to_sync(aone)(number)  # E
    print(result)


# case: a coroutine function defined inside a function
def local_function() -> None:
    async def send(group: str, *, urgent: bool = False) -> int:
        return len(group) + urgent

    assert_type(bridge.async_to_sync(send)(text, urgent=flag), int)


# case: an asynchronous lambda by way of a coroutine
def through_lambda() -> None:
    assert_type(bridge.async_to_sync(lambda: aone(number))(), str)


# case: the wrapper fits the callable that a caller asks for
def as_callback() -> None:
    def register(handler: Callable[[int], str]) -> None:
        print(handler)

    register(bridge.async_to_sync(aone))


# case: the wrapper does not fit a callable with other parameters
def as_wrong_callback() -> None:
    def register(handler: Callable[[str], str]) -> None:
        print(handler)

    register(bridge.async_to_sync(aone))  # E


# case: a time-out is a number of seconds
def with_timeout() -> None:
    assert_type(bridge.async_to_sync(aone, timeout=2.0)(number), str)
    assert_type(bridge.async_to_sync(aone, timeout=2)(number), str)
    assert_type(bridge.async_to_sync(aone, timeout=None)(number), str)


# case: a time-out is not a string
def with_wrong_timeout() -> None:
    bridge.async_to_sync(aone, timeout="2s")  # E


# case: a loop of one's own, or a new one
def with_loop() -> None:
    import asyncio

    loop = asyncio.new_event_loop()
    assert_type(bridge.async_to_sync(aone, loop=loop)(number), str)
    assert_type(bridge.async_to_sync(aone, force_new_loop=True)(number), str)


# case: a loop is an event loop
def with_wrong_loop() -> None:
    bridge.async_to_sync(aone, loop="main")  # E


# case: an option that does not exist
def unknown_option() -> None:
    bridge.async_to_sync(aone, new_loop=True)  # E


# case: options are keyword-only
def positional_option() -> None:
    bridge.async_to_sync(aone, True)  # E
