from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

_ASGI2: TypeAlias = Callable[[Any], Callable[[Any, Any], Awaitable[object]]]
_ASGI3: TypeAlias = Callable[[Any, Any, Any], Awaitable[object]]
_Single: TypeAlias = Callable[[Any, Any, Any], Awaitable[None]]

def is_double_callable(application: Callable[..., object]) -> bool: ...
def double_to_single_callable(application: _ASGI2) -> _Single: ...
def guarantee_single_callable(application: _ASGI2 | _ASGI3) -> _Single: ...
