"""A task goes on in the very wake-up that brings the outcome it waits for, and nothing before it loses its turn."""

import asyncio
import threading
from collections.abc import Callable

import pytest

from asgikit import Bridge
from asgikit.executor import ThreadSensitivePool


class CountingLoop(asyncio.SelectorEventLoop):
    """Counts its rounds."""

    rounds = 0

    def _run_once(self) -> None:
        self.rounds += 1
        super()._run_once()  # type: ignore[misc] # private, and the one place that sees rounds


def nothing() -> None: ...


def test_a_crossing_costs_one_round_of_the_loop() -> None:
    async def main() -> int:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, CountingLoop)
        await bridge.run_sync(nothing)
        before = loop.rounds
        for _ in range(100):
            await bridge.run_sync(nothing)
        return loop.rounds - before

    with Bridge() as bridge, asyncio.Runner(loop_factory=CountingLoop) as runner:
        assert 100 <= runner.run(main()) <= 110  # a timer may add some


def test_what_a_function_posts_before_it_returns_runs_before_its_caller_goes_on() -> None:
    order: list[str] = []

    async def caller(name: str) -> None:
        await bridge.run_sync(post, name)
        order.append(f"{name} went on")

    def post(name: str) -> None:
        loop.call_soon_threadsafe(order.append, f"{name} posted")

    with ThreadSensitivePool() as pool, Bridge(sensitive_pool=pool) as bridge, asyncio.Runner() as runner:
        loop = runner.get_loop()

        async def main() -> None:
            tasks = [asyncio.create_task(caller(name)) for name in "abc"]
            await asyncio.sleep(0)
            pool.submit(nothing).result(10)  # blocks the loop until all three outcomes have arrived
            await asyncio.gather(*tasks)

        runner.run(main())
    for name in "abc":
        assert order.index(f"{name} posted") < order.index(f"{name} went on")


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit])
def test_a_task_that_ends_the_loop_does_not_take_the_outcomes_behind_it_along(
    error: Callable[[], BaseException],
) -> None:
    go_on = threading.Event()

    async def ends_the_loop() -> None:
        await bridge.run_sync(go_on.wait, 10)
        raise error()

    async def other() -> str:
        return await bridge.run_sync(str, "here")

    loop = asyncio.new_event_loop()
    with ThreadSensitivePool() as pool, Bridge(sensitive_pool=pool) as bridge:

        async def main() -> None:
            tasks.append(asyncio.create_task(ends_the_loop()))
            tasks.append(asyncio.create_task(other()))
            await asyncio.sleep(0)
            go_on.set()
            pool.submit(nothing).result(10)
            await asyncio.Event().wait()

        tasks: list[asyncio.Task[object]] = [loop.create_task(main())]
        with pytest.raises((KeyboardInterrupt, SystemExit)):
            loop.run_until_complete(tasks[0])
        assert loop.run_until_complete(tasks[2]) == "here"
        tasks[0].cancel()
        loop.run_until_complete(asyncio.wait(tasks))
        assert isinstance(tasks[1].exception(), (KeyboardInterrupt, SystemExit))
    loop.close()
