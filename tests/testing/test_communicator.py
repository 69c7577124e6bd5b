"""ApplicationCommunicator: three outcomes told apart, nothing lost, nothing left, with time turned by hand."""

import asyncio
import contextvars
from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

import pytest

from asgikit.errors import ApplicationEndedError, OutputTimeoutError, ScopeError
from asgikit.testing import ApplicationCommunicator, ManualClock

Scope: TypeAlias = dict[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Any]]
Send: TypeAlias = Callable[[Any], Awaitable[None]]
SCOPE: Scope = {"type": "test"}


async def turn(times: int = 10) -> None:
    for _ in range(times):
        await asyncio.sleep(0)


async def echo(scope: Scope, receive: Receive, send: Send) -> str:
    """Send back each message; "end" returns, an exception is raised, "hang" waits for ever."""
    while True:
        message = await receive()
        if message == "end":
            return "bye"
        if message == "hang":
            await asyncio.Event().wait()
        if isinstance(message, BaseException):
            raise message
        await send(message)


async def _late(task: "asyncio.Task[Any]", clock: ManualClock, seconds: float) -> None:
    await turn()
    assert not task.done()
    clock.advance(seconds)
    await turn()


def test_messages_go_in_and_out() -> None:
    async def main() -> None:
        async with ApplicationCommunicator(echo, SCOPE) as communicator:
            for number in range(3):
                await communicator.send_input(number)
            assert [await communicator.receive_output() for _ in range(3)] == [0, 1, 2]
            await communicator.send_input("end")
            assert await communicator.wait() == "bye"
            assert communicator.ended

    asyncio.run(main())


def test_a_timeout_leaves_the_application_running() -> None:
    """O1: after a time-out the same application answers the next message."""

    async def main() -> None:
        clock = ManualClock()
        async with ApplicationCommunicator(echo, SCOPE, clock=clock, timeout=3) as communicator:
            receiving = asyncio.create_task(communicator.receive_output())
            await _late(receiving, clock, 2.9)
            await _late(receiving, clock, 0.2)
            with pytest.raises(OutputTimeoutError, match="within 3 s; it is still running"):
                await receiving
            assert not communicator.ended
            await communicator.send_input("still here")
            assert await communicator.receive_output() == "still here"
            assert clock.pending() == 0

    asyncio.run(main())


def test_waiting_for_a_hung_application_is_a_timeout_error() -> None:
    """O2: `wait` raises TimeoutError, and the application goes on."""

    async def main() -> None:
        clock = ManualClock()
        async with ApplicationCommunicator(echo, SCOPE, clock=clock) as communicator:
            await communicator.send_input("hang")
            waiting = asyncio.create_task(communicator.wait(7))
            await _late(waiting, clock, 7)
            with pytest.raises(TimeoutError):
                await waiting
            assert not communicator.ended

    asyncio.run(main())


@pytest.mark.parametrize("method", ["wait", "receive_output", "receive_nothing"])
def test_a_cancellation_from_outside_passes_through(method: str) -> None:
    """O2: whoever cancels the test's task gets a cancelled task, and the application lives on."""

    async def main() -> None:
        async with ApplicationCommunicator(echo, SCOPE, clock=ManualClock()) as communicator:
            call: Callable[[], Any] = getattr(communicator, method)
            waiting = asyncio.create_task(call())
            await turn()
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting
            await communicator.send_input(1)
            assert await communicator.receive_output() == 1

    asyncio.run(main())


def test_what_was_sent_before_a_failure_comes_first() -> None:
    """O3: then the error itself, the same object, every time it is asked for."""
    error = ValueError("no")

    async def main() -> None:
        async with ApplicationCommunicator(echo, SCOPE) as communicator:
            for message in (1, 2, error):
                await communicator.send_input(message)
            await turn()
            assert [await communicator.receive_output() for _ in range(2)] == [1, 2]
            for call in (communicator.receive_output, communicator.wait):
                with pytest.raises(ValueError, match="no") as caught:
                    await call()
                assert caught.value is error
            with pytest.raises(ValueError, match="no"):
                await communicator.send_input(3)

    asyncio.run(main())


def test_an_ended_application_is_told_at_once_with_its_result() -> None:
    """O4: no time passes (the clock stands still), also for one that ends while the test waits."""

    async def main() -> None:
        clock = ManualClock()
        async with ApplicationCommunicator(echo, SCOPE, clock=clock) as communicator:
            receiving = asyncio.create_task(communicator.receive_output())
            await turn()
            await communicator.send_input("end")
            with pytest.raises(ApplicationEndedError, match="has ended, with 'bye'") as caught:
                await receiving
            assert caught.value.result == "bye"
            with pytest.raises(ApplicationEndedError):
                await communicator.receive_output()
            with pytest.raises(ApplicationEndedError):
                await communicator.send_input(1)
            assert await communicator.receive_nothing()
            assert clock.pending() == 0

    asyncio.run(main())


