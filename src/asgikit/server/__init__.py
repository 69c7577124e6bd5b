"""The server room."""

__all__ = ()
