"""Where the application runs: any executor, or thread-sensitive through a bridge."""

import asyncio
import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context
from typing import Any, ParamSpec, TypeVar

import pytest

from asgikit.bridge import Bridge
from asgikit.errors import ClosedError, ExecutorContractError, LoopUnavailableError, UnsupportedRuntimeError
from asgikit.executor import InlineExecutor, WorkerThreadPool
from asgikit.wsgi import WsgiToAsgi
from asgikit.wsgi._mailbox import Mailbox
from asgikit.wsgi._outbound import Outbound
from asgikit.wsgi._parking import Parking
from tests.support.held import Held
from tests.wsgi.drive import TIMEOUT, Client, Environ, StartResponse, ask, body, http_scope, run


def which_thread(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    environ["wsgi.input"].read()
    start_response("200 OK", [])
    yield threading.current_thread().name.encode()


def test_own_pool() -> None:
    assert ask(which_thread, body()).body.startswith(b"asgikit-wsgi-")


def test_thread_pool_executor() -> None:
    with ThreadPoolExecutor(2, thread_name_prefix="given") as pool:
        assert ask(which_thread, body(), executor=pool).body.startswith(b"given")
        assert pool.submit(lambda: "still open").result(TIMEOUT) == "still open"


def test_worker_thread_pool_by_its_fast_lane() -> None:
    pool = WorkerThreadPool(2, name="given")
    try:
        assert ask(which_thread, body(), executor=pool).body.startswith(b"asgikit-given-")
        assert pool.submit(lambda: "still open").result(TIMEOUT) == "still open"
    finally:
        pool.close()


def hello(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [])
    return [b"hello"]


def test_inline_executor_serves_what_does_not_wait() -> None:
    assert ask(hello, executor=InlineExecutor()).body == b"hello"


@pytest.mark.parametrize("act", ["read", "write"])
def test_inline_executor_is_told_why_it_cannot_wait(act: str) -> None:
    """A deadlock on the event-loop thread is an error that says so."""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        if act == "read":
            environ["wsgi.input"].read()
        yield from [b"x" * 100] * 100

    with pytest.raises(UnsupportedRuntimeError, match="event-loop thread"):
        ask(application, executor=InlineExecutor(), response_buffer=100)


def test_closed_executor() -> None:
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    with pytest.raises(RuntimeError, match="after shutdown"):
        ask(hello, executor=pool)


def test_executor_that_drops_the_call() -> None:
    """An executor shut down with cancel_futures does not leave a request waiting."""

    async def main() -> None:
        with ThreadPoolExecutor(1) as pool, Held() as held:
            pool.submit(held)
            await asyncio.to_thread(held.wait)
            client = Client()
            task = asyncio.create_task(WsgiToAsgi(hello, executor=pool)(http_scope(), client.receive, client.send))
            await asyncio.sleep(0)
            pool.shutdown(wait=False, cancel_futures=True)
            held.let_go()
            with pytest.raises(ClosedError, match="did not run"):
                await task

    run(main())


def test_pool_that_drops_the_call_names_it() -> None:
    async def main() -> None:
        with WorkerThreadPool(1, name="given") as pool, Held() as held:
            pool.submit(held)
            await asyncio.to_thread(held.wait)
            client = Client()
            scope = http_scope(path="/queued")
            task = asyncio.create_task(WsgiToAsgi(hello, executor=pool)(scope, client.receive, client.send))
            await asyncio.sleep(0)
            pool.shutdown(wait=False, cancel_futures=True)
            held.let_go()
            with pytest.raises(ClosedError, match="before GET /queued could run"):
                await task

    run(main())


def test_executor_that_cannot_carry_the_call() -> None:
    """A process pool cannot run a WSGI application: the reason is told instead of a hang."""
    with (
        ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool,
        pytest.raises(ClosedError, match="did not run"),
    ):
        ask(hello, executor=pool)


def test_executor_that_breaks_its_contract() -> None:
    class Broken:
        def submit(self, fn: Callable[[], Any], /) -> Any:
            return None

    with pytest.raises(ExecutorContractError, match="no future"):
        ask(hello, executor=Broken())


_P = ParamSpec("_P")
_R = TypeVar("_R")


class FakeBridge:
    """A double with one thread, as a bridge without a scope has."""

    def __init__(self) -> None:
        self.pool = ThreadPoolExecutor(1, thread_name_prefix="sensitive")
        self.fails = False

    async def run_sync(self, func: Callable[_P, _R], /, *args: _P.args, **kwargs: _P.kwargs) -> _R:
        if self.fails:
            raise ClosedError("the bridge is closed")
        return await asyncio.wrap_future(self.pool.submit(func, *args, **kwargs))


def test_thread_sensitive_through_a_bridge() -> None:
    bridge = FakeBridge()
    with bridge.pool:
        assert ask(which_thread, body(), bridge=bridge).body.startswith(b"sensitive")


def test_bridge_that_refuses() -> None:
    bridge = FakeBridge()
    bridge.fails = True
    with bridge.pool, pytest.raises(ClosedError, match="the bridge is closed"):
        ask(hello, bridge=bridge)


@pytest.mark.parametrize("act", ["read", "write", "end"])
def test_worker_is_released_when_its_loop_is_gone(act: str) -> None:
    """M22: a worker that needs a loop which has stopped for good ends with an error, within a bounded time."""
    ended: Future[BaseException | None] = Future()
    started, stopped = threading.Event(), threading.Event()

    def needs_the_loop(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        write = start_response("200 OK", [])
        started.set()
        assert stopped.wait(TIMEOUT)
        if act == "read":
            environ["wsgi.input"].read()
        for _ in range(1 if act == "end" else 100):
            write(b"x" * 100)
        yield b""

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            yield from needs_the_loop(environ, start_response)
        except BaseException as error:
            ended.set_result(error)
            raise
        ended.set_result(None)

    pool = WorkerThreadPool(1, name="given")
    loop = asyncio.new_event_loop()
    client = Client()
    adapter = WsgiToAsgi(application, executor=pool, response_buffer=100)
    task = loop.create_task(adapter(http_scope(), client.receive, client.send))

    async def until_it_runs() -> None:
        assert await asyncio.to_thread(started.wait, TIMEOUT)
        await loop.shutdown_default_executor()

    try:
        loop.run_until_complete(until_it_runs())
        stopped.set()
        error = ended.result(TIMEOUT)
        assert isinstance(error, OSError) or (act == "end" and error is None)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(task)
    finally:
        loop.close()
        pool.close()


def test_worker_that_ends_after_its_loop_was_closed() -> None:
    """Nobody is there to hear of it, and nothing is broken by that."""
    loop = asyncio.new_event_loop()
    outbound = Outbound(capacity=1, mailbox=Mailbox(loop), parking=Parking(loop))
    asleep = outbound.take()

    async def fall_asleep() -> None:
        task = asyncio.ensure_future(asleep)
        for _ in range(3):
            await asyncio.sleep(0)
        task.cancel()

    loop.run_until_complete(fall_asleep())
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()
    assert outbound.done(None) is False


def test_loop_that_is_closed_is_named() -> None:
    loop = asyncio.new_event_loop()
    loop.close()
    with pytest.raises(LoopUnavailableError, match="closed"):
        Mailbox(loop).post(lambda: None)


def test_real_bridge_has_one_thread_for_what_is_sensitive() -> None:
    """The application runs where the chain's other thread-sensitive calls run."""

    async def main() -> None:
        with Bridge() as bridge:
            adapter = WsgiToAsgi(which_thread, bridge=bridge)
            here = (await bridge.run_sync(threading.current_thread)).name.encode()
            clients = [Client(body()) for _ in range(3)]
            await asyncio.gather(*(adapter(http_scope(), client.receive, client.send) for client in clients))
            assert {client.body for client in clients} == {here}

    run(main())


def test_real_bridge_and_a_synchronous_caller() -> None:
    """Called from synchronous code, the application runs on that code's own thread."""

    async def request(adapter: WsgiToAsgi) -> bytes:
        client = Client(body())
        await adapter(http_scope(), client.receive, client.send)
        return client.body

    with Bridge() as bridge:
        adapter = WsgiToAsgi(which_thread, bridge=bridge)
        assert bridge.async_to_sync(request)(adapter) == threading.current_thread().name.encode()


def test_application_calls_async_code_through_the_bridge() -> None:
    """Sync -> async -> sync within one request, on the request's own loop and thread."""

    async def main() -> None:
        loop = asyncio.get_running_loop()
        with Bridge() as bridge:

            async def inner() -> bool:
                return asyncio.get_running_loop() is loop

            def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
                start_response("200 OK", [])
                yield str(bridge.async_to_sync(inner)()).encode()

            client = Client(body())
            await WsgiToAsgi(application, bridge=bridge)(http_scope(), client.receive, client.send)
            assert client.body == b"True"

    run(main())


def test_closed_bridge() -> None:
    bridge = Bridge()
    bridge.close()
    with pytest.raises(ClosedError):
        ask(hello, bridge=bridge)


def test_request_cancelled_under_a_bridge() -> None:
    """The await ends at once; the application ends at its next chunk, and is closed."""
    running, go_on, closed = threading.Event(), threading.Event(), threading.Event()

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [])
        try:
            running.set()
            assert go_on.wait(TIMEOUT)
            while True:
                yield b"x"
        finally:
            closed.set()

    async def main() -> None:
        with Bridge() as bridge:
            client = Client()
            adapter = WsgiToAsgi(application, bridge=bridge)
            task = asyncio.create_task(adapter(http_scope(), client.receive, client.send))
            assert await asyncio.to_thread(running.wait, TIMEOUT)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            go_on.set()
            assert await asyncio.to_thread(closed.wait, TIMEOUT)

    run(main())


def test_lifespan_leaves_what_was_given_alone() -> None:
    async def main() -> None:
        with Bridge() as bridge, ThreadPoolExecutor(1) as pool:
            for adapter in (WsgiToAsgi(hello, bridge=bridge), WsgiToAsgi(hello, executor=pool)):
                lifespan = Client({"type": "lifespan.startup"}, {"type": "lifespan.shutdown"})
                await adapter({"type": "lifespan"}, lifespan.receive, lifespan.send)
                adapter.close()
                client = Client()
                await adapter(http_scope(), client.receive, client.send)
                assert client.body == b"hello"

    run(main())
