"""Which event loop a cold `async_to_sync` gets: a fresh one per call, a kept one, or one for all."""

from asgikit import _public
from asgikit.loop._blocking import BlockingLoopRunner
from asgikit.loop._calling_thread import CallingThreadLoopRunner
from asgikit.loop._clock import MonotonicClock
from asgikit.loop._per_call import PerCallLoopRunner
from asgikit.loop._pooled import PooledLoopRunner
from asgikit.loop._shared import SharedLoopRunner, start_on

__all__ = (
    "BlockingLoopRunner",
    "CallingThreadLoopRunner",
    "MonotonicClock",
    "PerCallLoopRunner",
    "PooledLoopRunner",
    "SharedLoopRunner",
    "start_on",
)

_public.publish(__name__)
