"""How a server starts and stops."""

import asyncio
import contextlib
import signal
import threading
from collections.abc import Callable
from typing import Any, cast

import pytest

from asgikit.errors import ClosedError, ScopeError
from asgikit.protocols import ServerLike
from asgikit.server import Outcome, StatelessServer
from asgikit.testing import ManualClock
from tests.server.support import OpenServer, Receive, Scope, Send, advance, echo, turn
from tests.support.packages import require_package


class Counting(OpenServer):
    """Delivers five messages and ends, or fails."""

    error: Exception | None = None

    async def handle(self) -> None:
        for number in range(5):
            await self.give("a", number)
        if self.error:
            raise self.error


def test_arun_ends_with_the_stream_and_leaves_nothing() -> None:
    """N3 N8: what was delivered is handled first; afterwards no task of the server lives."""

    async def main() -> None:
        server = Counting(echo)
        await server.arun()
        assert [message for _, message in server.sent] == [0, 1, 2, 3, 4]
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert (server.cleaned, server.counters.instances) == (1, 0)

    asyncio.run(main())


def test_an_error_of_the_stream_comes_out_of_arun_after_the_drain() -> None:
    """N3."""

    async def main() -> None:
        server = Counting(echo)
        server.error = LookupError("stream")
        with pytest.raises(LookupError, match="stream"):
            await server.arun()
        assert len(server.sent) == 5
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_the_server_is_an_async_context_on_the_callers_loop() -> None:
    """N6: the caller owns the loop; delivering outside the block is a clear error; a server may be entered again."""

    async def main() -> None:
        server = OpenServer(echo)
        with pytest.raises(ClosedError, match="does not run"):
            await server.give("a", 1)
        for _ in range(2):
            async with server:
                await server.give("a", 1)
                with pytest.raises(ScopeError, match="runs already"):
                    await server.__aenter__()
        assert len(server.sent) == 2
        with pytest.raises(ClosedError):
            server.deliver_nowait("a", {}, 1)

    asyncio.run(main())


def test_run_takes_a_loop_factory() -> None:
    """N6: `run` makes its loop by the factory it is given."""
    loops: list[asyncio.AbstractEventLoop] = []

    def factory() -> asyncio.AbstractEventLoop:
        loops.append(asyncio.new_event_loop())
        return loops[-1]

    server = Counting(echo)
    server.run(loop_factory=factory)
    assert len(loops) == 1
    assert loops[0].is_closed()
    assert len(server.sent) == 5


def test_run_on_uvloop() -> None:
    """N6."""
    require_package("uvloop")
    import uvloop

    server = Counting(echo)
    server.run(loop_factory=uvloop.new_event_loop)
    assert len(server.sent) == 5


