"""The spec room."""

__all__ = ()
