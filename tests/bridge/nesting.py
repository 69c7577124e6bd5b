"""Chains of crossings written as words, run for real, and told as places.

A program starts in synchronous code on the test's own thread. The words of a program, in the order of nesting:

    run         asyncio.run                         (from synchronous code)
    b           async_to_sync                       (from synchronous code)
    new         async_to_sync, force_new_loop=True  (from synchronous code)
    s f e       sync_to_async: thread-sensitive, free, with an executor of the user     (from async code)
    t           asyncio.to_thread                                                       (from async code)
    scope       a thread-sensitive scope, left when all that follows has ended          (in async code)
    escope      the same with an executor of the user                                   (in async code)
"""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

from asgikit import Bridge
from asgikit.executor import ThreadSensitivePool, WorkerThreadPool

__all__ = ("STYLES", "Chain", "Place", "World")

Place = tuple[threading.Thread, asyncio.AbstractEventLoop | None]
"""The thread that code ran on, and its event loop if it was async code."""

Chain = list[Place]
Call = Callable[[], Awaitable[list[Chain]]]


async def direct(call: Call) -> list[Chain]:
    return await call()


async def created_task(call: Call) -> list[Chain]:
    return await asyncio.ensure_future(call())


async def gathered(call: Call) -> list[Chain]:
    first, second = await asyncio.gather(call(), call())
    return first + second


async def shielded(call: Call) -> list[Chain]:
    return await asyncio.shield(call())


async def waited_for(call: Call) -> list[Chain]:
    return await asyncio.wait_for(call(), 5)


STYLES = {style.__name__: style for style in (direct, created_task, gathered, shielded, waited_for)}

LETTERS = {
    "asgikit-sensitive": "L",
    "asgikit-worker": "W",
    "asgikit-loop": "R",
    "given": "X",
    "scope": "E",
    "asyncio": "T",
}


class World:
    """One or two bridges with all their parts, and the executors of a user."""

    def __init__(self, stack: ExitStack, bridges: int = 1) -> None:
        """Make everything, to be closed with `stack`."""
        self.sensitive = [stack.enter_context(ThreadSensitivePool()) for _ in range(bridges)]
        self.workers = [stack.enter_context(WorkerThreadPool()) for _ in range(bridges)]
        self.bridges = [
            stack.enter_context(Bridge(sensitive_pool=sensitive, worker_pool=workers))
            for sensitive, workers in zip(self.sensitive, self.workers, strict=True)
        ]
        self.given = stack.enter_context(ThreadPoolExecutor(16, thread_name_prefix="given"))
        self.of_scope = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="scope"))

    def run(self, program: Sequence[str], style: str = "direct") -> list[str]:
        """Run a program, and tell the places of each of its branches; `style` is how async code awaits."""
        return [self._tell(chain) for chain in self._sync(tuple(program), style)]

    def _bridge(self, program: Sequence[str]) -> Bridge:
        """Return the bridge for the first word; where there are two bridges, they take turns."""
        return self.bridges[sum(word not in {"scope", "escope"} for word in program) % len(self.bridges)]

    def _sync(self, program: tuple[str, ...], style: str) -> list[Chain]:
        if not program:
            return [[]]
        word, rest = program[0], program[1:]
        if word == "run":
            return asyncio.run(self._async(rest, style))
        return self._bridge(program).async_to_sync(self._async, force_new_loop=word == "new")(rest, style)

    async def _async(self, program: tuple[str, ...], style: str) -> list[Chain]:
        here = threading.current_thread(), asyncio.get_running_loop()
        return [[here, *chain] for chain in await self._cross(program, style)]

    async def _cross(self, program: tuple[str, ...], style: str) -> list[Chain]:
        if not program:
            return [[]]
        word, rest = program[0], program[1:]
        if word in {"scope", "escope"}:
            executor = self.of_scope if word == "escope" else None
            async with self._bridge(program).thread_sensitive_scope(executor=executor):
                return await self._cross(rest, style)

        def step() -> list[Chain]:
            here = threading.current_thread(), None
            return [[here, *chain] for chain in self._sync(rest, style)]

        return await STYLES[style](self._wrapped(word, program, step))

    def _wrapped(self, word: str, program: Sequence[str], step: Callable[[], list[Chain]]) -> Call:
        to_async = self._bridge(program).sync_to_async
        if word == "s":
            return to_async(step)
        if word == "f":
            return to_async(step, thread_sensitive=False)
        if word == "e":
            return to_async(step, thread_sensitive=False, executor=self.given)
        assert word == "t", word
        return lambda: asyncio.to_thread(step)

    def _tell(self, chain: Chain) -> str:
        """Name the places of a chain: threads by kind and number, loops by number and the thread they run on."""
        threads: dict[str, list[threading.Thread]] = {}
        loops: list[asyncio.AbstractEventLoop] = []
        return " ".join(self._name(thread, threads) + number(loop, loops) for thread, loop in chain)

    def _name(self, thread: threading.Thread, seen: dict[str, list[threading.Thread]]) -> str:
        if thread is threading.current_thread():
            return "M"
        if thread.ident in (pool.default().thread_id for pool in self.sensitive):
            return "D"
        letter = next(letter for prefix, letter in LETTERS.items() if thread.name.startswith(prefix))
        if letter in "LE":
            return letter
        known = seen.setdefault(letter, [])
        if thread not in known:
            known.append(thread)
        return f"{letter}{known.index(thread) + 1}"


def number(loop: asyncio.AbstractEventLoop | None, seen: list[asyncio.AbstractEventLoop]) -> str:
    """Number a loop in the order of appearance; nothing for synchronous code."""
    if loop is None:
        return ""
    if loop not in seen:
        seen.append(loop)
    return f"/{seen.index(loop) + 1}"
