"""Where calls run: the current thread, worker threads, leased thread-sensitive workers, or inline.

Each is a `concurrent.futures.Executor` and may be used without a bridge. Nothing here knows event loops.
"""

from asgikit import _public
from asgikit.executor._counters import PoolCounters
from asgikit.executor._current_thread import CurrentThreadExecutor
from asgikit.executor._fork import ForkGuard
from asgikit.executor._inline import InlineExecutor
from asgikit.executor._sensitive_pool import ThreadSensitivePool
from asgikit.executor._work import name_of, without_this_frame
from asgikit.executor._worker_pool import WorkerThreadPool

__all__ = (
    "CurrentThreadExecutor",
    "ForkGuard",
    "InlineExecutor",
    "PoolCounters",
    "ThreadSensitivePool",
    "WorkerThreadPool",
    "name_of",
    "without_this_frame",
)

_public.publish(__name__)
