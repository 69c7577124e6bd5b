"""Recording crossings."""

from pathlib import Path
from typing import assert_type

from asgikit import Bridge
from asgikit.protocols import Observer
from asgikit.trace import Span, Trace, record

bridge = Bridge()
text: str = "a"


# case: recording in a block
def recorded() -> Trace:
    with record(bridge) as trace:
        assert_type(trace, Trace)
        return trace


# case: what was recorded
def spans(trace: Trace) -> None:
    assert_type(trace.spans, tuple[Span, ...])
    trace.save(Path(text))
    trace.save(text)
    trace.show()


# case: a trace is an observer
observer: Observer = Trace(limit=10)
Bridge(observer=Trace())

# case: a limit is a number
Trace(limit="all")  # E

# case: something that cannot be observed
record(text)  # E
