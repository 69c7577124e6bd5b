"""The local room."""

__all__ = ()
