"""What every room may ask for, and nothing about how: small protocols, each with an implementation elsewhere."""

from asgikit import _public
from asgikit.protocols._bridges import SupportsAsyncToSync, SupportsSyncToAsync
from asgikit.protocols._executors import (
    ExecutorLike,
    HostExecutor,
    Inbox,
    Lease,
    SensitivePool,
    SupportsPost,
    SupportsSubmit,
    SupportsSubmitArgs,
    Work,
    WorkerHome,
)
from asgikit.protocols._local import LocalLike
from asgikit.protocols._loops import LoopEntry, LoopRunner
from asgikit.protocols._observer import Crossing, Observer
from asgikit.protocols._servers import ApplicationLike, DoubleCallable, InstanceStore, ServerLike
from asgikit.protocols._time import Cancellable, Clock

__all__ = (
    "ApplicationLike",
    "Cancellable",
    "Clock",
    "Crossing",
    "DoubleCallable",
    "ExecutorLike",
    "HostExecutor",
    "Inbox",
    "InstanceStore",
    "Lease",
    "LocalLike",
    "LoopEntry",
    "LoopRunner",
    "Observer",
    "SensitivePool",
    "ServerLike",
    "SupportsAsyncToSync",
    "SupportsPost",
    "SupportsSubmit",
    "SupportsSubmitArgs",
    "SupportsSyncToAsync",
    "Work",
    "WorkerHome",
)

_public.publish(__name__)
