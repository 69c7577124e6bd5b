"""Words that every ASGI protocol shares: the versions, the header lists, the state.

Rules of this room: types only, no behaviour; nothing else of asgikit is imported. A key that the
specification calls optional is `ReadOnly[NotRequired[...]]`: it may be absent when a message is
built, must be asked for with `.get()` when one is read, and a type that requires it (asgiref's,
uvicorn's, hypercorn's) is still assignable. `| None` is added only where the specification gives
`None` a meaning of its own or names it as a default.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal, NotRequired, TypeAlias

from typing_extensions import ReadOnly, TypedDict

__all__ = ("ASGIVersions", "Extensions", "Headers", "HeadersLike", "State")

Headers: TypeAlias = Iterable[tuple[bytes, bytes]]
"""Headers as a server hands them over: pairs of lower-case name and value, in the order of the request."""

HeadersLike: TypeAlias = Iterable[Iterable[bytes]]
"""Headers as an application may send them: any two-item iterables, so a list of lists is right too."""

State: TypeAlias = dict[str, Any]
"""What a lifespan stored for the requests: every scope gets a shallow copy (lifespan protocol, "Lifespan State")."""

Extensions: TypeAlias = Mapping[str, Any]
"""What the server offers beyond the specification, by name (for example `tls`, a `TLSExtension`)."""


class ASGIVersions(TypedDict):
    """The versions that a server speaks (ASGI spec, "Connection Scope")."""

    version: Literal["2.0", "3.0"]
    spec_version: ReadOnly[NotRequired[str]]  # of the protocol; defaults to "2.0" (HTTP, WebSocket) or "1.0" (lifespan)
