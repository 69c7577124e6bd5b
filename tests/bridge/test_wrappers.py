"""What wrappers look like from outside, in every form in which a function comes."""

import asyncio
import functools
import inspect
import sys
import types
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Coroutine, Generator, Iterator
from typing import Any, TypeVar, assert_type

import pytest

from asgikit import Bridge

T = TypeVar("T")

# deprecated in 3.14, where it asks inspect
asyncio_asks = asyncio.iscoroutinefunction if sys.version_info < (3, 14) else inspect.iscoroutinefunction


@pytest.fixture(name="bridge")
def make_bridge() -> Iterator[Bridge]:
    """Give a bridge, and close it before the guard looks for threads."""
    with Bridge() as bridge:
        yield bridge


# What is wrapped


def plain(self: int, func: str = "f", *args: int, loop: None = None, **kwargs: int) -> tuple[object, ...]:
    """Say what came."""
    return self, func, args, loop, kwargs


async def aplain(self: int, func: str = "f", *args: int, loop: None = None, **kwargs: int) -> tuple[object, ...]:
    """Say what came."""
    return self, func, args, loop, kwargs


class Calling:
    """A callable object."""

    def __init__(self) -> None:
        self.self = self.func = self.begin = "an attribute"

    def __call__(self, number: int) -> int:
        """Call it."""
        return number + 1

    def method(self, number: int) -> int:
        """Call the method."""
        return number + 1


class AsyncCalling(Calling):
    """A callable object that is async."""

    async def __call__(self, number: int) -> int:  # type: ignore[override] # two classes in one
        """Call it."""
        return number + 1

    async def method(self, number: int) -> int:  # type: ignore[override]
        """Call the method."""
        return number + 1


class Slotted:
    """A callable object without a dict."""

    __slots__ = ()

    def __call__(self, number: int) -> int:
        return number + 1


def identity(value: T) -> T:
    """Return it."""
    return value


async def aidentity(value: T) -> T:
    """Return it."""
    return value


def of_int(function: Callable[[int], T]) -> Callable[[int], T]:
    """Tell the type checkers what a lambda takes."""
    return function


SYNC: dict[str, tuple[Callable[..., Any], str]] = {
    "function": (plain, "plain"),
    "generic": (identity, "identity"),
    "lambda": (of_int(lambda number: number), "<lambda>"),
    "bound method": (Calling().method, "method"),
    "method of the class": (Calling.method, "method"),
    "callable object": (Calling(), "Calling"),
    "callable object without a dict": (Slotted(), "Slotted"),
    "partial": (functools.partial(plain, 1, loop=None), "plain"),
    "partial of a partial": (functools.partial(functools.partial(plain, 1), "g"), "plain"),
    "builtin": (divmod, "divmod"),
    "bound method of a builtin": (list[int]().append, "append"),
    "class": (Calling, "Calling"),
    "cached": (functools.lru_cache(identity), "identity"),
    "single dispatch": (functools.singledispatch(identity), "identity"),
}
ASYNC: dict[str, tuple[Callable[..., Awaitable[Any]], str]] = {
    "function": (aplain, "aplain"),
    "generic": (aidentity, "aidentity"),
    "lambda": (of_int(lambda number: aidentity(number + 1)), "<lambda>"),
    "bound method": (AsyncCalling().method, "method"),
    "method of the class": (AsyncCalling.method, "method"),
    "callable object": (AsyncCalling(), "AsyncCalling"),
    "partial": (functools.partial(aplain, 1, loop=None), "aplain"),
    "function that returns a future": (asyncio.ensure_future, "ensure_future"),
}


def signature(function: Callable[..., Any]) -> inspect.Signature | None:
    """Return the signature, or None where there is none to be had."""
    try:
        return inspect.signature(function)
    except ValueError:
        return None


def is_async(function: Callable[..., Any]) -> tuple[bool, bool]:
    """Ask both modules that frameworks ask."""
    return inspect.iscoroutinefunction(function), asyncio_asks(function)


