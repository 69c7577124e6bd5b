"""Methods, classmethods and staticmethods: self is bound, access on class and instance, overriding."""

from typing import assert_type

from asgikit import Bridge

bridge = Bridge()
number: int = 1
text: str = "a"


class Store:
    """A class of which every method crosses."""

    @bridge.sync_to_async
    def get(self, key: str, default: int = 0) -> int:
        return len(key) + default

    @bridge.sync_to_async(thread_sensitive=False)
    def put(self, key: str, *, value: int) -> None:
        print(key, value)

    @bridge.async_to_sync
    async def fetch(self, key: str) -> bytes:
        return key.encode()

    @bridge.async_to_sync(timeout=1.0)
    async def drop(self, *keys: str) -> int:
        return len(keys)

    @classmethod
    @bridge.sync_to_async
    def open(cls, path: str) -> "Store":
        return cls()

    @classmethod
    @bridge.async_to_sync
    async def connect(cls, path: str) -> "Store":
        return cls()

    @staticmethod
    @bridge.sync_to_async
    def count(path: str) -> int:
        return len(path)

    @staticmethod
    @bridge.async_to_sync
    async def acount(path: str) -> int:
        return len(path)

    def plain(self, key: str) -> int:
        return len(key)

    async def aplain(self, key: str) -> bytes:
        return key.encode()


store = Store()


# case: a decorated method on the instance
async def on_instance() -> None:
    assert_type(await store.get(text), int)
    assert_type(await store.get(text, number), int)
    assert_type(await store.get(key=text, default=number), int)


# case: a wrong argument of a decorated method
async def wrong_on_instance() -> None:
    await store.get(number)  # E


# case: self is not asked for again
async def self_not_asked() -> None:
    await store.get(store, text)  # E


# case: a decorated method on the class
async def on_class() -> None:
    assert_type(await Store.get(store, text), int)


# case: a decorated method on the class without self
async def on_class_without_self() -> None:
    await Store.get(text)  # E


# case: a method decorated with options
async def with_options() -> None:
    assert_type(await store.put(text, value=number), None)
    await store.put(text, number)  # E


# case: a coroutine method made synchronous
def sync_on_instance() -> None:
    assert_type(store.fetch(text), bytes)
    store.fetch(number)  # E


# case: a coroutine method made synchronous, on the class
def sync_on_class() -> None:
    assert_type(Store.fetch(store, text), bytes)


# case: a coroutine method decorated with options
def sync_with_options() -> None:
    assert_type(store.drop(text, text), int)
    store.drop(number)  # E


# case: a classmethod over the wrapper, on the class
async def classmethod_on_class() -> None:
    assert_type(await Store.open(text), Store)
    await Store.open(number)  # E


# case: a classmethod over the wrapper, on the instance
async def classmethod_on_instance() -> None:
    assert_type(await store.open(text), Store)


# case: a classmethod over the other wrapper
def aclassmethod_on_class() -> None:
    assert_type(Store.connect(text), Store)
    Store.connect(number)  # E


# case: a staticmethod over the wrapper
async def staticmethod_on_both() -> None:
    assert_type(await Store.count(text), int)
    assert_type(await store.count(text), int)
    await store.count(number)  # E


# case: a staticmethod over the other wrapper
def astaticmethod_on_both() -> None:
    assert_type(Store.acount(text), int)
    assert_type(store.acount(text), int)
    store.acount(number)  # E


# case: a bound method
async def bound() -> None:
    assert_type(await bridge.sync_to_async(store.plain)(text), int)
    await bridge.sync_to_async(store.plain)(number)  # E


# case: an unbound method
async def unbound() -> None:
    assert_type(await bridge.sync_to_async(Store.plain)(store, text), int)
    await bridge.sync_to_async(Store.plain)(text)  # E


# case: a bound coroutine method
def abound() -> None:
    assert_type(bridge.async_to_sync(store.aplain)(text), bytes)
    bridge.async_to_sync(store.aplain)(number)  # E


# case: an unbound coroutine method
def aunbound() -> None:
    assert_type(bridge.async_to_sync(Store.aplain)(store, text), bytes)


# case: overriding a decorated method with a decorated one
class Child(Store):
    @bridge.sync_to_async
    def get(self, key: str, default: int = 0) -> int:
        return default


async def overridden() -> None:
    assert_type(await Child().get(text), int)


# case: overriding a decorated method with a coroutine function
class AsyncChild(Store):
    async def get(self, key: str, default: int = 0) -> int:
        return default


# case: overriding with other parameters is an error
class BadChild(Store):
    @bridge.sync_to_async
    def get(self, key: int) -> int:  # E[override]
        return key


# case: overriding with a synchronous method is an error
class SyncChild(Store):
    def get(self, key: str, default: int = 0) -> int:  # E
        return default


# case: a decorated method called through super
class Polite(Store):
    @bridge.sync_to_async
    def close(self) -> None:
        print("bye")

    async def shut(self) -> int:
        assert_type(await super().get(text), int)
        return await self.get(text)


# case: a method that returns self
class Builder:
    from typing import Self

    @bridge.sync_to_async
    def add(self, part: str) -> "Builder":
        return self


async def chained() -> None:
    assert_type(await (await Builder().add(text)).add(text), Builder)


# case: a wrapper as an attribute of the instance
class Holder:
    def __init__(self) -> None:
        self.run = bridge.sync_to_async(store.plain)


async def attribute() -> None:
    assert_type(await Holder().run(text), int)
    await Holder().run(number)  # E


# case: a wrapper of a method assigned in the class body
class Assigned:
    def get(self, key: str) -> int:
        return len(key)

    aget = bridge.sync_to_async(get)


async def assigned() -> None:
    assert_type(await Assigned().aget(text), int)
    await Assigned().aget(number)  # E


# case: a coroutine method assigned in the class body
class AssignedSync:
    async def aget(self, key: str) -> int:
        return len(key)

    get = bridge.async_to_sync(aget)


def assigned_sync() -> None:
    assert_type(AssignedSync().get(text), int)
    AssignedSync().get(number)  # E


# case: a property that gives a wrapper
class Lazy:
    @property
    def run(self) -> "Runner":
        return bridge.sync_to_async(store.plain)


from collections.abc import Awaitable, Callable  # noqa: E402

Runner = Callable[[str], Awaitable[int]]


async def through_property() -> None:
    assert_type(await Lazy().run(text), int)


# case: a decorated method satisfies a protocol
from typing import Protocol  # noqa: E402


class HasGet(Protocol):
    def get(self, key: str, default: int = 0) -> Awaitable[int]: ...


def takes_store(value: HasGet) -> None:
    print(value)


takes_store(Store())

# case: a decorated method satisfies a protocol of coroutine functions


class HasAsyncGet(Protocol):
    async def get(self, key: str, default: int = 0) -> int: ...


def takes_async_store(value: HasAsyncGet) -> None:
    print(value)


takes_async_store(Store())

# case: a decorated method does not satisfy a synchronous protocol


class HasSyncGet(Protocol):
    def get(self, key: str, default: int = 0) -> int: ...


def takes_sync_store(value: HasSyncGet) -> None:
    print(value)


takes_sync_store(Store())  # E

# case: a method made synchronous satisfies a synchronous protocol


class HasFetch(Protocol):
    def fetch(self, key: str) -> bytes: ...


def takes_fetch(value: HasFetch) -> None:
    print(value)


takes_fetch(Store())
