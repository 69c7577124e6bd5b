from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

_P = ParamSpec("_P")
_R = TypeVar("_R")

class CurrentThreadExecutor(Executor):
    def __init__(self, old_executor: CurrentThreadExecutor | None) -> None: ...
    def run_until_future(self, future: Future[Any]) -> None: ...
    def submit(self, fn: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_R]: ...