@pytest.mark.parametrize("form", SYNC)
def test_sync_to_async_looks_like_the_function(bridge: Bridge, form: str) -> None:
    """J1, J3, J4: name, doc and signature; and it is a coroutine function."""
    function, name = SYNC[form]
    wrapper = bridge.sync_to_async(function)
    assert wrapper.__name__ == name
    assert wrapper.__doc__ == function.__doc__
    assert wrapper.__module__ == function.__module__ or form == "bound method of a builtin"
    assert signature(wrapper) == signature(function)
    assert is_async(wrapper) == (True, True)
    assert inspect.unwrap(wrapper) is inspect.unwrap(function)


@pytest.mark.parametrize("form", ASYNC)
def test_async_to_sync_looks_like_the_function(bridge: Bridge, form: str) -> None:
    """J1, J3, J4: name, doc and signature; and it is no coroutine function."""
    function, name = ASYNC[form]
    wrapper = bridge.async_to_sync(function)
    assert wrapper.__name__ == name
    assert wrapper.__doc__ == function.__doc__
    assert signature(wrapper) == signature(function)
    assert is_async(wrapper) == (False, False)
    assert inspect.unwrap(wrapper) is inspect.unwrap(function)


def test_marks_of_async_functions_do_not_cross(bridge: Bridge) -> None:
    """J4: what marks a plain function as async would be wrong for its sync side."""

    def marked() -> Awaitable[None]:
        return asyncio.sleep(0)

    vars(marked)["_is_coroutine"] = getattr(asyncio.coroutines, "_is_coroutine", True)
    if sys.version_info >= (3, 12):
        inspect.markcoroutinefunction(marked)
    assert is_async(marked) == (sys.version_info >= (3, 12), True)
    assert is_async(bridge.async_to_sync(marked)) == (False, False)
    with pytest.raises(TypeError, match="is async already"):
        bridge.sync_to_async(marked)


# Decorators, with and without arguments, on everything that a class body may hold


def decorators(bridge: Bridge) -> dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]]:
    """Return both directions, without and with arguments."""
    return {
        "bare": (bridge.sync_to_async, bridge.async_to_sync),
        "called": (bridge.sync_to_async(), bridge.async_to_sync()),
        "with arguments": (bridge.sync_to_async(thread_sensitive=False), bridge.async_to_sync(timeout=5.0)),
        "of options": (bridge.options(timeout=5.0).sync_to_async, bridge.options(timeout=5.0).async_to_sync),
    }


FORMS = ("bare", "called", "with arguments", "of options")