def test_stop_drains_until_all_is_handled() -> None:
    """N8: after `stop` no message is taken in, and those that were are handled."""
    gates: list[asyncio.Event] = []

    async def slow(scope: Scope, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            gates.append(asyncio.Event())
            await gates[-1].wait()
            await send(message)

    async def main() -> None:
        outcomes: list[Outcome] = []
        server = OpenServer(slow)
        running = asyncio.create_task(server.arun())
        await turn()
        for number in range(3):
            await server.give("a", number, done=outcomes.append)
        server.stop()
        await turn()
        with pytest.raises(ClosedError):
            await server.give("a", 9)
        for number in range(3):
            assert not running.done()
            gates[number].set()
            await turn()
        await running
        assert outcomes == [Outcome.HANDLED] * 3

    asyncio.run(main())


def test_the_drain_has_a_deadline() -> None:
    """N8: then applications are cancelled, their messages are told as discarded, waiting deliverers get an error."""

    async def stuck(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await asyncio.Event().wait()

    async def main() -> None:
        clock = ManualClock()
        outcomes: list[Outcome] = []
        server = OpenServer(stuck, clock=clock, drain_timeout=5.0, queue_size=1)
        running = asyncio.create_task(server.arun())
        await turn()
        deliveries = [asyncio.create_task(server.give("a", n, done=outcomes.append)) for n in range(3)]
        await turn()
        server.stop()
        await advance(clock, 4.9)
        assert not running.done()
        await advance(clock, 0.2)
        await running
        assert outcomes == [Outcome.DISCARDED] * 3
        with pytest.raises(ClosedError, match="was not delivered"):
            await deliveries[2]
        assert clock.pending() == 0

    asyncio.run(main())


def test_an_application_that_swallows_its_cancellation_is_told_twice_and_then_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """N3: the end waits for the grace time, tells once more, then names the application and lets go."""
    release = asyncio.Event()
    cancelled = 0

    async def stubborn(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal cancelled
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                cancelled += 1

    async def main() -> None:
        clock = ManualClock()
        server = OpenServer(stubborn, clock=clock, drain_timeout=1.0, grace_time=2.0)
        running = asyncio.create_task(server.arun())
        await turn()
        await server.give("mule", 1)
        server.stop()
        for _ in range(3):
            await advance(clock, 2.1)
        await running
        assert cancelled == 2
        assert "'mule' swallows its cancellation" in caplog.text
        release.set()
        await turn()

    asyncio.run(main())


def test_a_stream_left_running_does_not_stop_the_next_run(caplog: pytest.LogCaptureFixture) -> None:
    """N3, N8: the server may be entered again; what an earlier run left behind ends without effect on it."""

    class Stubborn(OpenServer):
        async def handle(self) -> None:
            while not let_go.is_set():
                with contextlib.suppress(asyncio.CancelledError):
                    await let_go.wait()
                    return
            await super().handle()

    async def main() -> None:
        clock = ManualClock()
        server = Stubborn(echo, clock=clock, grace_time=1.0)
        await server.__aenter__()
        await turn()
        leaving = asyncio.create_task(server.__aexit__(None, None, None))
        await advance(clock, 1.5)
        await leaving
        (record,) = caplog.records
        assert "Stubborn.handle swallows its cancellation" in record.getMessage()
        let_go.set()
        async with server:
            stopped = asyncio.create_task(server.wait_stopped())
            await turn()
            assert not stopped.done()
        await stopped

    let_go = asyncio.Event()
    asyncio.run(main())


def test_cancelling_arun_drains_and_stays_a_cancellation() -> None:
    """N3."""

    async def main() -> None:
        server = OpenServer(echo)
        running = asyncio.create_task(server.arun())
        await turn()
        await server.give("a", 1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert server.sent == [("a", 1)]
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_a_second_cancellation_cuts_the_drain_short() -> None:
    """N3 N8."""

    async def stuck(scope: Scope, receive: Receive, send: Send) -> None:
        await asyncio.Event().wait()

    async def main() -> None:
        server = OpenServer(stuck, clock=ManualClock())
        running = asyncio.create_task(server.arun())
        await turn()
        await server.give("a", 1)
        for _ in range(2):
            running.cancel()
            await turn()
        assert running.cancelled()
        assert asyncio.all_tasks() == {asyncio.current_task()}
        assert server.cleaned == 1

    asyncio.run(main())


def test_ctrl_c_stops_run_quietly() -> None:
    """N8: Ctrl-C is a stop like others: what was delivered is handled, `run` returns."""

    class Interrupted(OpenServer):
        async def handle(self) -> None:
            await self.give("a", 1)
            signal.raise_signal(signal.SIGINT)
            await asyncio.Event().wait()

    server = Interrupted(echo)
    server.run()
    assert server.sent == [("a", 1)]
    assert server.cleaned == 1


def test_stop_from_another_thread_through_the_loop() -> None:
    async def main() -> None:
        loop = asyncio.get_running_loop()
        server = OpenServer(echo)
        async with asyncio.TaskGroup() as group:
            group.create_task(server.arun())
            await turn()
            thread = threading.Thread(target=loop.call_soon_threadsafe, args=(server.stop,))
            thread.start()
        thread.join(5)

    asyncio.run(main())


def test_a_server_that_cannot_start_can_be_stopped() -> None:
    """N8: for example one whose Redis is not there; a cancellation from outside stays one."""

    class Waiting(OpenServer):
        async def startup(self) -> None:
            await asyncio.Event().wait()

    async def main() -> None:
        server = Waiting(echo)
        for stop in (True, False):
            running = asyncio.create_task(server.arun())
            await turn()
            if stop:
                server.stop()
                server.stop()
            else:
                running.cancel()
            await asyncio.wait([running])
            assert running.cancelled() is not stop
        entering = asyncio.create_task(server.__aenter__())
        await turn()
        server.stop()
        with pytest.raises(ClosedError, match="stopped while it was starting"):
            await entering

    asyncio.run(main())


@pytest.mark.parametrize("waits", [False, True])
def test_stop_at_the_end_of_startup_is_a_stop_like_others(waits: bool) -> None:
    """N8: what was opened is closed, nothing is raised, and no cancellation is left behind in the caller's task."""

    class Brief(OpenServer):
        async def startup(self) -> None:
            self.stop()
            if waits:
                with contextlib.suppress(asyncio.CancelledError):
                    await asyncio.Event().wait()

    async def main() -> None:
        server = Brief(echo)
        await server.arun()
        task = asyncio.current_task()
        assert server.cleaned == 1
        assert task is not None
        assert task.cancelling() == 0
        await turn()

    asyncio.run(main())


def test_a_startup_that_fails_over_its_stop_leaves_no_cancellation_behind() -> None:
    """N8: nor does the error that it makes of it."""

    class Failing(OpenServer):
        async def startup(self) -> None:
            self.stop()
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                raise OSError("not connected") from None

    async def main() -> None:
        with pytest.raises(OSError, match="not connected"):
            await Failing(echo).arun()
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0

    asyncio.run(main())


def test_a_cancellation_beside_a_stop_at_the_end_of_startup_is_kept() -> None:
    class Brief(OpenServer):
        async def startup(self) -> None:
            self.stop()
            task = asyncio.current_task()
            assert task is not None
            task.cancel()

    async def main() -> None:
        server = Brief(echo)
        running = asyncio.create_task(server.arun())
        await asyncio.wait([running])
        assert running.cancelled()
        assert (server.cleaned, server.counters.instances) == (1, 0)

    asyncio.run(main())


def test_an_error_in_startup_ends_the_start() -> None:
    class Unlucky(OpenServer):
        async def startup(self) -> None:
            raise ConnectionError("no network")

    async def main() -> None:
        server = Unlucky(echo)
        for _ in range(2):
            with pytest.raises(ConnectionError):
                await server.arun()

    asyncio.run(main())


@pytest.mark.parametrize("name", ["max_applications", "queue_size", "max_deliveries"])
def test_numbers_that_make_no_sense_are_refused(name: str) -> None:
    with pytest.raises(ValueError, match=f"{name} must be at least 1"):
        OpenServer(echo, **{name: 0})


def test_a_server_is_abstract_and_server_like() -> None:
    make = cast("Callable[[Any], object]", StatelessServer)
    with pytest.raises(TypeError, match="abstract"):
        make(echo)
    server: ServerLike = OpenServer(echo)
    server.stop()


def test_double_callables_only_when_marked_or_asked_for() -> None:
    """P1: never by a guess: a single-parameter callable is called as ASGI 3 unless something says otherwise."""

    class Double:
        def __init__(self, scope: Scope) -> None:
            self.scope = scope

        async def __call__(self, receive: Receive, send: Send) -> None:
            await send((self.scope["id"], await receive()))

    class Marked(Double):
        _asgi_double_callable = True

    def wrapped(*args: Any) -> Any:
        return echo(*args)

    async def main() -> None:
        failures: list[Any] = []
        for server, expected in (
            (OpenServer(Double, double_callable=True), [("a", ("a", 1))]),
            (OpenServer(Marked), [("a", ("a", 1))]),
            (OpenServer(wrapped), [("a", 1)]),
            (OpenServer(Double, on_failure=failures.append), []),
        ):
            async with server:
                await server.give("a", 1)
            assert server.sent == expected
        assert isinstance(failures[0].error, TypeError)

    asyncio.run(main())
