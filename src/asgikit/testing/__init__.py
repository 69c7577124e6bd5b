"""The testing room."""

__all__ = ()
