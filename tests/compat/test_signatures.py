"""Every public name of asgiref 3.13, compared with the installed one: present, of the same kind, same signature."""

import importlib
import inspect
from collections.abc import Iterator
from types import ModuleType
from typing import Any

import asgiref
import pytest

import asgikit.compat.asgiref

MODULES = (
    *("compatibility", "current_thread_executor", "local", "server", "sync", "testing", "timeout", "typing"),
    "wsgi",
)


def real(module: str) -> ModuleType:
    return importlib.import_module(f"asgiref.{module}")


def ours(module: str) -> ModuleType:
    return importlib.import_module(f"asgikit.compat.asgiref.{module}")


def public_names(module: str) -> list[str]:
    """What the module defines itself, and what it declares in `__all__`."""
    found = real(module)
    declared: tuple[str, ...] = getattr(found, "__all__", ())
    defined = (name for name, value in vars(found).items() if getattr(value, "__module__", None) == found.__name__)
    return sorted({*declared, *(name for name in defined if not name.startswith("_"))} | EXTRA.get(module, set()))


EXTRA = {"sync": {"iscoroutinefunction"}, "server": {"logger"}}
"""Public names that are made elsewhere."""


def shape(value: Any) -> object:
    """The parameters: names, kinds and defaults. Annotations differ on purpose: ours say more."""
    try:
        parameters = inspect.signature(value).parameters.values()
    except (TypeError, ValueError):
        return None
    return [(parameter.name, parameter.kind, parameter.default) for parameter in parameters]


def test_version_and_modules() -> None:
    assert asgikit.compat.asgiref.__version__ == asgiref.__version__ == "3.13.0"
    assert len(MODULES) == 9


@pytest.mark.parametrize(("module", "name"), [(module, name) for module in MODULES for name in public_names(module)])
def test_public_name(module: str, name: str) -> None:
    """J3, J7: same name, same parameters; for a class also those of every public method, and every attribute."""
    theirs, mine = getattr(real(module), name), getattr(ours(module), name)
    if module == "typing":
        assert_same_keys(name, theirs, mine)
        return
    assert inspect.isclass(mine) == inspect.isclass(theirs)
    if isinstance(theirs, type):
        assert shape(mine) == shape(theirs)
        for attribute, value in members(theirs):
            assert_same_member(f"{name}.{attribute}", value, inspect.getattr_static(mine, attribute), theirs, mine)
    elif inspect.isfunction(theirs) and theirs.__module__.startswith("asgiref"):
        assert shape(mine) == shape(theirs)
        assert inspect.iscoroutinefunction(mine) == inspect.iscoroutinefunction(theirs)


def members(cls: type) -> Iterator[tuple[str, Any]]:
    own = {"__call__", "__enter__", "__exit__", "__aenter__", "__aexit__", "__get__"}
    for attribute, value in vars(cls).items():
        if attribute in own or not attribute.startswith("_"):
            yield attribute, value


def assert_same_member(name: str, value: Any, other: Any, theirs: type, mine: type) -> None:
    attribute = name.rpartition(".")[2]
    if isinstance(value, property):
        assert isinstance(other, property), name
    elif inspect.isfunction(value):
        assert shape(other) == shape(value), name
        assert inspect.iscoroutinefunction(other) == inspect.iscoroutinefunction(value), name
    else:
        assert hasattr(mine, attribute), name
        assert callable(getattr(mine, attribute)) == callable(getattr(theirs, attribute)), name


def assert_same_keys(name: str, theirs: Any, mine: Any) -> None:
    """P2: an event or scope has at least asgiref's keys; fewer of them are required."""
    keys: set[str] | None = getattr(theirs, "__required_keys__", None)
    if keys is None:
        return
    assert keys | theirs.__optional_keys__ <= mine.__required_keys__ | mine.__optional_keys__, name
    assert mine.__required_keys__ <= keys | theirs.__optional_keys__, name


@pytest.mark.parametrize("module", MODULES)
def test_all_is_stated(module: str) -> None:
    assert set(public_names(module)) - {"logger"} <= set(ours(module).__all__)
