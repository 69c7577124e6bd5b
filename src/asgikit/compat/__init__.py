"""The compat room."""

__all__ = ()
