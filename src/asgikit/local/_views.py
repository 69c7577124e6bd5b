"""What can be done with a namespace as a whole. Functions, so that every attribute name stays free for users."""

from typing import Any

from asgikit.local._base import Namespace, key_of
from asgikit.local._critical import ThreadCriticalLocal, clear_here, values_here
from asgikit.local._values import discard, visible

__all__ = ("clear", "snapshot")


def snapshot(local: Namespace | ThreadCriticalLocal, /) -> dict[str, Any]:
    """Return a new dict of the values set for the running code; defaults are not in it. May be called on any thread."""
    values = values_here(local) if isinstance(local, ThreadCriticalLocal) else visible(key_of(local))
    return values.copy()


def clear(local: Namespace | ThreadCriticalLocal, /) -> None:
    """Drop the values visible to the running code; nobody else's. May be called on any thread."""
    if isinstance(local, ThreadCriticalLocal):
        clear_here(local)
    else:
        discard(key_of(local))
