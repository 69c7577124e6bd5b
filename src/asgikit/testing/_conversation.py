"""In which order events may come. Pure: a table of states per protocol, and one object that walks through them.

A word of a table is an event's direction (`<` received, `>` sent) and type; a `+` behind it says that more of the
same will follow (`more_body`, `more_trailers`), a `~` that trailers will.
"""

from collections.abc import Mapping
from typing import Any, Final

__all__ = ("Conversation",)

Table = Mapping[str, Mapping[str, str]]
"""State, word, next state. A word that a state does not have may not come there."""

_REQUEST: Final[Table] = {
    "request expected": {
        "<http.request+": "request expected",
        "<http.request": "request complete",
        "<http.disconnect": "disconnected",
    },
    "request complete": {"<http.disconnect": "disconnected"},
    "disconnected": {"<http.disconnect": "disconnected"},
}


def _bodies(state: str, end: str) -> Mapping[str, str]:
    """Return the words of a response under way: in `state` until a body without `more_body`, then in `end`."""
    more = {f">http.response.{name}+": state for name in ("body", "zerocopysend")}
    beside = {f">http.response.{name}": state for name in ("push", "early_hint")}
    last = {f">http.response.{name}": end for name in ("body", "zerocopysend", "pathsend")}
    return {**more, **last, **beside}


_RESPONSE: Final[Table] = {
    "response expected": {
        ">http.response.debug": "response expected",
        ">http.response.start": "response started",
        ">http.response.start~": "response with trailers started",
    },
    "response started": _bodies("response started", "response complete"),
    "response with trailers started": _bodies("response with trailers started", "trailers expected"),
    "trailers expected": {
        ">http.response.trailers+": "trailers expected",
        ">http.response.trailers": "response complete",
    },
    "response complete": {},
}

_WEBSOCKET: Final[Table] = {
    "connection expected": {
        "<websocket.connect": "connecting",
        "<websocket.disconnect": "disconnected",
    },
    "connecting": {
        ">websocket.accept": "open",
        ">websocket.close": "closed",
        ">websocket.http.response.start": "refusing",
        "<websocket.disconnect": "disconnected",
    },
    "refusing": {
        ">websocket.http.response.body+": "refusing",
        ">websocket.http.response.body": "closed",
        "<websocket.disconnect": "disconnected",
    },
    "open": {
        ">websocket.send": "open",
        ">websocket.close": "closed",
        "<websocket.receive": "open",
        "<websocket.disconnect": "disconnected",
    },
    "closed": {"<websocket.disconnect": "disconnected", "<websocket.receive": "closed"},
    "disconnected": {"<websocket.disconnect": "disconnected"},
}

_LIFESPAN: Final[Table] = {
    "startup expected": {"<lifespan.startup": "starting"},
    "starting": {">lifespan.startup.complete": "running", ">lifespan.startup.failed": "ended"},
    "running": {"<lifespan.shutdown": "stopping"},
    "stopping": {">lifespan.shutdown.complete": "ended", ">lifespan.shutdown.failed": "ended"},
    "ended": {},
}

_TABLES: Final[Mapping[str, tuple[Table, ...]]] = {
    "http": (_REQUEST, _RESPONSE),
    "websocket": (_WEBSOCKET,),
    "lifespan": (_LIFESPAN,),
}

_UNFINISHED: Final = frozenset(
    {
        "response expected",
        "response started",
        "response with trailers started",
        "trailers expected",
        "connecting",
        "refusing",
        "starting",
        "stopping",
    }
)


def _word(direction: str, event: Mapping[str, Any]) -> str:
    more = event.get("more_body") or event.get("more_trailers")
    return f"{direction}{event['type']}{'+' if more else '~' if event.get('trailers') else ''}"


class Conversation:
    """The events of one scope so far. Not locked: it belongs to one event-loop thread."""

    def __init__(self, protocol: str) -> None:
        """Begin at the first state of each table of the protocol (`http`, `websocket` or `lifespan`)."""
        self._tables = _TABLES[protocol]
        self._states = [next(iter(table)) for table in self._tables]

    def received(self, event: Mapping[str, Any]) -> str | None:
        """Take note of an event for the application; return what is wrong about it now, or None."""
        return self._step(_word("<", event))

    def sent(self, event: Mapping[str, Any]) -> str | None:
        """Take note of an event of the application; return what is wrong about it now, or None."""
        return self._step(_word(">", event))

    def unfinished(self) -> str | None:
        """Return what an application that returns now has left undone, or None."""
        if "disconnected" in self._states:
            return None
        states = [state for state in self._states if state in _UNFINISHED]
        return f"the application returned in the state {states[0]!r}" if states else None

    def _step(self, word: str) -> str | None:
        for index, table in enumerate(self._tables):
            if any(word in words for words in table.values()):
                state = self._states[index]
                if word not in table[state]:
                    return f"{word[1:].rstrip('+~')} may not come in the state {state!r}"
                self._states[index] = table[state][word]
        return None
