"""The wsgi room."""

__all__ = ()
