"""Sync <-> async: the bridge, its wrappers and scopes."""

from asgikit import _public
from asgikit.bridge._bridge import Bridge
from asgikit.bridge._options import ContextPolicy
from asgikit.bridge._scopes import LoopScope, ThreadSensitiveScope, current_host
from asgikit.bridge._view import BridgeView

__all__ = ("Bridge", "BridgeView", "ContextPolicy", "LoopScope", "ThreadSensitiveScope", "current_host")

_public.publish(__name__)
