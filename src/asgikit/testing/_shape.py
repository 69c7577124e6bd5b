"""What one scope or event must look like. Pure: values and the types of `asgikit.spec` in, sentences out.

The types are the rules: a key is required, optional or nullable as `asgikit.spec` says, at run time as under a type
checker. What types cannot say (lower-case names, one of two keys) stands in a few functions beside them.
"""

import types
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Any, Final, Literal, TypeGuard, Union, get_args, get_origin

from typing_extensions import get_type_hints, is_typeddict

from asgikit import spec

__all__ = ("received_faults", "scope_faults", "sent_faults")

Message = Mapping[str, Any]


def _by_type(union: object) -> Mapping[str, Any]:
    """Return the members of a union of messages by the value of their key `type`."""
    return {get_args(get_type_hints(member)["type"])[0]: member for member in get_args(union)}


_WIDTH: Final = 60  # of a value in a message

_SCOPES: Final[Mapping[str, Any]] = _by_type(spec.Scope)
_RECEIVED: Final[Mapping[str, Mapping[str, Any]]] = {
    "http": _by_type(spec.HTTPReceiveEvent),
    "websocket": _by_type(spec.AnyWebSocketReceiveEvent),
    "lifespan": _by_type(spec.LifespanReceiveEvent),
}
_SENT: Final[Mapping[str, Mapping[str, Any]]] = {
    "http": _by_type(spec.HTTPSendEvent),
    "websocket": _by_type(spec.AnyWebSocketSendEvent),
    "lifespan": _by_type(spec.LifespanSendEvent),
}


def scope_faults(scope: object) -> Iterator[str]:
    """Yield a sentence for each way in which a scope breaks the specification."""
    yield from _faults(scope, _SCOPES, "scope")
    if _is_message(scope) and scope.get("scheme") == "":
        yield "scope['scheme'] is empty; leave the key out instead"


def received_faults(scope: Message, event: object) -> Iterator[str]:
    """Yield a sentence for each way in which an event for the application breaks the specification."""
    yield from _faults(event, _RECEIVED[scope["type"]], "event")
    if _is_message(event):
        yield from _content_faults(event)


def sent_faults(scope: Message, event: object) -> Iterator[str]:
    """Yield a sentence for each way in which an event of the application breaks the specification."""
    yield from _faults(event, _SENT[scope["type"]], "event")
    if _is_message(event):
        yield from _content_faults(event)
        yield from _header_faults(event)
        yield from _extension_faults(scope, event)


def _is_message(value: object) -> TypeGuard[Message]:
    return isinstance(value, Mapping)


def _is_collection(value: object) -> TypeGuard[Collection[Any]]:
    """Say whether one may look at the items without using them up. Text and bytes are no collections of messages."""
    return isinstance(value, Collection) and not isinstance(value, str | bytes | Mapping)


def _faults(message: object, known: Mapping[str, Any], what: str) -> Iterator[str]:
    if not _is_message(message):
        yield f"the {what} is {_shown(message)}, which is no mapping"
    elif (kind := message.get("type", None)) in known:
        yield from _key_faults(message, known[str(kind)], what)
    else:
        yield f"{what}['type'] is {_shown(kind)}, not one of {', '.join(sorted(known))}"


def _key_faults(message: Message, words: Any, what: str) -> Iterator[str]:
    hints = get_type_hints(words)
    for key in sorted(words.__required_keys__ - message.keys()):
        yield f"{what}[{key!r}] is missing"
    for key in hints.keys() & message.keys():
        if not _fits(message[key], hints[key]):
            yield f"{what}[{key!r}] is {_shown(message[key])}, not {_named(hints[key])}"


def _shown(value: object) -> str:
    told = repr(value)
    return told if len(told) <= _WIDTH else f"{told[:_WIDTH]}..."


