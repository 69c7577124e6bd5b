"""Crossings as OpenTelemetry spans. Needs the API package alone; what becomes of the spans is the application's choice.

from asgikit.trace.opentelemetry import OpenTelemetryObserver

bridge = Bridge(observer=OpenTelemetryObserver())
"""

from asgikit import _public
from asgikit.trace.opentelemetry._observer import OpenTelemetryObserver

__all__ = ("OpenTelemetryObserver",)

_public.publish(__name__)
