"""The loop room."""

__all__ = ()
