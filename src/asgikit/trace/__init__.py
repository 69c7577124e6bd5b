"""A picture of every crossing: recorded through the Observer, drawn in the terminal or saved for a browser."""

from asgikit import _public
from asgikit.trace._logging import LoggingObserver
from asgikit.trace._span import Span
from asgikit.trace._trace import Trace, record

__all__ = ("LoggingObserver", "Span", "Trace", "record")

_public.publish(__name__)
