import asyncio
import threading
from contextvars import ContextVar

import pytest

from asgikit.errors import StepTimeoutError
from asgikit.protocols import Clock
from asgikit.testing import ManualClock


def test_time_moves_only_by_hand() -> None:
    clock: Clock = (manual := ManualClock(start=10.0))
    assert clock.now() == 10.0
    manual.advance(2.5)
    assert clock.now() == 12.5
    with pytest.raises(ValueError, match="never goes back"):
        manual.advance(-1)


def test_due_timers_fire_on_their_loop_the_earliest_first() -> None:
    clock = ManualClock()
    fired: list[tuple[str, int]] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()

        def note(name: str) -> None:
            assert asyncio.get_running_loop() is loop
            fired.append((name, threading.get_ident()))

        clock.call_later(loop, 2.0, lambda: note("late"))
        clock.call_later(loop, 1.0, lambda: note("early"))
        clock.call_later(loop, 9.0, lambda: note("never"))
        assert await asyncio.to_thread(clock.advance, 2.0) == 2
        await asyncio.sleep(0)
        assert clock.pending() == 1

    asyncio.run(main())
    assert fired == [("early", threading.get_ident()), ("late", threading.get_ident())]


def test_a_cancelled_timer_stays_silent_even_when_it_is_under_way() -> None:
    clock = ManualClock()
    fired: list[str] = []

    async def main() -> None:
        loop = asyncio.get_running_loop()
        clock.call_later(loop, 1.0, lambda: fired.append("first")).cancel()
        assert clock.pending() == 0
        second = clock.call_later(loop, 1.0, lambda: fired.append("second"))
        assert clock.advance(1.0) == 1
        second.cancel()
        second.cancel()
        await asyncio.sleep(0)

    asyncio.run(main())
    assert fired == []


def test_a_timer_keeps_the_context_that_set_it() -> None:
    clock = ManualClock()
    user = ContextVar("user", default="nobody")
    seen: list[str] = []

    async def main() -> None:
        user.set("anna")
        clock.call_later(asyncio.get_running_loop(), 1.0, lambda: seen.append(user.get()))
        user.set("bert")
        clock.advance(1.0)
        await asyncio.sleep(0)

    asyncio.run(main())
    assert seen == ["anna"]


def test_a_closed_loop_drops_its_timers() -> None:
    clock = ManualClock()
    loop = asyncio.new_event_loop()
    clock.call_later(loop, 1.0, lambda: None)
    loop.close()
    assert clock.advance(1.0) == 0


def test_waiting_for_timers_ends_when_they_are_set_or_says_how_many_are() -> None:
    clock = ManualClock()

    async def main() -> None:
        waiter = asyncio.create_task(asyncio.to_thread(clock.wait_for_timers))
        await asyncio.sleep(0)
        clock.call_later(asyncio.get_running_loop(), 1.0, lambda: None)
        await waiter

    asyncio.run(main())
    with pytest.raises(StepTimeoutError, match=r"1 timers were set within 0\.01 s, the test waits for 2"):
        clock.wait_for_timers(2, timeout=0.01)
