"""Publishing to a group from synchronous code.

Saving an article is synchronous code, as in most projects; the readers who wait for news are async. The signal
handler that runs while the article is saved tells them, on the loop that they wait on.
"""

import asyncio
import threading
from collections import defaultdict

from asgikit import Bridge

bridge = Bridge()


class Groups:
    """An async channel layer in small: queues belong to the loop that they are awaited on."""

    def __init__(self) -> None:
        self.members: defaultdict[str, set[asyncio.Queue[str]]] = defaultdict(set)

    def join(self, group: str) -> asyncio.Queue[str]:
        queue: asyncio.Queue[str] = asyncio.Queue()
        self.members[group].add(queue)
        return queue

    async def publish(self, group: str, event: str) -> int:
        for queue in self.members[group]:
            await queue.put(event)
        return len(self.members[group])


groups = Groups()


def article_saved(title: str) -> int:
    """The signal handler: plain synchronous code, anywhere below a view."""
    return bridge.async_to_sync(groups.publish)("readers", f"new: {title}")


def save_article(title: str) -> tuple[int, str]:
    reached = article_saved(title)
    return reached, threading.current_thread().name


async def main() -> None:
    async with bridge:
        readers = [groups.join("readers") for _ in range(3)]
        reached, thread = await bridge.sync_to_async(save_article)("Bridges")
        assert reached == 3
        assert thread == "asgikit-sensitive-1"  # not the thread of the loop, which was never blocked
        assert [await reader.get() for reader in readers] == ["new: Bridges"] * 3


if __name__ == "__main__":
    asyncio.run(main())
    print("three readers heard of the article")
