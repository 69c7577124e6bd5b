"""Outcomes reach their loop, whatever interrupts those who bring them."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any, TypeVarTuple

import pytest

from asgikit.bridge._mailbox import Mailbox
from asgikit.executor import CurrentThreadExecutor

_Ts = TypeVarTuple("_Ts")

POLICY: Any = None


class Settled:
    """An outcome that notes what becomes of it."""

    def __init__(self) -> None:
        self.prompt: list[bool] = []

    def settle(self, *, prompt: bool) -> None:
        self.prompt.append(prompt)

    def lost(self) -> None:
        raise AssertionError("the loop is open")


class InterruptedLoop(asyncio.SelectorEventLoop):
    """Ctrl-C comes while it is being told something, before or after it has heard."""

    def __init__(self, *, hears: bool) -> None:
        super().__init__()
        self._hears = hears
        self._interrupts = True

    def call_soon_threadsafe(
        self, callback: Callable[[*_Ts], object], *args: *_Ts, context: Context | None = None
    ) -> asyncio.Handle:
        if not self._interrupts:
            return super().call_soon_threadsafe(callback, *args, context=context)
        self._interrupts = False
        if self._hears:
            super().call_soon_threadsafe(callback, *args, context=context)
        raise KeyboardInterrupt


@pytest.mark.parametrize("hears", [False, True])
def test_an_interrupted_announcement_is_made_all_the_same(hears: bool) -> None:
    """C1: Ctrl-C on the one thread costs the tasks that wait on the other loop nothing, nor those that wait later."""
    mailbox, loop = Mailbox(POLICY), InterruptedLoop(hears=hears)
    first, second = Settled(), Settled()
    with pytest.raises(KeyboardInterrupt):
        mailbox.put(first, loop)
    loop.run_until_complete(asyncio.sleep(0))
    assert first.prompt == [True]
    mailbox.put(second, loop)
    loop.run_until_complete(asyncio.sleep(0))
    assert second.prompt == [True]
    loop.close()


def test_the_collector_may_bring_an_outcome_to_a_thread_that_is_bringing_one() -> None:
    """What it ends refuses calls, and that is an outcome, too; the lock is held at that moment."""
    mailbox, loop = Mailbox(POLICY), asyncio.new_event_loop()
    outcome = Settled()
    with mailbox._lock:
        mailbox.put(outcome, loop)
    loop.run_until_complete(asyncio.sleep(0))
    assert outcome.prompt == [True]
    loop.close()


def test_the_collector_may_close_a_host_on_a_thread_that_posts_to_it() -> None:
    """Likewise."""
    host = CurrentThreadExecutor()
    with host._lock:
        host.close()
