"""`asgiref.sync`: both wrappers as classes and as functions, and the two scopes, on the default bridge.

Which thread and which loop a call gets, context variables, cancellation: all that is the bridge's. In the three files
from which this one takes stand asgiref's names, and the attributes that frameworks and monitoring agents reach into.
"""

from asgikit import _public
from asgikit.compat.asgiref._calls import iscoroutinefunction, markcoroutinefunction
from asgikit.compat.asgiref._to_async import SyncToAsync, ThreadSensitiveContext, sync_to_async
from asgikit.compat.asgiref._to_sync import AsyncSingleThreadContext, AsyncToSync, async_to_sync

__all__ = (
    "AsyncSingleThreadContext",
    "AsyncToSync",
    "SyncToAsync",
    "ThreadSensitiveContext",
    "async_to_sync",
    "iscoroutinefunction",
    "markcoroutinefunction",
    "sync_to_async",
)

_public.publish(__name__)
