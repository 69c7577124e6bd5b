"""Spans laid out in lanes, one or more for each thread: pure, and shared by both pictures."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import final

from asgikit.trace._span import Span

__all__ = ("Lane", "end_of", "lay_out")


@final
@dataclass(frozen=True, slots=True)
class Lane:
    """One row of a picture: spans of one thread of which no two overlap."""

    thread: str
    spans: tuple[Span, ...]


def end_of(spans: Iterable[Span]) -> float:
    """Return the latest moment of the spans, in seconds, at least a microsecond."""
    moments = (moment for span in spans for moment in (span.queued, span.started, span.finished) if moment is not None)
    return max(1e-6, *moments, 0.0)


def lay_out(spans: Sequence[Span]) -> list[Lane]:
    """Give each started span the first lane of its thread that is free at its start."""
    end = end_of(spans)
    threads: dict[str, list[list[Span]]] = {}
    started = [span for span in spans if span.thread is not None and span.started is not None]
    for span in sorted(started, key=lambda span: (span.started or 0.0, span.number)):
        lanes = threads.setdefault(span.thread or "", [])
        for lane in lanes:
            last = lane[-1].finished
            if (end if last is None else last) <= (span.started or 0.0):
                lane.append(span)
                break
        else:
            lanes.append([span])
    return [Lane(thread, tuple(lane)) for thread, lanes in threads.items() for lane in lanes]
