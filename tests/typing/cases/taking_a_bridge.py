"""Libraries that take a bridge: by the class, or by a protocol of one direction."""

from typing import assert_type

from given import aone, one, two

from asgikit import Bridge
from asgikit.bridge import BridgeView
from asgikit.protocols import InstanceStore, LocalLike, ServerLike, SupportsAsyncToSync, SupportsSyncToAsync

bridge = Bridge()
number: int = 1
text: str = "a"


class Repository:
    """A library's class that crosses one way."""

    def __init__(self, *, bridge: SupportsSyncToAsync) -> None:
        self._bridge = bridge
        self.load = bridge.sync_to_async(one)

    async def save(self, words: str) -> bytes:
        return await self._bridge.run_sync(two, number, b=words)


class Publisher:
    """A library's class that crosses the other way."""

    def __init__(self, *, bridge: SupportsAsyncToSync) -> None:
        self.publish = bridge.async_to_sync(aone)


# case: a bridge fits both protocols
Repository(bridge=bridge)
Publisher(bridge=bridge)


# case: a view fits both protocols
def views(view: BridgeView) -> None:
    Repository(bridge=view)
    Publisher(bridge=view)
    Repository(bridge=bridge.options(thread_sensitive=False))


# case: parameters are seen through the protocols
async def used() -> None:
    assert_type(await Repository(bridge=bridge).load(number), str)
    assert_type(await Repository(bridge=bridge).save(text), bytes)
    assert_type(Publisher(bridge=bridge).publish(number), str)


# case: wrong arguments are seen through the protocols
async def used_wrong() -> None:
    await Repository(bridge=bridge).load(text)  # E
    Publisher(bridge=bridge).publish(text)  # E


# case: a synchronous function through the protocol of the other direction
def wrong_direction(given: SupportsAsyncToSync) -> None:
    given.async_to_sync(one)  # E


# case: a protocol has only its direction
def only_one(given: SupportsSyncToAsync) -> None:
    given.async_to_sync(aone)  # E


# case: a string is no bridge
Repository(bridge="default")  # E
Publisher(bridge=None)  # E


# case: executor needs thread_sensitive through the protocol too
def executor_alone(given: SupportsSyncToAsync) -> None:
    given.sync_to_async(one, executor=object())  # E


# case: the other protocols are there
def others(local: LocalLike, server: ServerLike, store: InstanceStore[str, int]) -> None:
    print(local, server, store)
