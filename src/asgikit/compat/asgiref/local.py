"""`asgiref.local`: `Local(thread_critical)`, one class for what are two in `asgikit.local` (invariant H7)."""

from asyncio import _get_running_loop as get_running_loop
from collections.abc import Callable
from threading import get_ident
from typing import TYPE_CHECKING, Any, Final, final

from asgikit import bridge
from asgikit import local as native
from asgikit.local import ThreadCriticalLocal as _ThreadCriticalLocal

__all__ = ("Local",)

_OWNER: Final = "_data"
"""The one name that asgiref keeps for itself: here it says to which thread's synchronous code the values belong."""

_NOWHERE: Final = object()


class _DefaultLocal:
    """A native `Local` whose values do not follow a context that was carried to another thread by hand.

    asgiref's suite pins that; the native class shows them there (invariant H1). Crossings and tasks carry them.
    """

    __slots__ = ("__weakref__", "_inner")

    def __init__(self, thread_critical: bool = False) -> None:
        _set_inner(self, native.Local())

    def __getattribute__(self, key: str) -> Any:
        if key[:2] == "__" and key[-2:] == "__":
            return object.__getattribute__(self, key)
        inner = _inner(self)
        value = getattr(inner, key)
        owner = getattr(inner, _OWNER)
        if owner is None or owner == get_ident() or not _in_plain_code():
            return value
        raise AttributeError(f"'Local' object has no attribute {key!r}", name=key, obj=self)

    def __setattr__(self, key: str, value: Any) -> None:
        if key == _OWNER:
            raise AttributeError(f"{key!r} is the one name that a Local keeps for itself; use another")
        inner = _inner(self)
        owner = getattr(inner, _OWNER, _NOWHERE)
        here = get_ident() if _in_plain_code() else None
        if owner is _NOWHERE or (here is not None and owner != here):
            if owner is not None:
                native.clear(inner)
            setattr(inner, _OWNER, here)
        setattr(inner, key, value)

    def __delattr__(self, key: str) -> None:
        getattr(self, key)  # raises what is due if nothing is visible
        delattr(_inner(self), key)


def _in_plain_code() -> bool:
    """Whether the running code is neither a task or callback of a loop nor called through a bridge."""
    return bridge.calling_loop() is None and get_running_loop() is None


_slot: Final = vars(_DefaultLocal)["_inner"]
delattr(_DefaultLocal, "_inner")
_inner: Final[Callable[[_DefaultLocal], native.Local]] = _slot.__get__
_set_inner: Final[Callable[[_DefaultLocal, native.Local], None]] = _slot.__set__


class _EitherKind(type):
    """Instances of both kinds are instances of `Local`."""

    def __instancecheck__(cls, instance: object) -> bool:
        return type(instance) in (_DefaultLocal, _ThreadCriticalLocal)


@final
class Local(metaclass=_EitherKind):
    """A namespace like `threading.local` for threads and tasks.

    Its values follow the context through `sync_to_async` and `async_to_sync`; with `thread_critical` they never
    leave their thread. May be used on any thread. Raises AttributeError where no value is visible.
    """

    def __new__(cls, thread_critical: bool = False) -> Any:
        """Make one of the two kinds. Raises TypeError for a subclass."""
        if cls is not Local:
            raise TypeError("Local cannot be subclassed: keep one as an attribute, or use asgikit.local.LocalNamespace")
        return _ThreadCriticalLocal() if thread_critical else _DefaultLocal()

    if TYPE_CHECKING:

        def __init__(self, thread_critical: bool = False) -> None: ...
        def __getattr__(self, key: str) -> Any: ...
        def __setattr__(self, key: str, value: Any) -> None: ...
        def __delattr__(self, key: str) -> None: ...
