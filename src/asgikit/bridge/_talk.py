"""A coroutine that talks with the synchronous code that began it: the ground of iterators and context managers.

It is one `async_to_sync` call that goes on while its caller does other things in between: the coroutine runs
in one task and one context from beginning to end, and the calling thread hosts whenever it listens.
"""

from asyncio import AbstractEventLoop, Future, get_running_loop
from collections import deque
from collections.abc import Awaitable, Callable
from threading import get_ident
from typing import Any, final

from asgikit.bridge._async_call import AsyncCall
from asgikit.bridge._options import Options
from asgikit.bridge._parts import Parts

__all__ = ("Talk",)


@final
class Talk:
    """Both ends of the conversation. What is said waits in `said`, a word at a time is told back."""

    __slots__ = ("_call", "_ear", "_listening", "_loop", "_parts", "_thread_id", "_told", "said")

    def __init__(self, parts: Parts, options: Options, script: "Callable[[Talk], Awaitable[None]]") -> None:
        self.said: deque[Any] = deque()
        self._told: deque[Any] = deque()
        self._ear: Future[None] | None = None
        self._listening = False
        self._loop: AbstractEventLoop | None = None
        self._parts = parts
        self._thread_id = get_ident()
        self._call: AsyncCall = parts.to_loops.begin(script, options, (self,), {})
        parts.to_loops.pause(self._call)

    # In the coroutine

    def say(self, word: Any) -> None:
        """Let the caller have `word`."""
        self.said.append(word)
        if self._listening:
            self._call.host.wake()

    async def hear(self) -> Any:
        """Wait for what the caller tells."""
        self._loop = loop = get_running_loop()
        while not self._told:
            self._ear = loop.create_future()
            if not self._told:
                await self._ear
        return self._told.popleft()

    def _listen_up(self) -> None:
        if self._ear is not None and not self._ear.done():
            self._ear.set_result(None)

    # On the calling thread

    def listen(self) -> bool:
        """Host until something was said; False when the coroutine has ended without a further word."""
        if not self.said and not self._call.done:
            self._parts.to_loops.resume(self._call)
            self._listening = True
            try:
                self._call.host_until(lambda: self.said)
            finally:
                self._listening = False
                self._parts.to_loops.pause(self._call)
        return bool(self.said)

    def tell(self, word: Any) -> None:
        """Let the coroutine hear `word`."""
        self._told.append(word)
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._listen_up)

    def cancel(self) -> None:
        """Cancel the coroutine."""
        self._call.cancel()

    def end(self) -> BaseException | None:
        """Host until the coroutine has ended, and return what it raised."""
        call = self._call
        if self._thread_id != get_ident():  # collected as garbage by another thread, which cannot host here
            call.cancel()
            return None
        self._parts.to_loops.resume(call)
        try:
            call.wait()
        finally:
            self._parts.to_loops.end(call)
        return call.take()[1]
