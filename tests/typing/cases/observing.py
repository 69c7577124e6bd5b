"""Observers: an object of the right shape is told of every crossing."""

from typing import assert_type

from asgikit import Bridge
from asgikit.protocols import Crossing, Observer

bridge = Bridge()


# case: a stack of the caller
def stack() -> None:
    assert_type(bridge.caller_stack(), str)


# case: observing in a block
def in_a_block(observer: Observer) -> None:
    with bridge.observe(observer):
        bridge.cancelled()


# case: what follows an observed block is reachable
def after(observer: Observer) -> int:
    with bridge.observe(observer):
        return 1


# case: an observer of a bridge
def of_a_bridge(observer: Observer) -> Bridge:
    return Bridge(observer=observer)


# case: a function is no observer
Bridge(observer=print)  # E

# case: an object is no observer
with bridge.observe(object()):  # E
    pass


# case: what is told of a crossing
def told(crossing: Crossing) -> None:
    assert_type(crossing.name, str)
    assert_type(crossing.thread, str | None)
    assert_type(crossing.queue_time, float | None)
    assert_type(crossing.parent, Crossing | None)
    assert_type(crossing.error, BaseException | None)


# case: the times of a crossing may not be there yet
def told_too_early(crossing: Crossing) -> float:
    return crossing.finished_at - crossing.queued_at  # E


# case: an observer of one's own
class Printing:
    def queued(self, crossing: Crossing, /) -> None:
        print(crossing.name)

    def started(self, crossing: Crossing, /) -> None: ...
    def finished(self, crossing: Crossing, /) -> None: ...
    def abandoned(self, crossing: Crossing, /) -> None: ...
    def stalled(self, crossing: Crossing, report: str, /) -> None: ...


Bridge(observer=Printing())


# case: an observer that lacks a method
class Deaf:
    def queued(self, crossing: Crossing, /) -> None: ...


Bridge(observer=Deaf())  # E


# case: an observer with a wrong parameter
class Mistaken(Printing):
    def queued(self, crossing: str, /) -> None:  # E?: nor is it what it overrides
        print(crossing)


Bridge(observer=Mistaken())  # E
