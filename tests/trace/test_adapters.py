"""The adapters that carry crossings to a logger and to OpenTelemetry."""

import asyncio
import logging
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from asgikit import Bridge
from asgikit.errors import MissingExtraError
from asgikit.trace import LoggingObserver
from tests.support.packages import require_package


def fail() -> None:
    raise ValueError("no")


async def cross(bridge: Bridge) -> None:
    await bridge.run_sync(int)
    with pytest.raises(ValueError, match="no"):
        await bridge.run_sync(fail)


def test_each_crossing_that_ended_is_a_record(caplog: pytest.LogCaptureFixture) -> None:
    """Q1: queue time and run time of each are offered to a logger."""
    caplog.set_level(logging.INFO, logger="asgikit.crossings")
    with Bridge(observer=LoggingObserver(level=logging.INFO)) as bridge:
        asyncio.run(cross(bridge))
    first, second = caplog.records
    assert first.getMessage().startswith("sync_to_async builtins.int on asgikit-sensitive-1: queued 0.")
    assert first.getMessage().endswith("returned")
    assert second.getMessage().endswith("raised ValueError")
    assert first.__dict__["crossing"].name == "builtins.int"


class Span:
    """Keeps what it is told, as an OpenTelemetry span does."""

    def __init__(self, name: str, attributes: Mapping[str, Any]) -> None:
        self.name = name
        self.attributes = dict(attributes)
        self.errors: list[BaseException] = []
        self.ended = False

    def set_attribute(self, key: str, value: Any) -> None:
        self.attributes[key] = value

    def record_exception(self, error: BaseException) -> None:
        self.errors.append(error)

    def set_status(self, status: Any, description: str) -> None:
        self.attributes["status"] = (status.name, description)

    def end(self) -> None:
        self.ended = True


class Tracer:
    """Makes such spans."""

    def __init__(self) -> None:
        self.spans: list[Span] = []

    def start_span(self, name: str, *, attributes: Mapping[str, Any]) -> Span:
        self.spans.append(Span(name, attributes))
        return self.spans[-1]


def test_each_crossing_is_a_span_from_its_asking_to_its_end() -> None:
    """J8: nobody has to patch the bridge to see what it does."""
    require_package("opentelemetry-api")
    from asgikit.trace.opentelemetry import OpenTelemetryObserver

    tracer: Any = Tracer()
    with Bridge(observer=OpenTelemetryObserver(tracer)) as bridge:
        asyncio.run(cross(bridge))
    first, second = tracer.spans
    assert (first.name, first.ended, first.errors) == ("builtins.int", True, [])
    assert first.attributes["asgikit.thread"] == "asgikit-sensitive-1"
    assert first.attributes["asgikit.queue_time"] > 0
    assert second.attributes["status"] == ("ERROR", "ValueError")
    assert [type(error) for error in second.errors] == [ValueError]


def test_without_the_api_the_error_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    from asgikit.trace.opentelemetry import OpenTelemetryObserver

    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(MissingExtraError, match="pip install opentelemetry-api"):
        OpenTelemetryObserver()
