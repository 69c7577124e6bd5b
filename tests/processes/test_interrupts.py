"""Ctrl-C at every moment at which the interpreter looks for signals: whatever was half done is done or undone."""

import pytest

from tests.support.processes import run

PROGRAM = """
import asyncio, faulthandler, logging, sys, threading
from asgikit import Bridge
from asgikit.bridge import _chain
faulthandler.dump_traceback_later(40, exit=True)
logging.disable(logging.CRITICAL)

def interrupted(event, number):
    '''Raise KeyboardInterrupt at the n-th event of this kind inside the bridge; False if there are not so many.'''
    begun, ended = threading.Event(), threading.Event()
    async def work():
        begun.set()
        try:
            await asyncio.sleep(0)
            result = await bridge.run_sync(lambda: 5)
            await asyncio.sleep(0)
            return result
        finally:
            ended.set()
    async def items():
        begun.set()
        try:
            yield 1
            yield 2
        finally:
            ended.set()
    seen, where, outcome = 0, None, None
    def profile(frame, kind, function):
        nonlocal seen, where
        file = frame.f_code.co_filename
        if kind == "c_return" and function.__name__ in {"__enter__", "acquire"}:
            return  # Python 3.14 tells of those of `with lock`; a lock lost there is the interpreter's to mend
        if kind == event and ("asgikit/bridge" in file or "_current_thread" in file):
            seen += 1
            if seen == number:
                where = f"{file}:{frame.f_lineno} {frame.f_code.co_name}"
                sys.setprofile(None)
                raise KeyboardInterrupt
    sys.setprofile(profile)
    try:
        USE
    except KeyboardInterrupt as error:
        outcome = type(error)
    finally:
        sys.setprofile(None)
    if where is None:
        return False
    assert outcome is KeyboardInterrupt, where
    thread = _chain.here.thread
    assert thread.host is thread.call is _chain.current.get() is None, f"{where}: the thread counts as hosting"
    assert not begun.is_set() or ended.wait(5), f"{where}: the coroutine goes on"
    assert bridge.run_async(asyncio.sleep, 0, "works") == "works", where
    return True

with Bridge() as bridge:
    bridge.run_async(asyncio.sleep, 0)
    for event in "call", "c_return":  # as a function begins, and as one written in C has returned
        number = 1
        while interrupted(event, number):
            number += 1
        assert number > 10
"""


@pytest.mark.parametrize(
    "use",
    [
        "bridge.run_async(work)",
        "bridge.async_to_sync(work)()",
        "[item for item in bridge.iterate_sync(items)()]",
        "[item for item in bridge.iterate_sync(items, max_buffer=0)()]",
    ],
)
def test_ctrl_c_at_any_moment_of_a_call(use: str) -> None:
    """C1: it is raised once, the coroutine ends, and the thread is as it was before."""
    run(PROGRAM.replace("USE", use), seconds=50)
