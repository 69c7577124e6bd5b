"""Recording the crossings of a real bridge."""

import asyncio
import json
from pathlib import Path

import pytest

from asgikit import Bridge
from asgikit.testing import ManualClock
from asgikit.trace import Trace, record
from tests.support.gate import Gate, until


def load() -> str:
    return "loaded"


def fail() -> None:
    raise KeyError("lost")


async def outer(bridge: Bridge) -> str:
    return await bridge.run_sync(load)


def test_crossings_in_the_order_in_which_they_were_asked_for() -> None:
    with Bridge() as bridge, record(bridge) as trace:
        bridge.run_async(outer, bridge)
    cold, back = trace.spans
    assert (cold.number, cold.name, cold.direction) == (0, f"{__name__}.outer", "async_to_sync")
    assert (back.number, back.name, back.direction) == (1, f"{__name__}.load", "sync_to_async")
    assert (cold.parent, back.parent) == (None, 0)
    assert (cold.caller, back.thread) == ("MainThread", "MainThread")
    assert cold.thread == back.caller == "asgikit-loop-1"
    assert cold.queued == 0.0
    moments = [cold.queued, cold.started, back.queued, back.started, back.finished, cold.finished]
    assert None not in moments
    assert moments == sorted(moment or 0.0 for moment in moments)
    assert (cold.error, cold.abandoned, cold.report) == (None, False, None)


def test_only_what_begins_in_the_block_is_recorded() -> None:
    with Bridge() as bridge:
        bridge.run_async(outer, bridge)
        with record(bridge.options(thread_sensitive=False)) as trace:
            assert trace.spans == ()
            bridge.run_async(outer, bridge)
        bridge.run_async(outer, bridge)
    assert len(trace.spans) == 2


def test_what_was_raised_is_told_by_its_type_and_not_kept() -> None:
    """I1: no traceback is kept alive."""

    async def main() -> None:
        with pytest.raises(KeyError):
            await bridge.run_sync(fail)

    with Bridge() as bridge, record(bridge) as trace:
        asyncio.run(main())
    assert [span.error for span in trace.spans] == ["KeyError"]


def test_abandoned_and_unfinished_calls() -> None:
    async def main() -> None:
        task = asyncio.create_task(bridge.run_sync(gate))
        await until(gate.begun.is_set)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        (span,) = trace.spans
        assert span.abandoned
        assert span.finished is None
        gate.open()

    with Gate() as gate, Bridge() as bridge, record(bridge) as trace:
        asyncio.run(main())


def test_a_report_of_a_stall_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    clock = ManualClock()

    def passes() -> bool:
        clock.advance(6)
        return any(span.report for span in trace.spans)

    async def main() -> None:
        holding = asyncio.ensure_future(bridge.sync_to_async(gate)())
        await until(gate.begun.is_set)
        waiting = asyncio.ensure_future(bridge.run_sync(load))
        # Time passes as often as the loop comes round; what has begun is no stall, however slow the machine is.
        await until(passes)
        gate.open()
        await asyncio.gather(holding, waiting)

    with Gate() as gate, Bridge(clock=clock, stall_report_after=10.0) as bridge, record(bridge) as trace:
        asyncio.run(main())
    (report,) = [span.report for span in trace.spans if span.report]
    assert report.startswith(f"{__name__}.load has waited")
    assert "has waited" in caplog.text


def test_beyond_the_limit_they_are_counted() -> None:
    with Bridge() as bridge, record(bridge, limit=3) as trace:
        for _ in range(3):
            bridge.run_async(outer, bridge)
    assert len(trace.spans) == 3
    assert trace.dropped == 3


def test_saving_by_the_ending_of_the_path(tmp_path: Path) -> None:
    with Bridge() as bridge, record(bridge) as trace:
        bridge.run_async(outer, bridge)
    for name in ("trace.json", "trace.html", "trace.svg"):
        trace.save(tmp_path / name)
        trace.save(str(tmp_path / name))
    assert json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert "asgikit-loop-1" in (tmp_path / "trace.html").read_text()
    assert (tmp_path / "trace.svg").read_text().startswith("<svg")
    with pytest.raises(ValueError, match=r"\.json, \.html or \.svg, not as 'trace.txt'"):
        trace.save(tmp_path / "trace.txt")


def test_a_trace_is_an_observer_like_any_other() -> None:
    trace = Trace()
    with Bridge(observer=trace) as bridge:
        bridge.run_async(outer, bridge)
    assert [span.name.rpartition(".")[2] for span in trace.spans] == ["outer", "load"]
