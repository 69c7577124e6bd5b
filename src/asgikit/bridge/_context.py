"""Context variables across a crossing: what the callee changed, and nothing else, is written back.

Contexts are compared by identity of values: `==` between contexts would call `__eq__` of users' values, and
would miss a value replaced by an equal one. A context is a handle on an immutable mapping, so whether
anything was set at all is one identity check of the two mappings, whatever their size (invariant G4).
CPython shows the mapping only to its garbage collector; where that fails, every variable is compared.
Without a GIL the collector stops every thread before it looks, so few variables are compared there instead.
"""

import asyncio
import gc
import sys
from collections.abc import Callable, Iterator
from contextvars import Context, ContextVar, Token, copy_context
from functools import partial
from typing import Any, Final, final

from asgikit.bridge._chain import current

__all__ = ("Exchange", "changed", "own_context", "run_in", "write_back")

_MISSING: Final = object()


def _mapping_is_visible() -> bool:
    """Whether the collector shows the mapping of a context, and nothing else, on this interpreter."""
    probe: ContextVar[object] = ContextVar("asgikit.bridge.probe")
    before, after = Context(), Context()
    before.run(probe.set, None)
    after = before.copy()
    shown = [gc.get_referents(before, after)]
    after.run(probe.set, object())
    shown.append(gc.get_referents(before, after))
    if [len(pair) for pair in shown] != [2, 2]:
        return False
    return shown[0][0] is shown[0][1] and shown[1][0] is not shown[1][1]


_VISIBLE: Final = _mapping_is_visible()
_CHEAPER_TO_COMPARE: Final = 0 if getattr(sys, "_is_gil_enabled", lambda: True)() else 32


def changed(before: Context, after: Context) -> bool:
    """Whether `after`, which began as a copy of `before`, may have been changed. Neither may be entered."""
    if not _VISIBLE or len(after) < _CHEAPER_TO_COMPARE:
        return True
    one, other = gc.get_referents(before, after)
    return one is not other


def _changes(before: Context, after: Context) -> Iterator[ContextVar[Any]]:
    for variable, value in after.items():
        if before.get(variable, _MISSING) is not value and variable is not current:
            yield variable


def _value(variable: ContextVar[Any], before: Context, after: Context) -> Any:
    """Return what `variable` shall be set to; namespaces share variables, and are merged name by name."""
    from asgikit.local import written_back  # noqa: PLC0415 - importing asgikit shall not cost what few programs ask for

    return written_back(variable, before, after)


def write_back(before: Context, after: Context) -> None:
    """Set, in the running context, the variables whose values differ by identity between the two."""
    for variable in _changes(before, after):
        variable.set(_value(variable, before, after))


def run_in(context: Context, function: Callable[[Context, Context], None], before: Context, after: Context) -> None:
    """Call `function(before, after)` in `context`, which may be the one that is running already."""
    try:
        context.run(function, before, after)
    except RuntimeError:  # entered: by the running task, whose own context was given
        function(before, after)


@final
class Exchange:
    """The context variables of a block and of the manager around it, which runs in a context of its own.

    Used in the block's context. A variable that the manager had set and then unset, where the block's side never
    had it, is unset there too, with the token of its setting.
    """

    __slots__ = ("_seen", "_shared", "_tokens")

    def __init__(self, *, shared: bool) -> None:
        self._shared = shared
        self._seen = Context()
        self._tokens: dict[ContextVar[Any], Token[Any]] = {}

    def begin(self) -> None:
        """The manager's context begins as a copy of this one."""
        self._seen = copy_context()
        self._tokens = {}

    def take(self, after: Context) -> None:
        """Let the block see what the manager changed: `after` is a copy of its context by now."""
        if not self._shared:
            return
        for variable in _changes(self._seen, after):
            token = variable.set(_value(variable, self._seen, after))
            if variable not in self._seen:
                self._tokens[variable] = token
        for variable, token in self._tokens.items():
            if variable not in after:
                _reset(variable, token)
        self._seen = copy_context()

    def give(self) -> Callable[[], None]:
        """Return what lets the manager see what the block changed, to be called in its context."""
        before, after = self._seen, copy_context()
        self._seen = after
        return partial(write_back, before, after) if self._shared else lambda: None


def _reset(variable: ContextVar[Any], token: "Token[Any]") -> None:
    try:
        variable.reset(token)
    except (ValueError, RuntimeError):
        """The block was left in another context than it was entered in, or this was done."""


def own_context() -> Context:
    """Return the running task's context itself, not a copy: the `shared` policy runs functions in it.

    Raises:
        RuntimeError: the interpreter does not show it (before 3.12 only CPython's tasks do, to the collector).
    """
    task = asyncio.current_task()
    get_context: Callable[[], Context] | None = getattr(task, "get_context", None)
    if get_context is not None:
        return get_context()
    for referent in gc.get_referents(task):
        if isinstance(referent, Context):
            return referent
    message = f"the context of {task!r} cannot be found: the policy 'shared' needs Python 3.12 or CPython's own tasks"
    raise RuntimeError(message)
