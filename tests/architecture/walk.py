"""What there is in asgikit: its modules, and what they export."""

import importlib
import pkgutil
from collections.abc import Iterator
from types import FunctionType, ModuleType
from typing import TypeGuard

import asgikit


def names() -> Iterator[str]:
    """Yield the name of every module of asgikit, private ones too, without importing anything but packages."""
    for found in pkgutil.walk_packages(asgikit.__path__, "asgikit."):
        if not found.name.endswith(".__main__"):
            yield found.name


def is_public(module: str) -> bool:
    """Say whether users may import `module`."""
    return not any(part.startswith("_") for part in module.split("."))


MODULES = ("asgikit", *names())
PUBLIC_MODULES = tuple(filter(is_public, MODULES))


def load(module: str) -> ModuleType:
    """Import one of the modules."""
    return importlib.import_module(module)


def exports(module: str) -> dict[str, object]:
    """Return what `__all__` of `module` names."""
    loaded = load(module)
    return {name: getattr(loaded, name) for name in loaded.__all__}


def has_home(exported: object) -> TypeGuard[type | FunctionType]:
    """Say whether `exported` is a class or function, which knows where it comes from; constants and aliases do not."""
    return isinstance(exported, type | FunctionType)


def documented(module: str) -> Iterator[tuple[str, str]]:
    """Yield name and docstring of everything under `module` that users see: classes, their members, functions."""
    for name, exported in exports(module).items():
        if not has_home(exported):
            continue
        yield f"{module}.{name}", exported.__doc__ or ""
        if isinstance(exported, type):
            for member, value in vars(exported).items():
                doc = getattr(value, "__doc__", None)
                if isinstance(doc, str) and not (member.startswith("_") and not member.startswith("__")):
                    yield f"{module}.{name}.{member}", doc
