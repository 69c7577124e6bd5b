"""One typed value that follows the context."""

from contextvars import ContextVar, Token
from typing import Any, Generic, TypeVar, final, overload

__all__ = ("LocalVar",)

_T = TypeVar("_T")
_D = TypeVar("_D")


@final
class LocalVar(Generic[_T]):
    """A value of type T that belongs to the running context, as a field of a `LocalNamespace` does, at the least cost.

    A thin `contextvars.ContextVar`, and like one to be made at module level: contexts keep every variable that was set
    in them, so one made per call stays in long-lived tasks. `Local` has no such limit.

    May be used on any thread. Source: PEP 567; the truth table in the documentation.
    """

    __slots__ = ("__weakref__", "_get", "_reset", "_set", "_var")

    @overload
    def __init__(self, name: str) -> None: ...
    @overload
    def __init__(self, name: str, *, default: _T) -> None: ...
    def __init__(self, name: str, **default: Any) -> None:
        """Make a variable; `name` shows in its repr and errors, `default` is what is seen where nothing was set."""
        self._var: ContextVar[_T] = ContextVar(name, **default)
        self._get = self._var.get
        self._set = self._var.set
        self._reset = self._var.reset

    @property
    def name(self) -> str:
        """The name given when the variable was made."""
        return self._var.name

    @overload
    def get(self) -> _T: ...
    @overload
    def get(self, default: _D, /) -> _T | _D: ...
    def get(self, *default: Any) -> Any:
        """Return the value visible here, else `default`, else the variable's own.

        Raises:
            LookupError: there is none of the three.
        """
        return self._get(*default)

    def set(self, value: _T, /) -> Token[_T]:
        """Set the value for the code that runs here; the token takes it back."""
        return self._set(value)

    def reset(self, token: Token[_T], /) -> None:
        """Go back to the value before the `set` that returned `token`.

        Raises:
            ValueError: the token is of another variable or context; a crossing carries values, not tokens.
            RuntimeError: the token was used before.
        """
        self._reset(token)

    def __repr__(self) -> str:
        value = self._var.get(...)
        return f"LocalVar({self.name!r})" if value is ... else f"LocalVar({self.name!r}: {value!r})"
