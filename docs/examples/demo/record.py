"""Who crossed, where it ran and how long it took. Wrapped around a function, it changes nothing else."""

import asyncio
import functools
import os
import threading
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import StrEnum
from statistics import median
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from kits import Wrap


class Kind(StrEnum):
    """Every kind of crossing that the demo makes, in the words of the tables."""

    HOME = "async→sync, home thread"
    ORDER = "async→sync→async"
    WARM = "  … the sync→async in it"
    HOSTED = "    … back to its caller"
    SCOPE = "async→sync, in a scope"
    FREE = "async→sync, any thread"
    PROCESS = "async→sync, in a process"
    COLD = "sync→async, no loop yet"
    MAIN = "  … back to its caller"


class Place(NamedTuple):
    """Where something ran."""

    thread: str
    loop: asyncio.AbstractEventLoop | None = None


class Located:
    """A synchronous function that also says where it ran. It can be sent to another process."""

    def __init__(self, function: Callable[..., Any]) -> None:
        functools.update_wrapper(self, function)  # traces and reports tell its name
        self.function = function
        self.home = os.getpid()

    def __call__(self, *args: Any) -> tuple[Place, Any]:
        here = threading.current_thread().name if os.getpid() == self.home else f"process {os.getpid()}"
        return Place(here), self.function(*args)


@dataclass
class Tally:
    """What was seen of one kind of crossing."""

    seconds: list[float] = field(default_factory=list)
    threads: set[str] = field(default_factory=set)
    loops: set[str] = field(default_factory=set)
    error: str = ""

    @property
    def median(self) -> float:
        return median(self.seconds)


class Record:
    """What was seen during one load, on all threads."""

    def __init__(self) -> None:
        self.tallies: defaultdict[Kind, Tally] = defaultdict(Tally)
        self._lock = threading.Lock()
        self._loops: WeakKeyDictionary[asyncio.AbstractEventLoop, str] = WeakKeyDictionary()

    def name_loop(self, loop: asyncio.AbstractEventLoop, name: str) -> None:
        with self._lock:
            self._loops[loop] = name

    def to_sync(self, kind: Kind, wrap: Wrap, function: Callable[..., Any]) -> Callable[..., Awaitable[Any]]:
        """Return `wrap(function)`, where `function` is synchronous, with every call of it recorded."""
        crossing = wrap(Located(function))

        async def call(*args: Any) -> Any:
            began = time.perf_counter()
            try:
                place, result = await crossing(*args)
            except Exception as error:
                self._failed(kind, error)
                raise
            self._add(kind, place, time.perf_counter() - began)
            return result

        return call

    def to_async(self, kind: Kind, wrap: Wrap, function: Callable[..., Awaitable[Any]]) -> Callable[..., Any]:
        """Return `wrap(function)`, where `function` is async, with every call of it recorded."""

        @functools.wraps(function)
        async def located(*args: Any) -> tuple[Place, Any]:
            return Place(threading.current_thread().name, asyncio.get_running_loop()), await function(*args)

        crossing = wrap(located)

        def call(*args: Any) -> Any:
            began = time.perf_counter()
            place, result = crossing(*args)
            self._add(kind, place, time.perf_counter() - began)
            return result

        return call

    def _add(self, kind: Kind, place: Place, seconds: float) -> None:
        with self._lock:
            tally = self.tallies[kind]
            tally.seconds.append(seconds)
            tally.threads.add(place.thread)
            if place.loop is not None:
                tally.loops.add(self._loops.setdefault(place.loop, "a fresh one"))

    def _failed(self, kind: Kind, error: Exception) -> None:
        with self._lock:
            self.tallies[kind].error = f"{type(error).__name__}: {error}"
