"""The Chrome trace-event format: what its document asks of every event."""

import json
from collections import Counter
from typing import Any

from asgikit.trace._chrome import as_events, as_json
from tests.trace.spans import FEW, span

NEEDED = {
    "M": {"name", "pid", "tid", "args"},
    "X": {"name", "cat", "pid", "tid", "ts", "dur"},
    "b": {"name", "cat", "pid", "tid", "ts", "id"},
    "e": {"name", "cat", "pid", "tid", "ts", "id"},
    "s": {"name", "cat", "pid", "tid", "ts", "id"},
    "f": {"name", "cat", "pid", "tid", "ts", "id", "bp"},
}


def check(events: list[dict[str, Any]]) -> None:
    """Check what the format says of each event, and of those that belong together."""
    for event in events:
        assert NEEDED[event["ph"]] <= event.keys()
        assert type(event["pid"]) is int
        assert type(event["tid"]) is int
        assert event.get("ts", 0.0) >= 0
        assert event.get("dur", 0.0) >= 0
    named = {event["tid"] for event in events if event["ph"] == "M"}
    assert {event["tid"] for event in events} == named
    for begin, end in (("b", "e"), ("s", "f")):
        key = Counter((event["cat"], event["name"], event["id"]) for event in events if event["ph"] == begin)
        assert key == Counter((event["cat"], event["name"], event["id"]) for event in events if event["ph"] == end)
        assert set(key.values()) <= {1}


def test_every_event_is_complete_and_every_pair_is_one() -> None:
    events = as_events(FEW)
    check(events)
    assert [event["args"]["name"] for event in events if event["ph"] == "M"] == [
        "MainThread",
        "loop",
        "worker",
        "other",
    ]


def test_functions_are_slices_and_coroutines_are_async_events() -> None:
    """Tasks interleave on one loop, so slices there could overlap without nesting, which the format forbids."""
    events = as_events(FEW)
    assert [event["name"] for event in events if event["ph"] == "X"] == ["shop.load", "shop.charge", "shop.notify"]
    assert [event["name"] for event in events if event["ph"] == "b"] == ["shop.checkout"]


def test_times_are_microseconds_and_what_is_known_is_told() -> None:
    slice_ = next(event for event in as_events(FEW) if event["name"] == "shop.charge")
    assert (slice_["ts"], round(slice_["dur"])) == (6000.0, 2000)
    told = slice_["args"]
    assert (told["asked by"], told["inside"], told["queue time (us)"], told["raised"]) == (
        "loop",
        0,
        2000.0,
        "ValueError",
    )


def test_what_never_began_has_no_slice_and_what_never_ended_reaches_to_the_end() -> None:
    events = as_events(FEW)
    assert not any(event["name"] == "shop.never" for event in events)
    unfinished = next(event for event in events if event["name"] == "shop.notify")
    assert unfinished["ts"] + unfinished["dur"] == 0.010 * 1e6


def test_the_text_is_json() -> None:
    read = json.loads(as_json([span(0, "f\n</script>é", "a", 0, 1, 2)]))
    assert read["displayTimeUnit"] == "ms"
    check(read["traceEvents"])
    assert json.loads(as_json([]))["traceEvents"] == []
