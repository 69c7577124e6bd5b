"""The namespace with declared fields: a class to subclass, checked by type checkers."""

import dataclasses
import sys
from collections.abc import Callable, Hashable
from typing import Any, TypeGuard

from asgikit.errors import MutableDefaultError
from asgikit.local._base import Namespace

if sys.version_info >= (3, 14):
    from annotationlib import Format, get_annotations

__all__ = ("LocalNamespace",)


class LocalNamespace(Namespace):
    """A `Local` whose fields are declared: annotate them in a subclass, with or without a default.

    Example::

        class Request(LocalNamespace):
            user: str  # AttributeError until it is set
            retries: int = 0  # seen wherever nothing was set
            tags: list[str] = field(default_factory=list[str])  # dataclasses.field: made at the first read in a context

    A factory is called on the thread that reads. What it makes belongs to the context that reads: tasks started there
    later share it, siblings and parents make their own. `del` goes back to the default. Methods and properties work as
    usual. Everything else is as with `Local`.

    Raises:
        AttributeError: a field is read or deleted where no value and no default is visible.
        MutableDefaultError: a subclass gives a field a list, dict or set itself as default.
        LocalCopyError: it is copied or pickled.
    """

    __slots__ = ()

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Put the defaults into effect."""
        super().__init_subclass__(**kwargs)
        for name, value in list(vars(cls).items()):
            _declare(cls, name, value)
        if any(isinstance(value, property) for value in vars(cls).values()):
            _let_properties_write(cls)


class _MadeOnRead:
    """Stands in the class for a default factory. Found only where no value is visible."""

    __slots__ = ("_factory", "_name")

    def __init__(self, name: str, factory: Callable[[], object]) -> None:
        self._name = name
        self._factory = factory

    def __get__(self, instance: object, owner: type) -> object:
        if instance is None:
            return self
        value = self._factory()
        setattr(instance, self._name, value)
        return value


def _declare(cls: type[LocalNamespace], name: str, default: Any) -> None:
    if _is_spelled_out(default):
        _install(cls, name, default)
    elif not isinstance(default, Hashable) and _is_field(cls, name):
        raise MutableDefaultError(
            f"{cls.__name__}.{name}: all contexts would share this {type(default).__name__}; "
            f"declare it as dataclasses.field(default_factory=...)"
        )


def _is_spelled_out(default: object) -> "TypeGuard[dataclasses.Field[Any]]":
    return isinstance(default, dataclasses.Field)


def _install(cls: type[LocalNamespace], name: str, field: "dataclasses.Field[Any]") -> None:
    if field.default_factory is not dataclasses.MISSING:
        setattr(cls, name, _MadeOnRead(name, field.default_factory))
    elif field.default is not dataclasses.MISSING:
        setattr(cls, name, field.default)
    else:
        delattr(cls, name)


def _is_field(cls: type[LocalNamespace], name: str) -> bool:
    """Tell whether the class annotates `name`, other than as a class variable."""
    if sys.version_info >= (3, 14):
        annotations = get_annotations(cls, format=Format.FORWARDREF)
    else:
        annotations = vars(cls).get("__annotations__", {})
    return name in annotations and "ClassVar" not in str(annotations[name])


def _let_properties_write(cls: type[LocalNamespace]) -> None:
    """Give a class with properties the slower methods that ask them. Methods of its author's stay."""
    for name, method in (("__setattr__", _set_or_ask), ("__delattr__", _delete_or_ask)):
        if getattr(cls, name) is getattr(Namespace, name):
            setattr(cls, name, method)


def _set_or_ask(self: LocalNamespace, name: str, value: object) -> None:
    write = object if isinstance(getattr(type(self), name, None), property) else Namespace
    write.__setattr__(self, name, value)


def _delete_or_ask(self: LocalNamespace, name: str) -> None:
    delete = object if isinstance(getattr(type(self), name, None), property) else Namespace
    delete.__delattr__(self, name)
