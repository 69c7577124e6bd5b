"""A coroutine that talks with the synchronous code that began it: the ground of iterators and context managers.

It is one `async_to_sync` call that goes on while its caller does other things in between: the coroutine runs
in one task and one context from beginning to end, and the calling thread hosts whenever it listens.
"""

import threading
from asyncio import AbstractEventLoop, Future, _get_running_loop, get_running_loop
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import replace
from threading import get_ident
from typing import Any, final

from asgikit.bridge import _chain
from asgikit.bridge._async_call import AsyncCall
from asgikit.bridge._options import Options
from asgikit.bridge._parts import Parts
from asgikit.bridge._routing import loop_scope
from asgikit.bridge._steps import users_part
from asgikit.errors import LoopUnavailableError, RunningLoopError, ScopeError
from asgikit.executor import name_of

__all__ = ("Script", "Talk")


@final
class Script:
    """What the coroutine does; observers and reports see the name of what the talk is about."""

    def __init__(self, run: "Callable[[Talk], Awaitable[None]]", subject: object) -> None:
        self._run = run
        self.__module__, _, self.__qualname__ = name_of(subject).rpartition(".")

    def __call__(self, talk: "Talk") -> Awaitable[None]:
        return self._run(talk)


@final
class Talk:
    """Both ends of the conversation. What is said waits until it is taken, in order; a word at a time is told back.

    Args:
        parts, options: of the bridge, which chooses the loop as for any `async_to_sync`.
        subject: what the talk is about, of which the name is told.
        script: the coroutine function, which is given the talk.

    Raises:
        LoopUnavailableError: the loop would run on the calling thread, which could not go on meanwhile.
        RunningLoopError: the calling thread runs an event loop.
    """

    __slots__ = ("_call", "_ear", "_listening", "_lock", "_loop", "_low", "_parts", "_said", "_thread_id", "_told")

    def __init__(
        self, parts: Parts, options: Options, subject: object, script: "Callable[[Talk], Awaitable[None]]"
    ) -> None:
        _check_runner(parts, options)
        self._said: deque[Any] = deque()
        self._told: deque[Any] = deque()
        self._lock = threading.Lock()
        self._ear: Future[None] | None = None
        self._low = 0
        self._listening = False
        self._loop: AbstractEventLoop | None = None
        self._parts = parts
        self._thread_id = get_ident()
        options = replace(options, timeout=None)  # it is for calls: this lasts as long as its caller likes
        try:
            self._call: AsyncCall = parts.to_loops.begin(Script(script, subject), options, (self,), {}, goes_on=True)
        except RunningLoopError:
            if _get_running_loop() is None:
                raise
            raise _for_sync_code(subject) from None
        try:
            parts.to_loops.pause(self._call)
        except BaseException:  # Ctrl-C, at its first step: else this thread would count as hosting for ever
            self._call.forsake()
            parts.to_loops.pause(self._call)
            raise

    # In the coroutine

    def say(self, word: Any) -> int:
        """Let the caller have `word`, and return how many words it has not taken yet."""
        self._said.append(word)
        if self._listening:
            self._call.host.wake()
        return len(self._said)

    async def hear(self) -> Any:
        """Wait for what the caller tells."""
        while not self._told:
            ear = self._open_ear()
            if not self._told:
                await ear
        return self._told.popleft()

    async def drained(self, low: int) -> None:
        """Wait until at most `low` words are left to be taken."""
        ear = self._open_ear()
        with self._lock:  # with `_heard`: one of the two sees what the other did
            self._low = low
            if len(self._said) <= low:
                return
        await ear

    def _open_ear(self) -> "Future[None]":
        self._loop = loop = get_running_loop()
        ear: Future[None] = loop.create_future()
        with self._lock:
            self._ear = ear
        return ear

    # On the calling thread

    def listen(self) -> bool:
        """Host until something was said; False when the coroutine has ended without a further word.

        Raises:
            ScopeError: this is not the thread that began the talk, or a forked child.
        """
        if not self.here:
            message = "what a process iterates or has entered through a bridge, its forked child cannot go on with"
            raise ScopeError(message)
        if self._thread_id != get_ident():
            message = "what a thread iterates or has entered through a bridge, no other thread can go on with"
            raise ScopeError(message)
        if not self._said and not self._call.done:
            self._heard()
            try:
                self._parts.to_loops.resume(self._call)
                self._listening = True
                self._call.host_until(lambda: self._said)
            finally:
                self._listening = False
                try:
                    self._parts.to_loops.pause(self._call)
                except BaseException:  # as above
                    self._parts.to_loops.pause(self._call)
                    raise
        return bool(self._said)

    def take(self) -> Any:
        """Return the oldest word that was said; there is one."""
        word = self._said.popleft()
        if self._ear is not None and len(self._said) <= self._low:
            self._heard()
        return word

    def tell(self, word: Any) -> None:
        """Let the coroutine hear `word`."""
        self._told.append(word)
        self._heard()

    def _heard(self) -> None:
        """Wake the coroutine, if it waits."""
        if not self.here:
            return
        with self._lock:
            ear = self._ear
        if ear is not None and self._loop is not None:
            try:
                self._loop.call_soon_threadsafe(_release, ear)
            except RuntimeError:
                """The loop is closed: nobody hears."""
        with self._lock:  # not before it is woken: Ctrl-C may come in between, and the next word wake it again
            if self._ear is ear:
                self._ear = None

    def insist(self) -> None:
        """The coroutine comes to its end: whoever listens until then is not refused to, if nobody waits for him."""
        self._call.insists = True

    @property
    def name(self) -> str:
        """What the talk is about."""
        return self._call.name

    @property
    def here(self) -> bool:
        """Whether the coroutine belongs to this process, and not to the parent of a forked child."""
        return self._call.link.here

    @property
    def over(self) -> bool:
        """Whether the coroutine has ended."""
        return self._call.ended

    def end(self, *, early: bool = False) -> BaseException | None:
        """Host until the coroutine has ended, and return what it raised. `early`: cancel it first.

        Where this thread cannot host (another one began the talk, or it runs an event loop by now: the talk is
        being collected as garbage), the coroutine is cancelled and left to end on its loop. That of the parent of
        a forked child is left alone.
        """
        call = self._call
        if not self.here:
            return None
        if self._thread_id != get_ident() or (not call.done and _get_running_loop() not in {None, call.hidden_loop}):
            call.forsake()
            return None
        self.insist()
        self._parts.to_loops.resume(call)
        try:
            if early:
                call.cancel()
            call.wait()
        finally:
            try:
                self._parts.to_loops.end(call)
            except BaseException:  # as above
                self._parts.to_loops.end(call)
                raise
        failure = call.take()[1]
        return None if failure is None else users_part(failure)


def _check_runner(parts: Parts, options: Options) -> None:
    """Refuse a loop that would run on the calling thread: that thread has to go on."""
    runner = parts.resources.loop_runner
    if not getattr(runner, "runs_on_calling_thread", False) or options.loop is not None:
        return
    caller = _chain.here.thread.call
    if (caller is None or options.force_new_loop) and loop_scope(_chain.current.get()) is None:
        message = (
            f"{type(runner).__name__} runs the loop on the calling thread, which has to go on between two"
            " items, or inside the block: enclose this in bridge.loop_scope(), which has a thread for its loop"
        )
        raise LoopUnavailableError(message)


def _for_sync_code(subject: object) -> RunningLoopError:
    """Return an error that speaks of iterating and entering: nobody called `async_to_sync`, nor could await this."""
    return RunningLoopError(
        f"{name_of(subject)} is async already, and this thread runs an event loop, which would stand still: use it"
        " with `async for` or `async with`, or call the synchronous function that leads here through sync_to_async"
    )


def _release(ear: "Future[None]") -> None:
    if not ear.done():
        ear.set_result(None)