def test_an_application_that_ends_in_a_timeout_error_is_not_a_timeout() -> None:
    """O3 O4: failed, ended and late are three outcomes, also when the failure is a TimeoutError or a cancellation."""

    async def main() -> None:
        async with ApplicationCommunicator(echo, SCOPE) as communicator:
            await communicator.send_input(TimeoutError("of the application"))
            with pytest.raises(TimeoutError, match="of the application") as caught:
                await communicator.receive_output()
            assert not isinstance(caught.value, OutputTimeoutError)
        async with ApplicationCommunicator(echo, SCOPE) as communicator:
            await communicator.send_input(asyncio.CancelledError())
            with pytest.raises(ApplicationEndedError, match="ended in CancelledError"):
                await communicator.receive_output()

    asyncio.run(main())


def test_the_block_always_finishes_the_application() -> None:
    """O5: it is cancelled and awaited at the end, clean-up included; no task is left."""
    cleaned: list[str] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            await turn(3)
            cleaned.append("yes")

    async def main() -> None:
        async with ApplicationCommunicator(app, SCOPE):
            await turn()
        with pytest.raises(LookupError):
            async with ApplicationCommunicator(app, SCOPE):
                await turn()
                raise LookupError
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    assert cleaned == ["yes", "yes"]


def test_a_failure_that_nobody_saw_is_raised_at_the_end() -> None:
    """O5."""

    async def main() -> None:
        with pytest.raises(SystemExit):
            async with ApplicationCommunicator(echo, SCOPE) as communicator:
                await communicator.send_input(SystemExit(3))
                await turn()
        with pytest.raises(LookupError, match="of the test"):
            async with ApplicationCommunicator(echo, SCOPE) as communicator:
                await communicator.send_input(ValueError("no"))
                await turn()
                raise LookupError("of the test")

    asyncio.run(main())


def test_one_that_swallows_its_cancellation_is_named() -> None:
    """O5."""
    release = asyncio.Event()

    async def stubborn(scope: Scope, receive: Receive, send: Send) -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                continue

    async def main() -> None:
        clock = ManualClock()
        communicator = ApplicationCommunicator(stubborn, SCOPE, clock=clock)
        await communicator.__aenter__()
        await turn()
        leaving = asyncio.create_task(communicator.__aexit__(None, None, None))
        await _late(leaving, clock, 2)
        with pytest.raises(OutputTimeoutError, match="was cancelled and did not end"):
            await leaving
        release.set()
        await turn()

    asyncio.run(main())


def test_the_context_is_a_copy_or_empty_or_given() -> None:
    """O6."""
    variable = contextvars.ContextVar("variable", default="nothing")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(variable.get())
        variable.set("of the application")

    async def main() -> None:
        variable.set("of the test")
        given = contextvars.Context()
        given.run(variable.set, "given")
        cases: list[tuple[Any, str]] = [("copy", "of the test"), ("empty", "nothing"), (given, "given")]
        for context, expected in cases:
            async with ApplicationCommunicator(app, SCOPE, context=context) as communicator:
                assert await communicator.receive_output() == expected
                await communicator.wait()
            assert variable.get() == "of the test"
        assert given[variable] == "of the application"

    asyncio.run(main())


def test_receive_nothing_is_told_by_events() -> None:
    """O9: False at once when there is something (which stays), or comes; True when the time is over."""

    async def main() -> None:
        clock = ManualClock()
        async with ApplicationCommunicator(echo, SCOPE, clock=clock) as communicator:
            await communicator.send_input(1)
            await turn()
            assert not await communicator.receive_nothing()
            assert await communicator.receive_output() == 1
            nothing = asyncio.create_task(communicator.receive_nothing(5))
            await _late(nothing, clock, 5)
            assert await nothing
            nothing = asyncio.create_task(communicator.receive_nothing(5))
            await _late(nothing, clock, 4)
            await communicator.send_input(2)
            assert not await nothing
            assert await communicator.receive_output() == 2

    asyncio.run(main())


def test_it_is_used_once_and_inside_its_block() -> None:
    async def main() -> None:
        communicator = ApplicationCommunicator(echo, SCOPE)
        with pytest.raises(ScopeError, match="has not been started"):
            await communicator.receive_output()
        async with communicator:
            pass
        with pytest.raises(ScopeError, match="make a new one"):
            await communicator.__aenter__()

    asyncio.run(main())


def test_double_callables_only_when_marked_or_asked_for() -> None:
    """P1."""

    class Double:
        def __init__(self, scope: Scope) -> None:
            self.scope = scope

        async def __call__(self, receive: Receive, send: Send) -> None:
            await send(self.scope["type"])

    class Marked(Double):
        _asgi_double_callable = True

    async def main() -> None:
        for communicator in (
            ApplicationCommunicator(Double, SCOPE, double_callable=True),
            ApplicationCommunicator(Marked, SCOPE),
        ):
            async with communicator:
                assert await communicator.receive_output() == "test"
        application: Any = Double
        with pytest.raises(TypeError):
            async with ApplicationCommunicator(application, SCOPE) as communicator:
                await communicator.receive_output()

    asyncio.run(main())
