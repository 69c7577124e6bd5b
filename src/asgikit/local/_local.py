"""The namespace with any attributes, which follows the context."""

from typing import TYPE_CHECKING, Any, final

from asgikit.local._base import Namespace

__all__ = ("Local",)


@final
class Local(Namespace):
    """A namespace whose values belong to the running context: `threading.local` for threads and tasks.

    What a task sets is seen by the code that it awaits, by tasks and callbacks that it starts from then on, by what it
    sends through `asyncio.to_thread` or a bridge, and, through a bridge, by the caller afterwards. It is never seen by
    siblings, parents or new threads. Every attribute name is free for users; `snapshot` and `clear` are functions.

    May be used on any thread; reading takes no lock. The values die with the namespace or with the last context that
    holds them. Source: PEP 567; the truth table in the documentation.

    Raises:
        AttributeError: an attribute is read or deleted where no value is visible.
        LocalCopyError: it is copied or pickled.
        TypeError: it is subclassed.
    """

    __slots__ = ()

    if TYPE_CHECKING:

        def __getattr__(self, name: str, /) -> Any: ...
        def __setattr__(self, name: str, value: Any, /) -> None: ...
        def __delattr__(self, name: str, /) -> None: ...

    def __init_subclass__(cls) -> None:
        """Refuse: fields, defaults and methods need a LocalNamespace."""
        raise TypeError("Local cannot be subclassed: subclass asgikit.local.LocalNamespace, which has typed fields")
