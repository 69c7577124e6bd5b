"""What an operator can choose about a WsgiToAsgi, checked once and then frozen."""

from dataclasses import dataclass, field
from typing import Literal, TextIO, TypeAlias

from asgikit.wsgi._request_headers import HeaderRules
from asgikit.wsgi._response_head import HopByHop

__all__ = ("BufferBody", "Options")

BufferBody: TypeAlias = Literal["never", "unknown", "always"]
"""When the whole body is received before the application runs: never, if its length is unknown, or always."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """See `WsgiToAsgi` for what each means."""

    max_body_size: int | None = None
    buffer_body: BufferBody = "never"
    request_buffer: int = 262144
    response_buffer: int = 262144
    headers: HeaderRules = field(default_factory=HeaderRules)
    hop_by_hop: HopByHop = "refuse"
    coalesce: bool = True
    probe_after: float = 1.0
    multithread: bool = True
    multiprocess: bool = True
    errors: TextIO | None = None

    def __post_init__(self) -> None:
        if self.request_buffer < 1 or self.response_buffer < 1:
            raise ValueError("request_buffer and response_buffer are numbers of bytes: at least 1")
        if self.max_body_size is not None and self.max_body_size < 0:
            raise ValueError("max_body_size is a number of bytes: at least 0, or None for no limit")
        if self.headers.duplicate_limit is not None and self.headers.duplicate_limit < 1:
            raise ValueError("duplicate_header_limit is a number of headers: at least 1, or None for no limit")
        if self.buffer_body not in ("never", "unknown", "always"):
            raise ValueError(f"buffer_body is 'never', 'unknown' or 'always', not {self.buffer_body!r}")
        if self.hop_by_hop not in ("refuse", "drop"):
            raise ValueError(f"hop_by_hop is 'refuse' or 'drop', not {self.hop_by_hop!r}")

    def receives_first(self, length: int | None) -> bool:
        """Whether the body is received before the application runs.

        Also when its length is unknown and the limit small enough to see all of it: then 413 comes first.
        """
        if self.buffer_body == "always" or (self.buffer_body == "unknown" and length is None):
            return True
        return length is None and self.max_body_size is not None and self.max_body_size <= self.request_buffer

    def forbids(self, length: int | None) -> bool:
        """Whether a body of the length that was announced is too large; one of unknown length is received to see."""
        return length is not None and self.max_body_size is not None and length > self.max_body_size
