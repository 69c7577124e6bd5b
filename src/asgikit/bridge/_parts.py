"""What all views of one bridge share: its resources, and the two that send calls over them."""

from typing import final

from asgikit.bridge._resources import Resources
from asgikit.bridge._to_loops import ToLoops
from asgikit.bridge._to_threads import ToThreads

__all__ = ("Parts",)


@final
class Parts:
    """The parts of one bridge. They know the resources, which know none of them: nothing here is a cycle."""

    __slots__ = ("resources", "to_loops", "to_threads")

    def __init__(self, resources: Resources) -> None:
        self.resources: Resources = resources
        self.to_threads: ToThreads = ToThreads(resources)
        self.to_loops: ToLoops = ToLoops(resources)
