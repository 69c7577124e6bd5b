"""What must be refused: before anything runs."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context

from given import aone, one, two

import asgikit
from asgikit import Bridge

bridge = Bridge()
pool = ThreadPoolExecutor()
number: int = 1


# case: a number instead of a function
bridge.sync_to_async(5)  # E

# case: a string instead of a function
bridge.sync_to_async("one")  # E

# case: the result of the call instead of the function
bridge.sync_to_async(one(number))  # E

# case: a coroutine object instead of a coroutine function
bridge.async_to_sync(aone(number))  # E

# case: a synchronous function on the asynchronous side
bridge.async_to_sync(one)  # E

# case: a list of functions
bridge.async_to_sync([aone])  # E

# case: a tuple of functions
bridge.sync_to_async((one, two))  # E

# case: executor without thread_sensitive
bridge.sync_to_async(one, executor=pool)  # E

# case: executor without thread_sensitive, as a decorator
bridge.sync_to_async(executor=pool)  # E

# case: an executor without submit
bridge.sync_to_async(one, thread_sensitive=False, executor=object())  # E

# case: the class of an executor instead of an object
bridge.sync_to_async(one, thread_sensitive=False, executor=ThreadPoolExecutor)  # E

# case: a number of threads instead of an executor
bridge.sync_to_async(one, thread_sensitive=False, executor=4)  # E

# case: thread_sensitive is a bool
bridge.sync_to_async(one, thread_sensitive="no")  # E

# case: thread_sensitive is not None
bridge.sync_to_async(one, thread_sensitive=None)  # E

# case: a context is a Context
bridge.sync_to_async(one, context={})  # E

# case: options of the wrapper are keyword-only
bridge.sync_to_async(one, False)  # E

# case: arguments of the function given to the wrapper
bridge.sync_to_async(one, number)  # E

# case: an unknown option
bridge.sync_to_async(one, sensitive=True)  # E

# case: a misspelt decorator option
bridge.sync_to_async(thread_sensitve=False)  # E


# case: the context of the wrong function
async def context_given_to_the_call() -> None:
    await bridge.sync_to_async(one)(number, context=copy_context())  # E


# case: a synchronous result awaited twice
async def awaited_twice() -> None:
    await (await bridge.sync_to_async(one)(number))  # E


# case: a coroutine function on the synchronous side is seen where its result is used
async def wrong_side() -> None:
    length: int = len(await bridge.sync_to_async(aone)(number))  # E
    print(length)


# case: iterating over the coroutine
async def iterated() -> None:
    for letter in bridge.sync_to_async(one)(number):  # E
        print(letter)  # E?


# case: a running loop instead of a coroutine function
async def loop_first() -> None:
    bridge.async_to_sync(asyncio.get_running_loop())  # E


# case: methods belong to a bridge
Bridge.sync_to_async(one)  # E

# case: a bridge takes no function
Bridge(one)  # E

# case: a bridge takes no unknown part
Bridge(threads=4)  # E

# case: a clock is not a function
import time  # noqa: E402

Bridge(clock=time.monotonic)  # E

# case: a context policy is one of three words
Bridge(context_policy="copy")  # E

# case: a grace period is a number
Bridge(shutdown_grace="2s")  # E

# case: the front door has no free function
asgikit.sync_to_async(one)  # E

# case: nor the other one
asgikit.async_to_sync(aone)  # E

# case: nor can it be imported
from asgikit import sync_to_async  # E  # noqa: E402

print(sync_to_async)  # E?

# case: run_sync takes a function and its arguments


async def wrong_run_sync() -> None:
    await bridge.run_sync(one, "a")  # E


# case: run_async takes a coroutine function
def wrong_run_async() -> None:
    bridge.run_async(one, number)  # E


# case: a bridge cannot be subclassed
class MyBridge(Bridge):  # E
    pass


# case: a bridge has no attribute of one's own
bridge.name = "main"  # E