@pytest.mark.parametrize("form", FORMS)
def test_methods_bind_as_those_of_plain_functions_do(form: str) -> None:
    """J2, J3: through the object, the class, super(), in both orders with classmethod and staticmethod."""
    with Bridge() as bridge:
        to_async, to_sync = decorators(bridge)[form]

        class Undecorated:
            def of_object(self, number: int) -> tuple[object, int]:
                """Doc."""
                return self, number

            @classmethod
            def of_class(cls, number: int) -> tuple[object, int]:
                """Doc."""
                return cls, number

            @staticmethod
            def of_nobody(number: int) -> tuple[object, int]:
                """Doc."""
                return None, number

        class Async:
            @to_async
            def of_object(self, number: int) -> tuple[object, int]:
                """Doc."""
                return self, number

            @classmethod
            @to_async
            def of_class(cls, number: int) -> tuple[object, int]:
                """Doc."""
                return cls, number

            @to_async
            @classmethod
            def of_class_below(cls, number: int) -> tuple[object, int]:
                """Doc."""
                return cls, number

            @staticmethod
            @to_async
            def of_nobody(number: int) -> tuple[object, int]:
                """Doc."""
                return None, number

            @to_async
            @staticmethod
            def of_nobody_below(number: int) -> tuple[object, int]:
                """Doc."""
                return None, number

        class AsyncChild(Async):
            async def of_object(self, number: int) -> tuple[object, int]:
                found: tuple[object, int] = await super().of_object(number)
                return found

            @classmethod
            async def of_class(cls, number: int) -> tuple[object, int]:
                found: tuple[object, int] = await super().of_class(number)
                return found

        plain_object, asyncs, child = Undecorated(), Async(), AsyncChild()
        assert inspect.signature(asyncs.of_object) == inspect.signature(plain_object.of_object)
        assert inspect.signature(Async.of_object) == inspect.signature(Undecorated.of_object)
        for holder in (asyncs, Async, child, AsyncChild):
            for name, undecorated in (("of_class", "of_class"), ("of_nobody", "of_nobody")):
                for suffix in ("", "_below"):
                    wrapped = getattr(holder, name + suffix)
                    assert inspect.signature(wrapped) == inspect.signature(getattr(Undecorated, undecorated))
                    assert wrapped.__doc__ == "Doc." or holder in (child, AsyncChild)
                    assert is_async(wrapped) == (True, True)

        async def main() -> None:
            assert await asyncs.of_object(1) == (asyncs, 1)
            assert await Async.of_object(asyncs, number=2) == (asyncs, 2)
            assert await child.of_object(3) == (child, 3)
            assert await Async.of_class(4) == await Async.of_class_below(4) == (Async, 4)
            assert await asyncs.of_class(5) == await asyncs.of_class_below(5) == (Async, 5)
            assert await child.of_class(6) == await AsyncChild.of_class_below(6) == (AsyncChild, 6)
            assert await Async.of_nobody(7) == await asyncs.of_nobody_below(7) == (None, 7)

        asyncio.run(main())

        class Sync:
            @to_sync
            async def of_object(self, number: int) -> tuple[object, int]:
                """Doc."""
                return self, number

            @classmethod
            @to_sync
            async def of_class(cls, number: int) -> tuple[object, int]:
                """Doc."""
                return cls, number

            @to_sync
            @classmethod
            async def of_class_below(cls, number: int) -> tuple[object, int]:
                """Doc."""
                return cls, number

            @staticmethod
            @to_sync
            async def of_nobody(number: int) -> tuple[object, int]:
                """Doc."""
                return None, number

            @to_sync
            @staticmethod
            async def of_nobody_below(number: int) -> tuple[object, int]:
                """Doc."""
                return None, number

        class SyncChild(Sync):
            def of_object(self, number: int) -> tuple[object, int]:
                found: tuple[object, int] = super().of_object(number)
                return found

        syncs, sync_child = Sync(), SyncChild()
        assert inspect.signature(syncs.of_object) == inspect.signature(plain_object.of_object)
        assert syncs.of_object(1) == (syncs, 1)
        assert Sync.of_object(syncs, number=2) == (syncs, 2)
        assert sync_child.of_object(3) == (sync_child, 3)
        assert Sync.of_class(4) == Sync.of_class_below(4) == (Sync, 4)
        assert sync_child.of_class(5) == SyncChild.of_class_below(5) == (SyncChild, 5)
        assert Sync.of_nobody(6) == syncs.of_nobody_below(6) == (None, 6)
        for name in ("of_object", "of_class", "of_class_below", "of_nobody", "of_nobody_below"):
            assert is_async(getattr(syncs, name)) == (False, False)
            assert getattr(syncs, name).__doc__ == "Doc."


def test_abstract_methods_stay_abstract(bridge: Bridge) -> None:
    """J1: what functools.wraps guarantees."""

    class Base(ABC):
        @bridge.sync_to_async
        @abstractmethod
        def save(self) -> None: ...

        @bridge.async_to_sync
        @abstractmethod
        async def load(self) -> None: ...

    assert Base.__abstractmethods__ == {"save", "load"}


def test_overrides_in_a_subclass_may_change_sides(bridge: Bridge) -> None:
    """J2: a wrapper is a plain function, so functools.partialmethod and the like take it."""

    class Store:
        @bridge.async_to_sync
        async def get(self, key: str, default: int) -> tuple[str, int]:
            return key, default

        get_or_one = functools.partialmethod(get, default=1)

    assert Store().get_or_one("a") == ("a", 1)
    assert isinstance(Store.get, types.FunctionType)


