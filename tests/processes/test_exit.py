"""Programs end: promptly, with the right status, without a warning."""

import sys

import pytest

from tests.support.processes import run

LIBRARY = """
import asyncio, atexit, gc, sys, threading, time
from asgikit import Bridge
"""


@pytest.mark.parametrize(
    "use",
    [
        "",
        "asyncio.run(bridge.run_sync(int))",
        "bridge.run_async(asyncio.sleep, 0)",
        "asyncio.run(bridge.options(thread_sensitive=False).run_sync(int))",
        "bridge.run_async(bridge.run_sync, bridge.run_async, asyncio.sleep, 0)",
    ],
)
def test_a_bridge_at_module_level_exits_without_a_word(use: str) -> None:
    """C2, D3: no ResourceWarning, no message, no delay."""
    done = run(f"{LIBRARY}\nbridge = Bridge()\n{use}\nprint('end')", "-X", "dev", seconds=15)
    assert (done.stdout, done.stderr) == ("end\n", "")


@pytest.mark.parametrize(
    "runner", ["PerCallLoopRunner", "PooledLoopRunner", "SharedLoopRunner", "CallingThreadLoopRunner"]
)
def test_runners_at_module_level_exit_without_a_word(runner: str) -> None:
    """C2: also with a loop that runs on, on a daemon thread."""
    done = run(
        f"""{LIBRARY}
from asgikit.loop import {runner}
bridge = Bridge(loop_runner={runner}())
bridge.run_async(asyncio.sleep, 0)
print("end")""",
        "-X",
        "dev",
        seconds=15,
    )
    assert (done.stdout, done.stderr) == ("end\n", "")


def test_a_bridge_that_is_forgotten_with_threads_is_a_resource_warning() -> None:
    """E4: who creates, closes; who leaks, is told. The last to let go may be the worker, which ends thereby."""
    done = run(
        f"""{LIBRARY}
asyncio.run(Bridge().run_sync(int))
gc.collect()
for thread in threading.enumerate():
    if thread is not threading.current_thread():
        thread.join(5)
print("end")"""
    )
    assert "ResourceWarning: a bridge was never closed" in done.stderr


def test_exit_waits_for_busy_workers_no_longer_than_the_grace_period_and_names_them() -> None:
    """C2: a stuck call does not keep the process; it is named."""
    done = run(
        f"""{LIBRARY}
import logging
logging.basicConfig()
bridge = Bridge(shutdown_grace=0.2)
def stuck():
    begun.set()
    threading.Event().wait()
begun = threading.Event()
async def main():
    task = asyncio.create_task(bridge.run_sync(stuck))
    while not begun.is_set():
        await asyncio.sleep(0)
    task.cancel()
asyncio.run(main())
started = time.monotonic()
atexit.register(lambda: None)
def report():
    print("waited", time.monotonic() - started < 10)
sys.exitfunc = report
""",
        seconds=15,
    )
    assert "interpreter exit leaves these calls behind: __main__.stuck" in done.stderr


POOLS = [
    "Bridge(shutdown_grace=GRACE)",
    "Bridge(shutdown_grace=GRACE, sensitive_pool=ThreadSensitivePool())",
    "Bridge(shutdown_grace=GRACE, worker_pool=WorkerThreadPool()).options(thread_sensitive=False)",
    "Bridge(shutdown_grace=GRACE, loop_runner=PerCallLoopRunner())",
]


@pytest.mark.parametrize("made", POOLS)
def test_exit_lets_a_call_that_ends_in_time_end(made: str) -> None:
    """C2: what is nearly done gets done, in pools that the bridge made and in those that it was given."""
    done = run(
        f"""{LIBRARY}
from asgikit.executor import *
from asgikit.loop import *
GRACE = 20
bridge = {made}
def slow():
    begun.set()
    leaving.wait(20)
    print("done", flush=True)
begun, leaving = threading.Event(), threading.Event()
async def main():
    task = asyncio.create_task(bridge.run_sync(slow))
    while not begun.is_set():
        await asyncio.sleep(0)
    task.cancel()
if "runner" in "{made}":
    async def main(): slow()
    threading.Thread(target=bridge.run_async, args=(main,), daemon=True).start()
    begun.wait(20)
else:
    asyncio.run(main())
atexit.register(leaving.set)
"""
    )
    assert (done.stdout, done.stderr) == ("done\n", "")


@pytest.mark.parametrize("made", POOLS[:3])
def test_exit_waits_for_given_pools_without_closing_them(made: str) -> None:
    """C2, C3: who made a part closes it; a handler that runs after the wait still calls through it."""
    done = run(
        f"""
import atexit
atexit.register(lambda: late())  # registered before the bridge's own, and so run after it
{LIBRARY}
from asgikit.executor import *
GRACE = 2
bridge = {made}
async def call(): return await bridge.run_sync(lambda: "still open")
asyncio.run(call())
def late(): print(asyncio.run(call()))
"""
    )
    assert (done.stdout, done.stderr) == ("still open\n", "")


