"""A namespace of values that belong to the running code, as a framework asks for one."""

from typing import Any, Protocol

__all__ = ("LocalLike",)


class LocalLike(Protocol):
    """Attributes whose values depend on the context or the thread that asks.

    Implementations: `asgikit.local.Local`, `asgikit.local.ThreadCriticalLocal`.
    Every method may be called on any thread, and speaks of the values of that thread's running code only.
    """

    def __getattr__(self, name: str, /) -> Any:
        """Return the value visible here.

        Raises:
            AttributeError: there is none.
        """
        ...

    def __setattr__(self, name: str, value: Any, /) -> None:
        """Set the value for the code that runs here, and for nobody else."""

    def __delattr__(self, name: str, /) -> None:
        """Remove the value visible here.

        Raises:
            AttributeError: there is none.
        """
