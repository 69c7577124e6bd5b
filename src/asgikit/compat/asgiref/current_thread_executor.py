"""`asgiref.current_thread_executor`: the native executor of a waiting thread, with asgiref's constructor."""

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any, ParamSpec, TypeVar

from asgikit import errors
from asgikit import executor as native

__all__ = ("CurrentThreadExecutor",)

_P = ParamSpec("_P")
_R = TypeVar("_R")


class _AlsoNative(type):
    """The hosts that the bridge makes are instances too."""

    def __instancecheck__(cls, instance: object) -> bool:
        return super().__instancecheck__(instance) or isinstance(instance, native.CurrentThreadExecutor)


class CurrentThreadExecutor(Executor, metaclass=_AlsoNative):
    """Runs submitted calls on the thread that made it, while that thread is in `run_until_future`.

    `old_executor` is the next outer one of the same thread: what is submitted here after its end goes there.
    """

    def __init__(self, old_executor: "CurrentThreadExecutor | None") -> None:
        self._old_executor = old_executor
        self._native = native.CurrentThreadExecutor()

    def run_until_future(self, future: "Future[Any]") -> None:
        """Run submitted work on the calling thread, which must be the owner, until `future` is done.

        Raises:
            RuntimeError: called on a thread other than the one that made this executor.
        """
        self._native.run_until_future(future)

    def submit(self, fn: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs) -> "Future[_R]":
        """Queue the call for the owning thread. May be called on any other thread.

        Raises:
            RuntimeError: called on the owning thread itself, or nobody will run it any more.
        """
        try:
            return self._native.submit(fn, *args, **kwargs)
        except errors.ClosedError:
            if self._old_executor is None:
                raise
        return self._old_executor.submit(fn, *args, **kwargs)
