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
    running, go_on = threading.Event(), threading.Event()

    def block() -> None:
        running.set()
        assert go_on.wait(TIMEOUT)

    async def main() -> None:
        with ThreadPoolExecutor(1) as pool:
            pool.submit(block)
            assert await asyncio.to_thread(running.wait, TIMEOUT)
            client = Client()
            task = asyncio.create_task(WsgiToAsgi(hello, executor=pool)(http_scope(), client.receive, client.send))
            await asyncio.sleep(0)
            pool.shutdown(wait=False, cancel_futures=True)
            go_on.set()
            with pytest.raises(ClosedError, match="did not run"):
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


def test_worker_is_released_when_its_loop_is_gone() -> None:
    """M22: a worker that waits for a loop which has stopped for good ends with an error, within a bounded time."""
    ended: "Future[BaseException]" = Future()
    waiting = threading.Event()

    def application(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        try:
            waiting.set()
            environ["wsgi.input"].read()
        except BaseException as error:
            ended.set_result(error)
            raise
        return []

    pool = WorkerThreadPool(1, name="given")
    loop = asyncio.new_event_loop()
    client = Client()
    task = loop.create_task(WsgiToAsgi(application, executor=pool)(http_scope(), client.receive, client.send))

    async def until_it_waits() -> None:
        assert await asyncio.to_thread(waiting.wait, TIMEOUT)
        await loop.shutdown_default_executor()

    try:
        loop.run_until_complete(until_it_waits())
        assert isinstance(ended.result(TIMEOUT), OSError)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(task)
    finally:
        loop.close()
        pool.close()


def test_loop_that_is_closed_is_named() -> None:
    from asgikit.wsgi._mailbox import Mailbox

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