def _named(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not get_args(hint) else str(hint).replace("typing.", "")


def _fits(value: Any, hint: Any) -> bool:
    """Say whether a value is of a type, as deep as can be seen without using up an iterator."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in {Any, object}:
        return True
    if is_typeddict(hint):
        return _is_message(value) and not list(_key_faults(value, hint, ""))
    return _FITS.get(origin, _fits_class)(value, hint, arguments)


def _fits_class(value: Any, hint: Any, _: tuple[Any, ...]) -> bool:
    if hint is spec.HasFileno:
        return _has_descriptor(value)
    return isinstance(value, hint) and not (isinstance(value, bool) and hint is int)


def _has_descriptor(value: Any) -> bool:
    """A `BytesIO` has the method too, but no descriptor to tell."""
    try:
        return isinstance(value.fileno(), int)
    except (AttributeError, OSError):
        return False


def _fits_literal(value: Any, _: Any, arguments: tuple[Any, ...]) -> bool:
    return value in arguments


def _fits_union(value: Any, _: Any, arguments: tuple[Any, ...]) -> bool:
    return any(_fits(value, argument) for argument in arguments)


def _fits_pair(value: Any, _: Any, arguments: tuple[Any, ...]) -> bool:
    """The specification says "two-item iterable", so a list is as good as a tuple."""
    if not _is_collection(value) or len(value) != len(arguments):
        return False
    return all(_fits(item, argument) for item, argument in zip(value, arguments, strict=True))


def _fits_iterable(value: Any, _: Any, arguments: tuple[Any, ...]) -> bool:
    if not _is_collection(value):
        return isinstance(value, Iterable) and not isinstance(value, Collection)  # looking would use it up
    return all(_fits(item, arguments[0]) for item in value)


def _fits_mapping(value: Any, hint: Any, _: tuple[Any, ...]) -> bool:
    return isinstance(value, get_origin(hint)) and all(isinstance(key, str) for key in value)


_FITS: Final[Mapping[Any, Callable[[Any, Any, tuple[Any, ...]], bool]]] = {
    Literal: _fits_literal,
    Union: _fits_union,
    types.UnionType: _fits_union,
    tuple: _fits_pair,
    get_origin(Iterable[str]): _fits_iterable,
    get_origin(Mapping[str, str]): _fits_mapping,
    dict: _fits_mapping,
}


def _content_faults(event: Message) -> Iterator[str]:
    if event.get("type") in {"websocket.receive", "websocket.send"}:
        given = [key for key in ("bytes", "text") if event.get(key) is not None]
        if len(given) != 1:
            yield f"exactly one of event['bytes'] and event['text'] must be there and not None, not {len(given)}"


def _header_faults(event: Message) -> Iterator[str]:
    headers = event.get("headers", ())
    if not _is_collection(headers) or not _fits(headers, spec.HeadersLike):
        return  # told already, or an iterator
    for name, *values in headers:
        if len(values) != 1:
            yield f"the header {name!r} is no pair of name and value"
        elif name != name.lower():
            yield f"the header name {name!r} is not in lower case"
        elif name.startswith(b":"):
            yield f"{name!r} is a pseudo header, which only the server may send"
        elif name == b"sec-websocket-protocol" and event["type"] == "websocket.accept":
            yield "the header b'sec-websocket-protocol' belongs to event['subprotocol']"


_EXTENSIONS: Final[Mapping[str, str]] = {
    "http.response.push": "http.response.push",
    "http.response.zerocopysend": "http.response.zerocopysend",
    "http.response.pathsend": "http.response.pathsend",
    "http.response.early_hint": "http.response.early_hint",
    "http.response.trailers": "http.response.trailers",
    "http.response.debug": "http.response.debug",
    "websocket.http.response.start": "websocket.http.response",
    "websocket.http.response.body": "websocket.http.response",
}


def _extension_faults(scope: Message, event: Message) -> Iterator[str]:
    needed = "http.response.trailers" if event.get("trailers") else _EXTENSIONS.get(event.get("type", ""))
    if needed is not None and needed not in (scope.get("extensions") or {}):
        yield f"{event['type']} needs the extension {needed!r}, which scope['extensions'] does not name"
