"""The trace room."""

__all__ = ()
