"""Ctrl-C and other signals, while the main thread waits for a coroutine."""

import pytest

from tests.support.processes import running

LIBRARY = """
import asyncio, signal, sys, threading
from asgikit import Bridge
"""

CLEAN = """
async def main():
    try:
        print("running")
        await asyncio.Event().wait()
    finally:
        await asyncio.sleep(0)
        print("cleaned up")
"""


INTERRUPTED = """
try:
    bridge.run_async(main)
except KeyboardInterrupt:
    print("interrupted")
"""


@pytest.mark.parametrize("runner", ["None", "PooledLoopRunner()", "SharedLoopRunner()", "CallingThreadLoopRunner()"])
def test_ctrl_c_cancels_waits_for_the_clean_up_and_is_raised_once(runner: str) -> None:
    """C1, C4: whichever loop the coroutine runs on."""
    with running(
        f"""{LIBRARY}
from asgikit.loop import *
bridge = Bridge(loop_runner={runner})
{CLEAN}
{INTERRUPTED}
print(bridge.run_async(asyncio.sleep, 0, "works"))
"""
    ) as program:
        assert program.line() == "running"
        program.interrupt()
        assert program.end() == (0, "cleaned up\ninterrupted\nworks\n", "")


@pytest.mark.parametrize("runner", ["None", "PooledLoopRunner()", "SharedLoopRunner()"])
def test_ctrl_c_in_the_first_step_of_a_coroutine(runner: str) -> None:
    """C1: it has begun, though its task is not known yet, and is waited for however long the step takes."""
    with running(
        f"""{LIBRARY}
from asgikit.bridge._async_call import AsyncCall
from asgikit.loop import *
bridge = Bridge(loop_runner={runner})

waits = threading.Event()
look = AsyncCall._look

def looking(call):
    if call._cancelled:
        waits.set()
    look(call)

AsyncCall._look = looking

async def main():
    print("running")
    waits.wait(5)
    try:
        await asyncio.Event().wait()
    finally:
        print("cleaned up")
{INTERRUPTED}"""
    ) as program:
        assert program.line() == "running"
        program.interrupt()
        assert program.end() == (0, "cleaned up\ninterrupted\n", "")


def test_a_second_ctrl_c_does_not_wait() -> None:
    """C1: the clean-up hangs; the user insists."""
    with running(
        f"""{LIBRARY}
bridge = Bridge(shutdown_grace=0.1)
async def main():
    try:
        print("running")
        await asyncio.Event().wait()
    finally:
        print("cleaning up")
        await asyncio.Event().wait()
{INTERRUPTED}"""
    ) as program:
        assert program.line() == "running"
        program.interrupt()
        assert program.line() == "cleaning up"
        program.interrupt()
        status, out, _ = program.end()
        assert (status, out) == (0, "interrupted\n")


def test_ctrl_c_in_hosted_work_surfaces_once() -> None:
    """C1, C5: the main thread is running sync code for the coroutine when it comes."""
    with running(
        f"""{LIBRARY}
bridge = Bridge()
def work():
    print("running")
    while True:  # a wait without limit may miss a signal that comes just before it
        threading.Event().wait(0.05)
async def main():
    try:
        await bridge.run_sync(work)
    except KeyboardInterrupt:
        print("seen by the coroutine")
        raise
{INTERRUPTED}"""
    ) as program:
        assert program.line() == "running"
        program.interrupt()
        assert program.end() == (0, "seen by the coroutine\ninterrupted\n", "")


def test_ctrl_c_under_asyncio_run_abandons_the_worker() -> None:
    """C1, C2: the loop is on the main thread, the call on a worker; the program ends within the grace period."""
    with running(
        f"""{LIBRARY}
bridge = Bridge(shutdown_grace=0.1)
def work():
    print("running")
    threading.Event().wait()
async def main():
    try:
        await bridge.run_sync(work)
    finally:
        print("cancelled")
try:
    asyncio.run(main())
except KeyboardInterrupt:
    print("interrupted")
"""
    ) as program:
        assert program.line() == "running"
        program.interrupt()
        status, out, err = program.end()
        assert (status, out) == (0, "cancelled\ninterrupted\n")
        assert "interpreter exit leaves these calls behind: __main__.work" in err


def test_a_handler_of_sigterm_that_raises_system_exit() -> None:
    """C1: what every process manager sends; the coroutine cleans up, and the status is the handler's."""
    with running(
        f"""{LIBRARY}
bridge = Bridge()
signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(3))
{CLEAN}
bridge.run_async(main)
"""
    ) as program:
        assert program.line() == "running"
        program.process.terminate()
        assert program.end() == (3, "cleaned up\n", "")


def test_a_handler_that_crosses_itself() -> None:
    """C1: a signal handler runs on the thread that waits, and may call async code like any synchronous code."""
    with running(
        f"""{LIBRARY}
bridge = Bridge()
async def told():
    await asyncio.sleep(0)
    print("told")
    loop.call_soon_threadsafe(done.set)
signal.signal(signal.SIGTERM, lambda number, frame: bridge.run_async(told))
async def main():
    global loop, done
    loop, done = asyncio.get_running_loop(), asyncio.Event()
    print("running")
    await asyncio.wait_for(done.wait(), 20)
    return "went on"
print(bridge.run_async(main))
"""
    ) as program:
        assert program.line() == "running"
        program.process.terminate()
        assert program.end() == (0, "told\nwent on\n", "")


def test_a_loop_in_the_main_thread_may_install_signal_handlers() -> None:
    """C4: `add_signal_handler` and child watching, with `CallingThreadLoopRunner`; bridged work is served meanwhile."""
    with running(
        f"""{LIBRARY}
from asgikit.loop import CallingThreadLoopRunner
bridge = Bridge(loop_runner=CallingThreadLoopRunner())
async def main():
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    child = await asyncio.create_subprocess_exec(sys.executable, "-c", "")
    print("child", await child.wait(), await bridge.run_sync(lambda: "served"))
    await stop.wait()
    print("stopped")
bridge.run_async(main)
"""
    ) as program:
        assert program.line() == "child 0 served"
        program.process.terminate()
        assert program.end() == (0, "stopped\n", "")
