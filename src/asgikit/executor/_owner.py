"""Owning threads: begun anew in a forked child, and missed when their owner is forgotten."""

import sys
import warnings
from collections.abc import Callable
from typing import Generic, Protocol, TypeVar

from asgikit.executor._fork import ForkGuard

__all__ = ("Owned", "Owner")


class Owned(Protocol):
    """What threads share. It does not know its owner, so that a forgotten owner can be collected."""

    closed: bool
    fork: ForkGuard

    @property
    def what(self) -> str:
        """What messages call the owner."""
        ...

    def reset(self) -> None:
        """Start empty: at birth, and in a forked child, where none of the parent's threads exists."""

    def populated(self) -> bool:
        """Whether there are threads."""
        ...


_S = TypeVar("_S", bound=Owned)


class Owner(Generic[_S]):
    """Whoever made the threads and ends them. One that is forgotten while it has threads is a ResourceWarning."""

    def __init__(self, state: _S) -> None:
        self._state: _S = state

    def _stop(self) -> object:
        """Refuse new work, and have every thread end once it has run what is queued. Waits for none of them."""
        raise NotImplementedError

    def _here(self) -> _S:
        """Return the state, begun anew in a forked child."""
        state = self._state
        if state.fork.inherited:
            state.fork.renew(state.reset)
        return state

    def __del__(self, _finalizing: Callable[[], bool] = sys.is_finalizing) -> None:
        if _finalizing():  # bound early: this module's names may be gone by then
            return
        state: Owned | None = getattr(self, "_state", None)
        if state is None or state.closed or state.fork.inherited or not state.populated():
            return
        warnings.warn(f"{state.what} was never closed", ResourceWarning, source=self, stacklevel=2)
        self._stop()
