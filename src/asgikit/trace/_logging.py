"""Crossings as log records."""

import logging
from typing import final

from asgikit.protocols import Crossing

__all__ = ("LoggingObserver",)


@final
class LoggingObserver:
    """Writes one record when a crossing has ended, and one when it is abandoned or stalls.

    Each record carries the crossing as `record.crossing`, for formatters and filters. The methods run on the
    threads that `asgikit.protocols.Observer` names.

    Args:
        logger: where to write; None is the logger `asgikit.crossings`.
        level: the level of the records of crossings that ended; the others are warnings.
    """

    def __init__(self, logger: logging.Logger | None = None, *, level: int = logging.DEBUG) -> None:
        self._logger = logging.getLogger("asgikit.crossings") if logger is None else logger
        self._level = level

    def queued(self, crossing: Crossing, /) -> None:
        """Write nothing: the record of the end says when it began."""

    def started(self, crossing: Crossing, /) -> None:
        """Write nothing, as above."""

    def finished(self, crossing: Crossing, /) -> None:
        """Write how long it queued and ran, and what it raised."""
        if not self._logger.isEnabledFor(self._level):
            return
        outcome = "returned" if crossing.error is None else f"raised {type(crossing.error).__qualname__}"
        self._logger.log(
            self._level,
            "%s %s on %s: queued %.6f s, ran %.6f s, %s",
            crossing.direction,
            crossing.name,
            crossing.thread,
            crossing.queue_time or 0.0,
            crossing.run_time or 0.0,
            outcome,
            extra={"crossing": crossing},
        )

    def abandoned(self, crossing: Crossing, /) -> None:
        """Write that its caller waits no more."""
        message = "%s %s goes on, though its caller waits no more"
        self._logger.warning(message, crossing.direction, crossing.name, extra={"crossing": crossing})

    def stalled(self, crossing: Crossing, report: str, /) -> None:
        """Write the report."""
        self._logger.warning("%s", report, extra={"crossing": crossing})
