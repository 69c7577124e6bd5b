"""Spans as Chrome trace events: pure. Source: the "Trace Event Format" document of the Chromium project."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from asgikit.trace._lanes import end_of
from asgikit.trace._span import Span

__all__ = ("as_events", "as_json")

_PROCESS = 1


def as_json(spans: Sequence[Span]) -> str:
    """Return the text of a trace file."""
    return json.dumps({"traceEvents": as_events(spans), "displayTimeUnit": "ms"}, separators=(",", ":"))


def as_events(spans: Sequence[Span]) -> list[dict[str, Any]]:
    """Return the events: a name for each thread, a slice for each run, an arrow from caller to run."""
    tracks = _tracks(spans)
    names = (_metadata(thread, number) for thread, number in tracks.items())
    end = end_of(spans)
    return [*names, *(event for span in spans for event in _events(span, tracks, end))]


def _tracks(spans: Iterable[Span]) -> dict[str, int]:
    """Number the threads in the order in which they appear."""
    tracks: dict[str, int] = {}
    for span in spans:
        for thread in (span.caller, span.thread):
            if thread is not None:
                tracks.setdefault(thread, len(tracks) + 1)
    return tracks


def _metadata(thread: str, number: int) -> dict[str, Any]:
    return {"ph": "M", "name": "thread_name", "pid": _PROCESS, "tid": number, "args": {"name": thread}}


def _events(span: Span, tracks: dict[str, int], last: float) -> Iterator[dict[str, Any]]:
    """Yield the events of one crossing; times are microseconds. What has not ended lasts to the end of the trace."""
    if span.thread is None or span.started is None:
        return
    start = span.started * 1e6
    end = (last if span.finished is None else span.finished) * 1e6
    arguments = {
        "number": span.number,
        "asked by": span.caller,
        "inside": span.parent,
        "queue time (us)": round(start - span.queued * 1e6, 1),
        "raised": span.error,
        "abandoned": span.abandoned,
    }
    common = {"cat": span.direction, "pid": _PROCESS}
    track = tracks[span.thread]
    # Tasks interleave on a loop, so their slices may overlap without nesting: those are async events.
    if span.direction == "async_to_sync":
        there = {**common, "name": span.name, "tid": track, "id": span.number}
        yield {**there, "ph": "b", "ts": start, "args": arguments}
        yield {**there, "ph": "e", "ts": end}
    else:
        yield {**common, "name": span.name, "tid": track, "ph": "X", "ts": start, "dur": end - start, "args": arguments}
    arrow = {**common, "name": "crossing", "id": span.number}
    yield {**arrow, "ph": "s", "tid": tracks[span.caller], "ts": span.queued * 1e6}
    yield {**arrow, "ph": "f", "bp": "e", "tid": track, "ts": start}
