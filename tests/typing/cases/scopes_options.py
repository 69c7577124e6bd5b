"""options, scopes and the life of a bridge."""

from concurrent.futures import ThreadPoolExecutor
from typing import assert_type

from given import aone, one

from asgikit import Bridge

bridge = Bridge()
number: int = 1
text: str = "a"


# case: a view with other defaults has both wrappers
async def view() -> None:
    free = bridge.options(thread_sensitive=False)
    assert_type(await free.sync_to_async(one)(number), str)
    assert_type(free.async_to_sync(aone)(number), str)


# case: a view is checked like the bridge
async def view_wrong() -> None:
    free = bridge.options(thread_sensitive=False)
    await free.sync_to_async(one)(text)  # E


# case: a view with an executor and a time-out
async def view_of_all() -> None:
    pool = ThreadPoolExecutor()
    other = bridge.options(thread_sensitive=False, executor=pool, context_policy="isolate", timeout=1.0)
    assert_type(await other.run_sync(one, number), str)
    assert_type(other.run_async(aone, number), str)


# case: a view used as a decorator
@bridge.options(thread_sensitive=False).sync_to_async
def decorated(a: int) -> str:
    return str(a)


async def use_decorated() -> None:
    assert_type(await decorated(number), str)


# case: a view of a view
def nested() -> None:
    bridge.options(timeout=1.0).options(timeout=2.0).run_async(aone, number)


# case: an unknown option
bridge.options(threads=4)  # E

# case: a wrong policy
bridge.options(context_policy="copied")  # E

# case: a wrong executor
bridge.options(executor=4)  # E

# case: options are keyword-only
bridge.options(False)  # E


# case: a thread-sensitive scope
async def scope() -> None:
    async with bridge.thread_sensitive_scope():
        assert_type(await bridge.sync_to_async(one)(number), str)


# case: a thread-sensitive scope with an executor
async def scope_with_executor() -> None:
    async with bridge.thread_sensitive_scope(executor=ThreadPoolExecutor(1)):
        assert_type(await bridge.sync_to_async(one)(number), str)


# case: a thread-sensitive scope is asynchronous
def scope_not_sync() -> None:
    with bridge.thread_sensitive_scope():  # E
        pass


# case: a scope's executor has submit
async def scope_with_wrong_executor() -> None:
    async with bridge.thread_sensitive_scope(executor="main"):  # E
        pass


# case: a loop scope
def loop_scope() -> None:
    with bridge.loop_scope():
        assert_type(bridge.async_to_sync(aone)(number), str)


# case: a loop scope is synchronous
async def loop_scope_not_async() -> None:
    async with bridge.loop_scope():  # E
        pass


# case: what follows a scope is reachable
async def after_scope() -> int:
    async with bridge.thread_sensitive_scope():
        return number


# case: what follows a loop scope is reachable
def after_loop_scope() -> int:
    with bridge.loop_scope():
        return number


# case: a bridge as a context manager
def managed() -> None:
    with Bridge() as inner:
        assert_type(inner, Bridge)


# case: a bridge as an asynchronous context manager
async def amanaged() -> None:
    async with Bridge() as inner:
        assert_type(inner, Bridge)
        assert_type(await inner.run_sync(one, number), str)


# case: closing
async def closing() -> None:
    bridge.close()
    await bridge.aclose()


# case: aclose must be awaited to be of use
def closing_wrong() -> None:
    result: None = bridge.aclose()  # E
    print(result)


# case: asking whether the caller was cancelled
def cancelled() -> None:
    assert_type(bridge.cancelled(), bool)
    bridge.check_cancelled()
