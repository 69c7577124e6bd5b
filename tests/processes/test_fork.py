"""Forked children: they start empty and work, whatever the parent was doing."""

import os
import sys

import pytest

from tests.support.processes import run

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")

LIBRARY = """
import asyncio, faulthandler, multiprocessing, os, signal, sys, threading, traceback, warnings
from asgikit import Bridge
faulthandler.register(signal.SIGALRM, chain=True)
signal.alarm(25)
warnings.filterwarnings("ignore", "This process .* is multi-threaded", DeprecationWarning)

async def free(): return await bridge.options(thread_sensitive=False).run_sync(os.getpid)
async def sensitive(): return await bridge.run_sync(os.getpid)
async def scoped():
    async with bridge.thread_sensitive_scope():
        return await bridge.run_sync(os.getpid)
async def back(): return await bridge.run_sync(lambda: bridge.run_async(free))

def every_way():
    me = os.getpid()
    assert bridge.run_async(free) == me
    for way in free, sensitive, scoped, back:
        assert asyncio.run(way()) == me, way
        assert bridge.run_async(way) == me, way

def in_child(work):
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        status = 1
        try:
            work()
            status = 0
        except BaseException:
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
    _, status = os.waitpid(child, 0)
    assert status == 0, status

bridge = Bridge()
"""


def test_a_child_starts_empty_and_works() -> None:
    """D1: after every kind of call in the parent."""
    run(f"{LIBRARY}\nevery_way()\nin_child(every_way)\nevery_way()")


@pytest.mark.parametrize("runner", ["PooledLoopRunner", "SharedLoopRunner", "CallingThreadLoopRunner"])
def test_a_child_makes_its_own_loops(runner: str) -> None:
    """D1: no loop of the parent is used in the child."""
    run(
        f"""{LIBRARY}
from asgikit.loop import {runner}
bridge = Bridge(loop_runner={runner}())
every_way()
in_child(every_way)
every_way()
"""
    )


def test_a_child_of_a_child() -> None:
    """D1: the same again, one generation on."""
    run(f"{LIBRARY}\nevery_way()\nin_child(lambda: (every_way(), in_child(every_way), every_way()))\nevery_way()")


def test_a_fork_while_calls_run() -> None:
    """D1, R: every pool is busy in the parent; nothing of that concerns the child, and the parent goes on."""
    run(
        f"""{LIBRARY}
from functools import partial
gate = threading.Event()
openers = [gate.set]
def hold(begun):
    begun.release()
    gate.wait(15)
    return os.getpid()
def waits(begun):
    async def inner():
        over = asyncio.Event()
        openers.append(partial(asyncio.get_running_loop().call_soon_threadsafe, over.set))
        begun.release()
        await asyncio.wait_for(over.wait(), 15)
    bridge.run_async(inner)
    return os.getpid()
async def busy(begun):
    view = bridge.options(thread_sensitive=False)
    jobs = [view.run_sync(hold, begun), view.run_sync(waits, begun), bridge.run_sync(hold, begun)]
    return await asyncio.gather(*jobs)
begun = threading.Semaphore(0)
parent = []
thread = threading.Thread(target=lambda: parent.extend(asyncio.run(busy(begun))))
thread.start()
for _ in range(3):
    begun.acquire(timeout=10)
in_child(every_way)
for opener in openers: opener()
thread.join(10)
assert parent == [os.getpid()] * 3, parent
"""
    )


@pytest.mark.parametrize("sensitive", [True, False])
def test_a_fork_inside_a_worker(sensitive: bool) -> None:
    """D1: as `multiprocessing` does from a task: the child of a worker's call is a process like any other."""
    run(
        f"""{LIBRARY}
async def main():
    return await bridge.options(thread_sensitive={sensitive}).run_sync(in_child, every_way)
asyncio.run(main())
bridge.run_async(main)
every_way()
"""
    )


def test_a_fork_in_work_that_the_main_thread_hosts() -> None:
    """D1: forked in the middle of async_to_sync."""
    run(
        f"""{LIBRARY}
async def main():
    await bridge.run_sync(in_child, every_way)
bridge.run_async(main)
every_way()
"""
    )


@pytest.mark.parametrize("where", ["asyncio.run(main())", "bridge.run_async(main)"])
def test_a_fork_on_the_thread_of_a_loop(where: str) -> None:
    """D1: forked by async code itself."""
    run(
        f"""{LIBRARY}
async def main():
    await sensitive()
    in_child(every_way)
    await sensitive()
{where}
every_way()
"""
    )


def test_a_fork_while_another_thread_adds_an_observer() -> None:
    """D1: whatever lock of a bridge is held in the parent, the child does not wait for it."""
    run(
        f"""{LIBRARY}
class Observer:
    def queued(self, crossing): seen.append(crossing.name)
    started = finished = abandoned = stalled = lambda self, crossing, report=None: None
seen = []
def observe():
    with bridge.observe(Observer()):
        every_way()
    assert seen
observe()
with bridge._parts.resources._lock:
    in_child(observe)
"""
    )


