"""The bridge room."""

__all__ = ()
