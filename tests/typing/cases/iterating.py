"""Iterables and context managers across the bridge: items, sent values and managed objects keep their types."""

from collections.abc import AsyncGenerator, AsyncIterable, AsyncIterator, Callable, Generator, Iterable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, contextmanager
from typing import BinaryIO, TextIO, assert_type

from given import generate, one

from asgikit import Bridge

bridge = Bridge()
number: int = 1
text: str = "a"


def lines(path: str, *, limit: int = 0) -> Iterator[bytes]:
    yield path.encode() * limit


def echo(start: int) -> Generator[int, str, None]:
    got = yield start
    print(got)


async def alines(path: str, *, limit: int = 0) -> AsyncIterator[bytes]:
    yield path.encode() * limit


async def aecho(start: int) -> AsyncGenerator[int, str]:
    got = yield start
    print(got)


# case: an iterable
async def an_iterable(values: Iterable[int]) -> None:
    async for value in bridge.iterate_async(values):
        assert_type(value, int)


# case: a list
async def a_list(values: list[str]) -> None:
    async for value in bridge.iterate_async(values, max_buffer=8):
        assert_type(value, str)


# case: an open file
async def a_file(file: TextIO) -> None:
    async for line in bridge.iterate_async(file):
        assert_type(line, str)


# case: an iterable is not iterated synchronously any more
def not_synchronous(values: list[int]) -> None:
    for value in bridge.iterate_async(values):  # E
        print(value)  # E?


# case: a function that returns an iterator
async def a_function() -> None:
    async for line in bridge.iterate_async(lines)(text, limit=number):
        assert_type(line, bytes)


# case: a wrong argument of a function that returns an iterator
async def a_function_wrong() -> None:
    bridge.iterate_async(lines)(number)  # E


# case: a generator function that takes values
async def a_generator() -> None:
    running = bridge.iterate_async(echo, max_buffer=0)(number)
    assert_type(running, AsyncGenerator[int, str])
    assert_type(await running.asend(text), int)
    await running.asend(number)  # E


# case: a decorated generator function
@bridge.iterate_async
def rows(table: str, *, above: int = 0) -> Iterator[tuple[str, int]]:
    yield table, above


async def use_rows() -> None:
    async for name, count in rows(text, above=number):
        assert_type(name, str)
        assert_type(count, int)
    rows(number)  # E


# case: a generator function decorated with a bound
@bridge.iterate_async(max_buffer=8)
def bounded_rows(table: str) -> Iterator[int]:
    yield len(table)


async def use_bounded_rows() -> None:
    async for count in bounded_rows(text):
        assert_type(count, int)


# case: neither an iterable nor a function
bridge.iterate_async(number)  # E

# case: a function that returns no iterable
bridge.iterate_async(print)  # E

# case: something asynchronous already
bridge.iterate_async(alines)  # E

# case: a bound is a number
bridge.iterate_async(lines, max_buffer="all")  # E


# case: an asynchronous iterable
def an_async_iterable(values: AsyncIterable[int]) -> None:
    for value in bridge.iterate_sync(values):
        assert_type(value, int)


# case: a function that returns an asynchronous iterator
def an_async_function() -> None:
    for line in bridge.iterate_sync(alines)(text, limit=number):
        assert_type(line, bytes)


# case: a wrong argument of an asynchronous generator function
def an_async_function_wrong() -> None:
    bridge.iterate_sync(alines)(number)  # E


# case: an asynchronous generator function that takes values
def an_async_generator() -> None:
    running = bridge.iterate_sync(aecho, max_buffer=0)(number)
    assert_type(running.send(text), int)
    running.send(number)  # E


# case: a decorated asynchronous generator function
@bridge.iterate_sync
async def pages(url: str) -> AsyncIterator[str]:
    yield url


def use_pages() -> None:
    for page in pages(text):
        assert_type(page, str)
    pages(number)  # E


# case: an asynchronous iterable is not iterated asynchronously any more
async def not_asynchronous(values: AsyncIterable[int]) -> None:
    async for value in bridge.iterate_sync(values):  # E
        print(value)  # E?


# case: something synchronous already
bridge.iterate_sync(generate)  # E

# case: a coroutine function is no iterable
bridge.iterate_sync(one)  # E


# case: a context manager
@contextmanager
def transaction(name: str) -> Generator[int, None, None]:
    yield len(name)


async def a_manager() -> None:
    async with bridge.context_to_async(transaction(text)) as depth:
        assert_type(depth, int)


# case: an open file as a context manager
async def a_managed_file(opened: BinaryIO) -> None:
    async with bridge.context_to_async(opened) as file:
        assert_type(await bridge.run_sync(file.read), bytes)


# case: a context manager is not entered synchronously any more
def a_manager_wrong() -> None:
    with bridge.context_to_async(transaction(text)):  # E
        pass


# case: the function instead of the context manager
bridge.context_to_async(transaction)  # E


# case: an asynchronous context manager
@asynccontextmanager
async def session(name: str) -> AsyncGenerator[bytes, None]:
    yield name.encode()


def an_async_manager() -> None:
    with bridge.context_to_sync(session(text)) as opened:
        assert_type(opened, bytes)


# case: a context manager of the other colour
bridge.context_to_sync(transaction(text))  # E
bridge.context_to_async(session(text))  # E


# case: what a manager gives is a manager
def managers(one: AbstractContextManager[str], other: AbstractAsyncContextManager[str]) -> None:
    turned: AbstractAsyncContextManager[str] = bridge.context_to_async(one)
    back: AbstractContextManager[str] = bridge.context_to_sync(other)
    print(turned, back)


# case: a view iterates too
async def through_view(values: list[int]) -> None:
    async for value in bridge.options(thread_sensitive=False).iterate_async(values):
        assert_type(value, int)


# case: a wrapper of one's own around a generator function
from typing import ParamSpec, TypeVar  # noqa: E402

P = ParamSpec("P")
T = TypeVar("T")


def streamed(function: Callable[P, Iterable[T]]) -> Callable[P, AsyncIterator[T]]:
    return bridge.iterate_async(function, max_buffer=1)


async def use_streamed() -> None:
    async for line in streamed(lines)(text):
        assert_type(line, bytes)
    streamed(lines)(number)  # E
