"""What the namespaces that follow the context have in common: attribute access, and how they present themselves.

Attribute access is the fast path of this room, so the look-up stands here in full instead of in `_values`. The class
has no attribute of its own that users could meet: its one slot is reached through a descriptor taken off the class.
"""

from collections.abc import Callable
from reprlib import recursive_repr
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

from asgikit.errors import LocalCopyError
from asgikit.local._values import Key, moved_to_front, replace, visible

__all__ = ("Namespace", "detached", "key_of", "no_attribute", "refuse_copy", "representation")

_plain_read: Final = object.__getattribute__


def detached(cls: type, slot: str) -> MemberDescriptorType:
    """Take the descriptor of `slot` off the class, so that its name is free for users; the slot itself stays."""
    descriptor: MemberDescriptorType = vars(cls)[slot]
    delattr(cls, slot)
    return descriptor


def no_attribute(owner: object, name: str) -> AttributeError:
    """Return the error that the language raises for an ordinary object."""
    return AttributeError(f"{type(owner).__name__!r} object has no attribute {name!r}", name=name, obj=owner)


def refuse_copy(owner: object) -> NoReturn:
    """Tell `copy` and `pickle` that there is nothing to take along.

    Raises:
        LocalCopyError: always.
    """
    name = type(owner).__name__
    raise LocalCopyError(
        f"{name} objects cannot be copied or pickled: their values belong to the running context or thread, not to the "
        f"object. Send asgikit.local.snapshot(...), a dict of the values visible here, and set them on the other side."
    )


def representation(owner: object, values: dict[str, Any]) -> str:
    """Return the class name with `values` as keyword arguments."""
    return f"{type(owner).__name__}({', '.join(f'{name}={value!r}' for name, value in values.items())})"


class Namespace:
    """Attributes that follow the context: a base for `Local` and `LocalNamespace`, which users see."""

    __slots__ = ("__weakref__", "_key")

    def __new__(cls) -> Self:
        """Make an empty namespace, on any thread. Takes no arguments: values belong to contexts."""
        self = super().__new__(cls)
        _set_key(self, Key(self))
        return self

    if not TYPE_CHECKING:  # subclasses say whether any name may be read or only the declared ones

        def __getattribute__(self, name: str) -> Any:
            key = key_of(self)
            front, values, others = key.var.get()
            try:
                if front is key:
                    return values[name]
                return others[key][name]
            except KeyError:
                pass
            return _plain_read(self, name)

        def __setattr__(self, name: str, value: Any) -> None:
            key = key_of(self)
            front, values, others = key.var.get()
            if front is not key:
                values, others = moved_to_front(key)
            values = values.copy()
            values[name] = value
            key.var.set((key, values, others))

        def __delattr__(self, name: str) -> None:
            key = key_of(self)
            values = visible(key)
            if name not in values:
                raise no_attribute(self, name)
            replace(key, {other: value for other, value in values.items() if other != name})

    def __dir__(self) -> list[str]:
        return sorted({*dir(type(self)), *visible(key_of(self))})

    @recursive_repr()
    def __repr__(self) -> str:
        return representation(self, visible(key_of(self)))

    def __reduce_ex__(self, protocol: object) -> NoReturn:
        refuse_copy(self)


_slot: Final = detached(Namespace, "_key")
key_of: Final[Callable[[Namespace], Key]] = _slot.__get__
_set_key: Final[Callable[[Namespace, Key], None]] = _slot.__set__
