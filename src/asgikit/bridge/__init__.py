"""Sync <-> async: the bridge, its wrappers and scopes."""

from asgikit import _public
from asgikit.bridge._bridge import Bridge
from asgikit.bridge._callers import AsyncCaller, SyncCaller
from asgikit.bridge._options import ContextPolicy
from asgikit.bridge._scopes import LoopScope, ThreadSensitiveScope, calling_loop, current_host
from asgikit.bridge._view import BridgeView

__all__ = (
    "AsyncCaller",
    "Bridge",
    "BridgeView",
    "ContextPolicy",
    "LoopScope",
    "SyncCaller",
    "ThreadSensitiveScope",
    "calling_loop",
    "current_host",
)

_public.publish(__name__)
