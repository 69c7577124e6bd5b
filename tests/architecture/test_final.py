"""Every public class is final unless it is meant to be subclassed: a subclass would depend on what may change."""

import typing
from enum import Enum
from typing import TypeGuard

import pytest
import typing_extensions

from tests.architecture.walk import PUBLIC_MODULES, exports

# What is subclassed, and by whom.
BASES = {
    "ApplicationCommunicator",  # by libraries that know a protocol, as Channels does with asgiref's
    "BridgeView",  # by Bridge, which is final
    "LocalNamespace",  # by users, who declare their fields so
    "RedisServer",  # by users, for their own startup and cleanup
    "StatelessServer",  # by users: an ABC
}


def _is_class(value: object) -> TypeGuard[type[object]]:
    return isinstance(value, type)


def _is_open(value: object) -> bool:
    """Say whether a subclass of the class `value` would be accepted; protocols and messages are types, not classes."""
    if not _is_class(value) or issubclass(value, BaseException | Enum):  # an Enum with members is closed
        return False
    shape_only = getattr(value, "_is_protocol", False) or typing_extensions.is_typeddict(value)
    return not shape_only and not getattr(value, "__final__", False)


@pytest.mark.parametrize("module", [name for name in PUBLIC_MODULES if not name.startswith("asgikit.compat")])
def test_public_classes_are_final(module: str) -> None:
    """The drop-in is left out: its classes are subclassed downstream, as asgiref's are."""
    assert {name for name, value in exports(module).items() if _is_open(value)} <= BASES


def test_the_test_sees_an_open_class() -> None:
    @typing.final
    class Closed: ...

    class Open: ...

    assert (_is_open(Open), _is_open(Closed), _is_open(ValueError)) == (True, False, False)
