"""Spans to draw, written down in a line each."""

from typing import Any

from asgikit.trace import Span

__all__ = ("FEW", "span")


def span(number: int, name: str, thread: str | None, *times: float | None, **others: Any) -> Span:
    """Return a span with `times` (queued, started, finished); what is not said is ordinary."""
    queued, started, finished = (*times, None, None, None)[:3]
    assert queued is not None
    known: dict[str, Any] = {
        "direction": "sync_to_async",
        "parent": None,
        "caller": "MainThread",
        "error": None,
        "abandoned": False,
        "report": None,
        **others,
    }
    return Span(number, name, thread=thread, queued=queued, started=started, finished=finished, **known)


FEW = (
    span(0, "shop.checkout", "loop", 0.0, 0.001, 0.010, direction="async_to_sync"),
    span(1, "shop.load", "worker", 0.002, 0.003, 0.006, parent=0, caller="loop"),
    span(2, "shop.charge", "worker", 0.004, 0.006, 0.008, parent=0, caller="loop", error="ValueError"),
    span(3, "shop.notify", "other", 0.005, 0.006, None, parent=0, caller="loop", abandoned=True),
    span(4, "shop.never", None, 0.009, parent=0, caller="loop", report="never has waited long"),
)
