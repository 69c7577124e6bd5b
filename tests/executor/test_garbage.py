"""The garbage collector runs at any moment, also while a thread holds a pool's lock, which what it ends needs too."""

import pytest

from tests.support.processes import run

LIBRARY = """
import asyncio, faulthandler, gc, threading, warnings
from asgikit import Bridge
from asgikit.executor import ThreadSensitivePool, WorkerThreadPool
faulthandler.dump_traceback_later(8, exit=True)
gc.disable()
"""


def test_a_scope_that_is_collected_while_its_pool_is_locked() -> None:
    """A10, B8: its task was dropped, and leaving gives a worker back, on whatever thread and at whatever moment."""
    run(
        f"""{LIBRARY}
bridge = Bridge(sensitive_pool=(pool := ThreadSensitivePool(1)))
async def scope(lent):
    async with bridge.thread_sensitive_scope():
        await bridge.run_sync(int)
        lent.set()
        await asyncio.Future()  # which nobody but this task knows
async def call():
    async with bridge.thread_sensitive_scope():
        return await bridge.run_sync(int)
async def main():
    lent = asyncio.Event()
    asyncio.create_task(scope(lent))
    await lent.wait()
    await asyncio.sleep(0)
    assert pool.counters.busy == 1
    with pool._state.lock:
        gc.collect()
    assert pool.counters.idle == 1
    assert await asyncio.wait_for(call(), 5) == 0
asyncio.run(main())
bridge.close()
pool.close()
""",
        seconds=20,
    )


@pytest.mark.parametrize("kind", ["ThreadSensitivePool", "WorkerThreadPool"])
def test_a_pool_that_is_collected_by_one_of_its_own_threads(kind: str) -> None:
    """E4: forgotten in a cycle, found by the collector on a thread that holds the lock at that moment."""
    run(
        f"""{LIBRARY}
warnings.simplefilter("ignore", ResourceWarning)
pool = {kind}()
pool.submit(int).result()
state, cycle = pool._state, [pool]
cycle.append(cycle)
del pool, cycle
with state.lock:
    gc.collect()
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join(5)
        assert not thread.is_alive()
""",
        seconds=20,
    )
