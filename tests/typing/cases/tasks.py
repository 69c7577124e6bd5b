"""The coroutine that a wrapper returns goes where coroutines go: tasks, groups, gather, time-outs."""

import asyncio
from collections.abc import Awaitable, Coroutine
from typing import Any, assert_type

from given import nothing, one, two

from asgikit import Bridge

bridge = Bridge()
number: int = 1
text: str = "a"
aone = bridge.sync_to_async(one)
atwo = bridge.sync_to_async(two)


# case: create_task
async def created() -> None:
    task = asyncio.create_task(aone(number))
    assert_type(task, asyncio.Task[str])
    assert_type(await task, str)


# case: create_task with a wrong argument
async def created_wrong() -> None:
    asyncio.create_task(aone(text))  # E


# case: create_task of the function and not of its coroutine
async def created_function() -> None:
    asyncio.create_task(aone)  # E


# case: gather of two types
async def gathered() -> None:
    assert_type(await asyncio.gather(aone(number), atwo(number, text)), tuple[str, bytes])


# case: gather of three types
async def gathered_three() -> None:
    results = await asyncio.gather(aone(number), atwo(number, text), bridge.sync_to_async(len)(text))
    assert_type(results, tuple[str, bytes, int])


# case: gather of a list
async def gathered_list() -> None:
    assert_type(await asyncio.gather(*[aone(number) for _ in range(3)]), list[str])


# case: gather with exceptions
async def gathered_exceptions() -> None:
    results = await asyncio.gather(aone(number), atwo(number, text), return_exceptions=True)
    assert_type(results, tuple[str | BaseException, bytes | BaseException])


# case: gather and a wrong unpacking
async def gathered_wrong() -> None:
    a, b = await asyncio.gather(aone(number), atwo(number, text))
    a.decode()  # E
    b.decode()


# case: a task group
async def grouped() -> None:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(aone(number))
    assert_type(task.result(), str)


# case: a task group and a wrong argument
async def grouped_wrong() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(aone(text))  # E


# case: wait_for
async def waited_for() -> None:
    assert_type(await asyncio.wait_for(aone(number), 1.0), str)


# case: shield
async def shielded() -> None:
    assert_type(await asyncio.shield(aone(number)), str)


# case: a time-out block
async def timed() -> None:
    async with asyncio.timeout(1.0):
        assert_type(await aone(number), str)


# case: asyncio.run
def run() -> None:
    assert_type(asyncio.run(aone(number)), str)


# case: run_coroutine_threadsafe
def threadsafe(loop: asyncio.AbstractEventLoop) -> None:
    assert_type(asyncio.run_coroutine_threadsafe(aone(number), loop).result(), str)


# case: as_completed
async def completed() -> None:
    for next_one in asyncio.as_completed([aone(number), aone(number)]):
        assert_type(await next_one, str)


# case: the coroutine is a Coroutine
def as_coroutine() -> None:
    held: Coroutine[Any, Any, str] = aone(number)
    held.close()


# case: the coroutine is a Coroutine of any spelling
def as_other_coroutine() -> None:
    held: Coroutine[object, None, str] = aone(number)
    held.close()


# case: the coroutine is an Awaitable
async def as_awaitable() -> None:
    held: Awaitable[str] = aone(number)
    assert_type(await held, str)


# case: the coroutine is of its result and no other
def as_wrong_coroutine() -> None:
    held: Coroutine[Any, Any, int] = aone(number)  # E
    held.close()


# case: a coroutine of None
async def of_none() -> None:
    assert_type(await asyncio.create_task(bridge.sync_to_async(nothing)()), None)


# case: a union of two coroutines
async def one_of_two(flag: bool) -> None:
    pending: Awaitable[str | bytes] = aone(number)
    if flag:
        pending = atwo(number, text)
    result: str | bytes = await pending
    print(result)


# case: a dictionary of handlers
async def dispatched(name: str) -> None:
    from collections.abc import Callable

    handlers: dict[str, Callable[[int], Awaitable[str]]] = {"one": aone}
    assert_type(await handlers[name](number), str)


# case: a dictionary with a wrong handler
def dispatched_wrong() -> None:
    from collections.abc import Callable

    handlers: dict[str, Callable[[int], Awaitable[str]]] = {"two": atwo}  # E
    print(handlers)


# case: anyio takes the wrapper
async def in_anyio() -> None:
    import anyio

    async with anyio.create_task_group() as group:
        group.start_soon(aone, number)


# case: anyio takes only right arguments where the checker sees them
async def in_anyio_run() -> None:
    import anyio

    assert_type(anyio.run(aone, number), str)