# Calls


NAMES = {
    "func": "g",
    "loop": None,
    "executor": 2,
    "fn": 3,
    "context": 4,
    "timeout": 5,
    "thread_sensitive": 6,
    "args": 7,
}
CAME = (0, "g", (), None, {key: value for key, value in NAMES.items() if key not in {"func", "loop"}})


def test_any_keyword_passes_through(bridge: Bridge) -> None:
    """J6: also those that are parameters of the bridge or of wrappers, and `self`."""
    keywords: dict[str, Any] = {"self": 0, **NAMES}

    async def main() -> None:
        for thread_sensitive in (True, False):
            assert await bridge.sync_to_async(plain, thread_sensitive=thread_sensitive)(**keywords) == CAME
        assert await bridge.run_sync(plain, **keywords) == CAME

    asyncio.run(main())
    assert bridge.async_to_sync(aplain)(**keywords) == CAME
    assert bridge.run_async(aplain, **keywords) == CAME


def test_state_of_a_wrapper_and_attributes_of_what_it_wraps_do_not_meet(bridge: Bridge) -> None:
    """J6: attributes go along, and none of them is anything to the wrapper."""
    calling = Calling()
    wrapper = bridge.sync_to_async(calling)
    assert vars(wrapper)["func"] == vars(wrapper)["self"] == vars(wrapper)["begin"] == "an attribute"
    assert asyncio.run(wrapper(1)) == 2


def test_positional_arguments_keep_their_place(bridge: Bridge) -> None:
    async def main() -> None:
        assert await bridge.sync_to_async(plain)(1, "h", 2, 3) == (1, "h", (2, 3), None, {})
        assert await bridge.run_sync(divmod, 7, 2) == (3, 1)
        items: list[int] = []
        await bridge.run_sync(items.append, 1)
        assert items == [1]
        assert isinstance(await bridge.run_sync(Calling), Calling)

    asyncio.run(main())
    assert bridge.async_to_sync(aplain)(1, "h", 2, 3) == (1, "h", (2, 3), None, {})


def test_a_callable_that_returns_an_awaitable_is_accepted(bridge: Bridge) -> None:
    """J5: correct use is never warned; a future, an object with __await__, types.coroutine, a lambda."""

    class Awaiting:
        def __await__(self) -> Generator[None, None, int]:
            yield
            return 1

    @types.coroutine
    def old_style() -> Any:
        yield
        return 1

    async def one() -> int:
        return 1

    callables: list[Callable[[], Awaitable[int]]] = [
        lambda: asyncio.ensure_future(one()),
        lambda: asyncio.wait_for(one(), 5),
        Awaiting,
        old_style,
        functools.partial(one),
        functools.partial(of_int(lambda number: one()), 3),
    ]
    for function in callables:
        assert bridge.async_to_sync(function)() == 1
        assert bridge.run_async(function) == 1


def test_types_of_wrappers(bridge: Bridge) -> None:
    """J7: mypy and pyright judge this function; `assert_type` does nothing when it runs."""

    def length(text: str, /, *, times: int = 1) -> int:
        return len(text) * times

    async def alength(text: str, /, *, times: int = 1) -> int:
        return len(text) * times

    async def main() -> None:
        assert_type(await bridge.sync_to_async(length)("ab", times=2), int)
        assert_type(await bridge.sync_to_async(thread_sensitive=False)(length)("ab"), int)
        assert_type(await bridge.run_sync(length, "ab", times=2), int)
        coroutine: Coroutine[Any, Any, int] = bridge.sync_to_async(length)("ab")
        assert await coroutine == 2
        first, second = await asyncio.gather(bridge.run_sync(length, "a"), bridge.run_sync(str, 2))
        assert_type(first, int)
        assert_type(second, str)

    asyncio.run(main())
    assert_type(bridge.async_to_sync(alength)("ab", times=2), int)
    assert_type(bridge.async_to_sync(timeout=1.0)(alength)("ab"), int)
    assert_type(bridge.run_async(alength, "ab"), int)
