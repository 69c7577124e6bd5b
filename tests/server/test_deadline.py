"""The moving deadline: one timer, looked at when it fires."""

import asyncio

from asgikit.server._deadline import MovingDeadline
from asgikit.testing import ManualClock
from tests.server.support import advance


def test_a_moment_that_moves_on_is_met_once_and_by_one_timer() -> None:
    """N7."""

    async def main() -> None:
        clock = ManualClock()
        moments: list[float] = []
        reached: list[float] = []

        def meet() -> None:
            reached.append(clock.now())
            moments.pop(0)

        deadline = MovingDeadline(
            clock=clock, loop=asyncio.get_running_loop(), due=lambda: moments[0] if moments else None, reached=meet
        )
        deadline.watch()
        assert clock.pending() == 0
        moments += [5.0, 5.5, 20.0]
        for _ in range(3):
            deadline.watch()
        assert clock.pending() == 1
        moments[0] = 7.0
        await advance(clock, 5.0)
        assert (reached, clock.pending()) == ([], 1)
        await advance(clock, 2.0)
        assert (reached, clock.pending()) == ([7.0, 7.0], 1)
        deadline.cancel()
        assert clock.pending() == 0
        await advance(clock, 50.0)
        assert reached == [7.0, 7.0]
        deadline.watch()
        await advance(clock, 0.1)
        assert (len(reached), clock.pending()) == (3, 0)

    asyncio.run(main())
