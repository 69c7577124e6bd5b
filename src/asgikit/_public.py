"""One thing: what a room exports reports the room as its module. Below every room; knows none of them."""

import sys
from types import FunctionType

__all__ = ("publish",)


def publish(room: str) -> None:
    """Let the classes and functions that `room` exports from private files report `room` as their `__module__`.

    The files are those in the folder of `room` or, if `room` is itself a file, those beside it.

    Called by `room` as its last line, with `__name__`. Help, error messages, documentation and
    pickles then name what users import, and a private file can be renamed. What comes from another room keeps
    that room's name.
    """
    exports = vars(sys.modules[room])
    beside = room.rpartition(".")[0]
    for name in exports["__all__"]:
        exported = exports[name]
        if isinstance(exported, type | FunctionType):
            folder, _, file = exported.__module__.rpartition(".")
            if file.startswith("_") and folder in {room, beside}:
                exported.__module__ = room
