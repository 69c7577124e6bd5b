"""The two libraries under the same six names, so that one application runs on either."""

from collections.abc import Callable, Generator
from concurrent.futures import Executor
from contextlib import AbstractAsyncContextManager, contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import asgiref
import asgiref.sync

import asgikit
from asgikit import Bridge

Wrap = Callable[[Callable[..., Any]], Callable[..., Any]]


@dataclass(frozen=True)
class Kit:
    """The ways to cross that the application uses, as one library offers them."""

    name: str
    on_home_thread: Wrap  # a synchronous function for async code, thread-sensitive
    on_any_thread: Wrap  # the same on worker threads
    in_a_process: Wrap  # the same in a process pool
    blocking: Wrap  # an async function for synchronous code
    scope: Callable[[], AbstractAsyncContextManager[object]]  # a thread of its own for one block
    bridge: Bridge | None = None  # what can be traced


@contextmanager
def with_asgikit(processes: Executor) -> Generator[Kit]:
    with Bridge() as bridge:
        yield Kit(
            name=f"asgikit {asgikit.__version__}",
            on_home_thread=bridge.sync_to_async,
            on_any_thread=bridge.sync_to_async(thread_sensitive=False),
            in_a_process=bridge.sync_to_async(thread_sensitive=False, executor=processes),
            blocking=bridge.async_to_sync,
            scope=bridge.thread_sensitive_scope,
            bridge=bridge,
        )


@contextmanager
def with_asgiref(processes: Executor) -> Generator[Kit]:
    to_async: Any = asgiref.sync.sync_to_async  # its types know no executor but the thread pool
    yield Kit(
        name=f"asgiref {asgiref.__version__}",
        on_home_thread=to_async,
        on_any_thread=partial(to_async, thread_sensitive=False),
        in_a_process=partial(to_async, thread_sensitive=False, executor=processes),
        blocking=asgiref.sync.async_to_sync,
        scope=asgiref.sync.ThreadSensitiveContext,
    )
