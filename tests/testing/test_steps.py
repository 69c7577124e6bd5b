import asyncio
from concurrent.futures import ThreadPoolExecutor

import pytest

from asgikit.errors import StepTimeoutError
from asgikit.testing import Steps


def test_threads_and_tasks_take_their_steps_in_order() -> None:
    steps = Steps()
    taken: list[int] = []

    def thread(*numbers: int) -> None:
        for number in numbers:
            with steps(number):
                taken.append(number)

    async def task(*numbers: int) -> None:
        for number in numbers:
            async with steps(number):
                taken.append(number)

    async def main() -> None:
        await asyncio.gather(
            task(8, 9), task(2, 5), asyncio.to_thread(thread, 3, 7), asyncio.to_thread(thread, 1, 4, 6, 10)
        )

    asyncio.run(main())
    assert taken == list(range(1, 11))
    assert steps.done() == 10


def test_tasks_of_two_loops_take_turns() -> None:
    steps = Steps()

    async def take(*numbers: int) -> None:
        for number in numbers:
            await steps.areach(number)

    with ThreadPoolExecutor() as pool:
        other = pool.submit(asyncio.run, take(2, 4))
        asyncio.run(take(1, 3, 5))
        other.result(5)


def test_a_step_is_done_only_when_its_block_has_ended() -> None:
    steps = Steps(timeout=0.01)
    with steps(1), pytest.raises(StepTimeoutError, match=r"step 1 is missing: thread 'MainThread' took it"):
        steps.reach(2)


def test_a_step_is_done_also_after_an_error_in_its_block() -> None:
    steps = Steps()
    with pytest.raises(LookupError), steps(1):
        raise LookupError
    steps.reach(2)


def test_the_error_names_the_missing_step_and_who_waits() -> None:
    steps = Steps(timeout=0.01)
    steps.reach(1)
    with pytest.raises(StepTimeoutError) as caught:
        steps.reach(3)
    message = str(caught.value)
    assert "step 3 was not reached within 0.01 s, because step 2 is missing: nobody has come for it" in message
    assert "Waiting are step 3: thread 'MainThread'" in message
    assert "Done are step 1: thread 'MainThread'" in message


def test_one_time_out_breaks_the_whole_sequence() -> None:
    """A waiter with much patience is released by the first one that gives up."""
    steps = Steps(timeout=60)

    async def main() -> None:
        patient = asyncio.create_task(steps.areach(3), name="patient")
        await asyncio.sleep(0)
        steps._timeout = 0.01
        with pytest.raises(StepTimeoutError, match="step 3: task 'patient' on thread 'MainThread', step 5"):
            await steps.areach(5)
        with pytest.raises(StepTimeoutError):
            await patient

    asyncio.run(main())
    with pytest.raises(StepTimeoutError, match="step 1 is missing"):
        steps.reach(1)


def test_a_cancelled_task_gives_its_step_back() -> None:
    steps = Steps()

    async def main() -> None:
        cancelled = asyncio.create_task(steps.areach(2))
        await asyncio.sleep(0)
        cancelled.cancel()
        with pytest.raises(asyncio.CancelledError):
            await cancelled
        await steps.areach(1)
        await steps.areach(2)

    asyncio.run(main())


def test_wrong_numbers_are_refused() -> None:
    steps = Steps()
    with pytest.raises(ValueError, match="numbered from 1"):
        steps.reach(0)
    steps.reach(1)
    with pytest.raises(ValueError, match="step 1 was taken already, by thread 'MainThread'"):
        steps.reach(1)
