"""asgikit: synchronous and asynchronous Python calling each other, safely, fast and fully typed.

    from asgikit import Bridge

    bridge = Bridge()

The rooms behind the door: `asgikit.bridge`, `asgikit.executor`, `asgikit.loop`, `asgikit.local`,
`asgikit.protocols`, `asgikit.spec`, `asgikit.errors`, `asgikit.wsgi`, `asgikit.server`, `asgikit.testing`,
`asgikit.trace`, `asgikit.compat`.
"""

from typing import TYPE_CHECKING

from asgikit.bridge import Bridge

__all__ = ("Bridge", "__version__")

__version__ = "0.1.0"

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Say how to get what asgiref has as functions of a module."""
        if name in {"sync_to_async", "async_to_sync"}:
            message = (
                f"asgikit has no global {name}: make a bridge, `bridge = asgikit.Bridge()`, and use bridge.{name};"
                " asgikit.compat.asgiref has functions of that name for code written for asgiref"
            )
            raise ImportError(message)
        message = f"module 'asgikit' has no attribute {name!r}"
        raise AttributeError(message)
