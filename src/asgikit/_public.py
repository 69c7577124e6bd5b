"""One thing: what a room exports reports the room as its module. Below every room; knows none of them."""

import sys
from types import FunctionType

__all__ = ("publish",)


def publish(room: str) -> None:
    """Let the classes and functions that `room` exports from its private files report `room` as their `__module__`.

    Called by the `__init__` of a room as its last line, with `__name__`. Help, error messages, documentation and
    pickles then name what users import, and a private file can be renamed. What comes from another room keeps
    that room's name.
    """
    exports = vars(sys.modules[room])
    for name in exports["__all__"]:
        exported = exports[name]
        if isinstance(exported, type | FunctionType) and exported.__module__.startswith(f"{room}._"):
            exported.__module__ = room
