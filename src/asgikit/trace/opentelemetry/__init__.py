"""Crossings as OpenTelemetry spans: `Bridge(observer=OpenTelemetryObserver())`. Needs the API package alone."""

from asgikit import _public
from asgikit.trace.opentelemetry._observer import OpenTelemetryObserver

__all__ = ("OpenTelemetryObserver",)

_public.publish(__name__)
