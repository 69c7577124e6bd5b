"""A picture of every crossing: recorded through the Observer, drawn in the terminal or saved for a browser."""

from asgikit import _public
from asgikit.trace._trace import Span, Trace, record

__all__ = ("Span", "Trace", "record")

_public.publish(__name__)