@pytest.mark.parametrize("warm", [True, False], ids=["used before", "first use"])
def test_async_to_sync_in_exit_handlers(warm: bool) -> None:
    """C3: it works, or is a clear error without a coroutine that was never awaited."""
    done = run(
        f"""{LIBRARY}
bridge = Bridge()
async def fetch():
    await asyncio.sleep(0)
    return await bridge.run_sync(lambda: "fetched")
@atexit.register
def leave():
    try:
        print(bridge.run_async(fetch))
    except RuntimeError as error:
        print("refused:", error)
if {warm}:
    bridge.run_async(fetch)
"""
    )
    assert done.stderr == ""
    if warm or sys.version_info[:2] != (3, 12):
        assert done.stdout == "fetched\n"
    else:  # the one version that starts no threads for exit handlers, so that there is none for the function
        assert done.stdout.startswith("refused: the interpreter is exiting")


NO_THREADS = f"""{LIBRARY}
from asgikit.errors import AsgikitError, InterpreterExitError
from asgikit.loop import *
def refuse(thread):
    raise RuntimeError("can't create new thread at interpreter shutdown")  # as Python 3.12 has it
async def where():
    await asyncio.sleep(0)
    return threading.current_thread().name
async def count():
    for number in range(3):
        yield number
def leave():
    threading.Thread.start = refuse
    try:
        print(use())
    except InterpreterExitError as error:
        print("refused:", error)
atexit.register(leave)
"""


@pytest.mark.parametrize("runner", ["None", "PooledLoopRunner()", "SharedLoopRunner()", "CallingThreadLoopRunner()"])
@pytest.mark.parametrize("scope", [False, True])
def test_the_first_async_to_sync_where_no_thread_can_be_started(runner: str, scope: bool) -> None:
    """C3: in an exit handler of Python 3.12, where no thread is warm: the calling thread runs the loop itself."""
    done = run(
        f"""{NO_THREADS}
bridge = Bridge(loop_runner={runner})
def use():
    if {scope}:
        with bridge.loop_scope():
            return bridge.run_async(where)
    return bridge.run_async(where)
""",
        seconds=15,
    )
    assert (done.stdout, done.stderr) == ("MainThread\n", "")


@pytest.mark.parametrize(
    "use",
    [
        "bridge.run_async(bridge.run_sync, int)",
        "asyncio.run(bridge.run_sync(int))",
        "bridge.run_async(bridge.options(thread_sensitive=False).run_sync, int)",
        "asyncio.run(bridge.options(thread_sensitive=False).run_sync(int))",
        "list(bridge.iterate_sync(count()))",
        "[number for number in bridge.iterate_sync(count)()]",
    ],
)
def test_what_needs_a_thread_where_none_can_be_started_is_a_clear_error(use: str) -> None:
    """C3: one typed error, no coroutine that was never awaited, and no hang."""
    done = run(f"{NO_THREADS}\nbridge = Bridge()\ndef use(): return {use}", seconds=15)
    assert done.stdout.startswith("refused: the interpreter is exiting")
    assert done.stderr == ""


def test_async_to_sync_in_del_at_shutdown() -> None:
    """C3: an object that cleans up through the bridge, when the interpreter takes it down."""
    done = run(
        f"""{LIBRARY}
bridge = Bridge()
async def close():
    await asyncio.sleep(0)
    print("closed", flush=True)
class Client:
    def __del__(self):
        try:
            bridge.run_async(close)
        except (RuntimeError, TypeError, AttributeError) as error:
            print("refused", flush=True)
bridge.run_async(asyncio.sleep, 0)
client = Client()
""",
        status=None,
    )
    assert done.returncode == 0
    assert "never awaited" not in done.stderr
    assert done.stdout in {"closed\n", "refused\n"}


def test_system_exit_from_sync_code_surfaces_once() -> None:
    """C5: `sys.exit` in a worker ends the program with that status, as it would in the coroutine itself."""
    done = run(
        f"""{LIBRARY}
bridge = Bridge()
async def main():
    try:
        await bridge.run_sync(sys.exit, 7)
    except SystemExit:
        print("seen")
        raise
asyncio.run(main())
""",
        status=7,
    )
    assert (done.stdout, done.stderr) == ("seen\n", "")


@pytest.mark.parametrize("nested", ["await bridge.run_sync(sys.exit, 7)", "sys.exit(7)"])
def test_system_exit_from_a_coroutine_surfaces_at_the_caller(nested: str) -> None:
    """C5: raised in the coroutine or by what it calls on the hosting thread, it arrives at async_to_sync, once."""
    done = run(
        f"""{LIBRARY}
bridge = Bridge()
async def main():
    {nested}
try:
    bridge.run_async(main)
except SystemExit as error:
    print("seen", error.code)
print(bridge.run_async(asyncio.sleep, 0, "works"))
"""
    )
    assert (done.stdout, done.stderr) == ("seen 7\nworks\n", "")


def test_system_exit_in_another_task_does_not_hang_the_caller() -> None:
    """C5: it goes out of the loop, as asyncio has it; the thread that waits hears of it, nothing is left pending."""
    done = run(
        f"""{LIBRARY}
bridge = Bridge()
async def main():
    task = asyncio.create_task(bridge.run_sync(sys.exit, 7))
    try:
        await asyncio.Event().wait()
    finally:
        print("cleaned up")
try:
    bridge.run_async(main)
except SystemExit as error:
    print("seen", error.code)
print(bridge.run_async(asyncio.sleep, 0, "works"))
"""
    )
    assert done.stdout == "cleaned up\nseen 7\nworks\n"
    assert "destroyed" not in done.stderr  # that nobody awaited the other task is told, as by asyncio.run
