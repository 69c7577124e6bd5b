"""How scopes and messages become bytes."""

import json
from typing import Any, Protocol, final

__all__ = ("Codec", "JSONCodec")


class Codec(Protocol):
    """Turns a scope or message to bytes and back; called on the loop's thread."""

    def encode(self, value: Any, /) -> bytes:
        """Return the bytes of `value`."""
        ...

    def decode(self, data: bytes, /) -> Any:
        """Return the value of what `encode` gave."""
        ...


@final
class JSONCodec:
    """JSON in UTF-8: for messages of strings, numbers, lists and dicts. Messages with bytes need another codec."""

    def encode(self, value: Any, /) -> bytes:
        """Return `value` as JSON.

        Raises:
            TypeError: `value` holds what JSON has no form for.
        """
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()

    def decode(self, data: bytes, /) -> Any:
        """Return what the JSON says.

        Raises:
            ValueError: it is not JSON.
        """
        return json.loads(data)