def test_a_child_that_returns_through_a_frame_of_its_parent_ends() -> None:
    """D1: it ends without posting; the parent's call has one outcome."""
    done = run(
        f"""{LIBRARY}
def split():
    child = os.fork()
    if child == 0:
        return "child"
    os.waitpid(child, 0)
    return "parent"
async def main():
    return await bridge.run_sync(split)
print(asyncio.run(main()), flush=True)
print(bridge.run_async(main), flush=True)
"""
    )
    assert done.stdout == "parent\nparent\n"


@pytest.mark.parametrize("max_buffer", [0, 5])
def test_a_fork_in_the_middle_of_an_iteration(max_buffer: int) -> None:
    """D1: the coroutine is the parent's. A child leaves it alone, and is told so if it wants to go on with it."""
    done = run(
        f"""{LIBRARY}
from asgikit.errors import ScopeError

async def source():
    try:
        for number in range(20):
            yield number
    finally:
        print("closed", flush=True)

def go_on():
    try:
        next(numbers)
    except ScopeError as error:
        assert "forked" in str(error), error
    every_way()

def leave():
    numbers.close()
    every_way()

numbers = bridge.iterate_sync(source, max_buffer={max_buffer})()
assert next(numbers) == 0
in_child(go_on)
in_child(leave)
assert list(numbers) == list(range(1, 20))
"""
    )
    assert done.stdout == "closed\n"


def test_a_fork_inside_an_async_context_manager() -> None:
    """D1: the parent has entered it, and leaves it; a child that comes out of the block goes on."""
    done = run(
        f"""{LIBRARY}
from contextlib import asynccontextmanager

@asynccontextmanager
async def resource():
    try:
        yield
    finally:
        print("left", flush=True)

def leave():
    assert not manager.__exit__(None, None, None)
    every_way()

manager = bridge.context_to_sync(resource())
manager.__enter__()
in_child(leave)
manager.__exit__(None, None, None)
"""
    )
    assert done.stdout == "left\n"


@pytest.mark.parametrize("where", ["main", "worker"])
def test_multiprocessing_by_fork(where: str) -> None:
    """D1: a pool of forked processes, started from the main thread or inside a worker (celery, gunicorn preload)."""
    run(
        f"""{LIBRARY}
every_way()
def by_fork():
    with multiprocessing.get_context("fork").Pool(2) as pool:
        pids = pool.map(job, range(4))
    assert os.getpid() not in pids
def job(number):
    every_way()
    return os.getpid()
if "{where}" == "main":
    by_fork()
else:
    async def main(): await bridge.run_sync(by_fork)
    asyncio.run(main())
every_way()
"""
    )


@pytest.mark.parametrize(
    ("first", "workers"), [("bridge.run_async(free)", 0), ("asyncio.run(sensitive())", 1), ("asyncio.run(scoped())", 6)]
)
def test_the_first_calls_of_a_child_may_come_at_once(first: str, workers: int) -> None:
    """D1, L5: several threads of the child are the first together; none works with what another is replacing."""
    run(
        f"""{LIBRARY}
sys.setswitchinterval(1e-6)
every_way()
def at_once():
    barrier = threading.Barrier(6)
    failed = []
    def first():
        barrier.wait()
        try:
            assert {first} == os.getpid()
        except BaseException as error:
            failed.append(error)
            raise
    threads = [threading.Thread(target=first, daemon=True) for _ in range(6)]
    for thread in threads: thread.start()
    for thread in threads:
        thread.join(8)
        assert not thread.is_alive(), "a call hangs"
    assert not failed
    assert len([t for t in threading.enumerate() if "sensitive" in t.name]) <= {workers}
for _ in range(40):
    in_child(at_once)
"""
    )


def test_a_child_that_exits_normally_says_nothing() -> None:
    """D1, C2: exit handlers of the child find nothing of the parent's to wait for."""
    done = run(
        f"""{LIBRARY}
gate = threading.Event()
thread = threading.Thread(target=lambda: bridge.run_async(bridge.run_sync, gate.wait, 10), daemon=True)
thread.start()
asyncio.run(sensitive())
if os.fork() == 0:
    every_way()
    print("child", flush=True)
    sys.exit()
os.wait()
gate.set()
thread.join(10)
print("parent")
"""
    )
    assert (done.stdout, done.stderr) == ("child\nparent\n", "")


def test_a_bridge_is_not_kept_by_the_fork_hook() -> None:
    """D1: no global registry keeps bridges alive."""
    done = run(
        """
import asyncio, gc, weakref
from asgikit import Bridge
bridge = Bridge()
seen = weakref.ref(bridge)
asyncio.run(bridge.run_sync(int))
bridge.close()
del bridge
gc.collect()
print(seen())
"""
    )
    assert done.stdout == "None\n"


@pytest.mark.skipif(sys.platform != "linux", reason="gunicorn's way of starting is shown on Linux")
def test_prefork_workers_each_serve() -> None:
    """D1: one process loads the application and uses it, then forks its workers, as gunicorn --preload does."""
    run(
        f"""{LIBRARY}
every_way()
read, write = os.pipe()
children = []
for _ in range(3):
    child = os.fork()
    if child == 0:
        signal.alarm(10)
        for _ in range(5):
            every_way()
        os.write(write, b"x")
        os._exit(0)
    children.append(child)
for child in children:
    os.waitpid(child, 0)
os.close(write)
assert os.read(read, 10) == b"xxx"
"""
    )
