"""No mutable state at module or class level: whatever changes belongs to an object that somebody made.

The drop-in keeps a default bridge, as asgiref does, and is left out.
"""

import collections
import contextvars
import enum
import inspect
import itertools
import logging
import queue
import re
import threading
import types
import typing
import weakref
from collections.abc import Iterator
from typing import Any, TypeGuard

import pytest

from tests.architecture.walk import MODULES, load

MUTABLE: tuple[type, ...] = (
    bytearray,
    collections.Counter,
    collections.OrderedDict,
    collections.defaultdict,
    collections.deque,
    contextvars.ContextVar,
    dict,
    itertools.count,
    list,
    logging.Handler,
    queue.Queue,
    queue.SimpleQueue,
    set,
    threading.Condition,
    threading.Event,
    threading.Semaphore,
    threading.Thread,
    threading.local,
    type(threading.Lock()),
    type(threading.RLock()),
    types.GeneratorType,
    weakref.WeakKeyDictionary,
    weakref.WeakSet,
    weakref.WeakValueDictionary,
)

HARMLESS: tuple[type[Any], ...] = (
    *(types.ModuleType, types.FunctionType, types.BuiltinFunctionType, type, enum.Enum, logging.Logger),
    *(str, bytes, int, float, complex, bool, type(None), type(...), frozenset, range, re.Pattern),
    types.MappingProxyType,
    *(types.WrapperDescriptorType, types.MethodWrapperType, types.MemberDescriptorType),
)

# The frames above the running code are a fact of the program, so one file holds them; beside it stands the hook for the
# end of the process, which knows bridges weakly. The context variables of namespaces hold nothing themselves:
# what is set in them belongs to contexts, and dies with those.
THE_ONE_PIECE = ("asgikit.bridge._chain", "asgikit.bridge._exit", "asgikit.local._values")


def is_read_only(annotation: object) -> bool:
    """Say whether the annotation promises that nobody changes the value: `Final[Mapping[...]]` and the like."""
    words = str(annotation)
    return "Final" in words and bool(re.search(r"\b(Mapping|Sequence|Set|AbstractSet)\b", words))


def is_harmless(value: object) -> bool:
    """Say whether `value` cannot change."""
    if isinstance(value, tuple):
        return all(map(is_harmless, typing.cast("tuple[object, ...]", value)))
    if type(value).__module__ in {
        *("typing", "typing_extensions", "types", "collections.abc", "operator", "_operator", "_struct"),
        "_pytest.fixtures",
    }:
        return True
    params = getattr(type(value), "__dataclass_params__", None)
    if params is not None and params.frozen:
        return True
    return type(value) is object or isinstance(value, HARMLESS)


def state_of(module: types.ModuleType) -> Iterator[str]:
    """Yield what may change at module level in `module`."""
    annotations = inspect.get_annotations(module)
    allowed = [id(value) for home in THE_ONE_PIECE for value in vars(load(home)).values()]
    for name, value in vars(module).items():
        if name.startswith("__") or is_harmless(value) or is_read_only(annotations.get(name)) or id(value) in allowed:
            continue
        yield f"{module.__name__}.{name} is a {type(value).__name__}"


def state_of_classes(module: types.ModuleType) -> Iterator[str]:
    """Yield what may change in the classes that `module` defines."""
    for name, value in vars(module).items():
        if not is_class(value) or issubclass(value, enum.Enum) or not defined_in(value, module):
            continue
        for attribute, held in vars(value).items():
            made_by_python = attribute.startswith(("__", "_abc_", "_is_protocol", "_is_runtime"))
            if not made_by_python and isinstance(held, MUTABLE):
                yield f"{module.__name__}.{name}.{attribute} is a {type(held).__name__}, shared by all instances"


def is_class(value: object) -> TypeGuard[type[object]]:
    """Say whether `value` is a class."""
    return isinstance(value, type)


def defined_in(value: type, module: types.ModuleType) -> bool:
    """Say whether the class stands in `module` or, after publishing, in the room around it."""
    return value.__module__ == module.__name__ or module.__name__.startswith(f"{value.__module__}._")


@pytest.mark.parametrize("module", [name for name in MODULES if not name.startswith("asgikit.compat")])
def test_no_mutable_state_at_module_or_class_level(module: str) -> None:
    if module not in THE_ONE_PIECE:
        loaded = load(module)
        assert [*state_of(loaded), *state_of_classes(loaded)] == []


def test_the_check_sees_state() -> None:
    """The check can fail: it finds what it is for, and passes what is fine."""
    source = """
from dataclasses import dataclass
from typing import Final
from collections.abc import Mapping
import threading
registry = {}
cached: list[int] = []
lock = threading.Lock()
pairs = ((1, []),)
FINE: Final[Mapping[str, int]] = {"one": 1}
ALSO_FINE = ("a", 1, frozenset({2}))
@dataclass(frozen=True)
class Frozen:
    x: int = 1
DEFAULT = Frozen()
class Holder:
    __slots__ = ("a",)
    waiting = []
    limit = 3
holder = Holder()
"""
    module = types.ModuleType("sample")
    exec(source, vars(module))
    found = [*state_of(module), *state_of_classes(module)]
    assert [line.split(" is ")[0] for line in found] == [
        "sample.registry",
        "sample.cached",
        "sample.lock",
        "sample.pairs",
        "sample.holder",
        "sample.Holder.waiting",
    ]
