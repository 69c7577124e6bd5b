"""Servers without connections: one application instance per scope, kept alive between messages."""

from asgikit import _public
from asgikit.server._counters import ServerCounters
from asgikit.server._failure import ApplicationFailure, FailureHook, log_failure
from asgikit.server._mailbox import Outcome, QueuePolicy
from asgikit.server._server import StatelessServer
from asgikit.server._store import LRUInstanceStore

__all__ = (
    "ApplicationFailure",
    "FailureHook",
    "LRUInstanceStore",
    "Outcome",
    "QueuePolicy",
    "ServerCounters",
    "StatelessServer",
    "log_failure",
)

_public.publish(__name__)
