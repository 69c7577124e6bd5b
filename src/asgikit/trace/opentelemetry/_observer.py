"""Crossings as OpenTelemetry spans. Needs the API package alone; what becomes of the spans is the application's choice.

from asgikit.trace.opentelemetry import OpenTelemetryObserver

bridge = Bridge(observer=OpenTelemetryObserver())
"""

import threading
from typing import TYPE_CHECKING, final

from asgikit.errors import MissingExtraError
from asgikit.protocols import Crossing

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer

__all__ = ("OpenTelemetryObserver",)


@final
class OpenTelemetryObserver:
    """Makes one span for each crossing, from the moment it was asked for to its end (`asgikit.protocols.Observer`).

    A span is a child of the span that is current where the crossing was asked for. Its attributes are
    `asgikit.direction`, `asgikit.caller`, `asgikit.thread` and `asgikit.queue_time` in seconds.

    Args:
        tracer: who makes the spans; None asks the API for the tracer of `asgikit`.

    Raises:
        MissingExtraError: the OpenTelemetry API is not installed.
    """

    def __init__(self, tracer: "Tracer | None" = None) -> None:
        try:
            from opentelemetry import trace  # noqa: PLC0415 - an extra, imported on use
        except ImportError as missing:
            message = "the OpenTelemetry observer needs the OpenTelemetry API: pip install opentelemetry-api"
            raise MissingExtraError(message) from missing
        self._error = trace.StatusCode.ERROR
        self._tracer = trace.get_tracer("asgikit") if tracer is None else tracer
        self._lock = threading.Lock()
        self._spans: dict[Crossing, Span] = {}

    def queued(self, crossing: Crossing, /) -> None:
        """Start the span, in the context of the caller."""
        attributes = {"asgikit.direction": crossing.direction, "asgikit.caller": crossing.caller}
        span = self._tracer.start_span(crossing.name, attributes=attributes)
        with self._lock:
            self._spans[crossing] = span

    def started(self, crossing: Crossing, /) -> None:
        """Note the thread and how long it queued."""
        span = self._span(crossing)
        if span is not None:
            span.set_attribute("asgikit.thread", crossing.thread or "")
            span.set_attribute("asgikit.queue_time", crossing.queue_time or 0.0)

    def finished(self, crossing: Crossing, /) -> None:
        """Note what it raised, and end the span."""
        with self._lock:
            span = self._spans.pop(crossing, None)
        if span is None:
            return
        if crossing.error is not None:
            span.record_exception(crossing.error)
            span.set_status(self._error, type(crossing.error).__qualname__)
        span.end()

    def abandoned(self, crossing: Crossing, /) -> None:
        """Add an event: its caller waits no more."""
        span = self._span(crossing)
        if span is not None:
            span.add_event("abandoned")

    def stalled(self, crossing: Crossing, report: str, /) -> None:
        """Add an event with the report."""
        span = self._span(crossing)
        if span is not None:
            span.add_event("stalled", {"report": report})

    def _span(self, crossing: Crossing) -> "Span | None":
        with self._lock:
            return self._spans.get(crossing)
