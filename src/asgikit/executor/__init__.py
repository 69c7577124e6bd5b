"""The executor room."""

__all__ = ()
