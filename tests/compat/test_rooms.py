"""The smaller modules of the drop-in: what they keep of INVARIANTS.md where asgiref does not."""

import asyncio
import contextvars
import functools
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future
from typing import Any

import pytest

from asgikit.compat.asgiref.compatibility import (
    double_to_single_callable,
    guarantee_single_callable,
    is_double_callable,
)
from asgikit.compat.asgiref.current_thread_executor import CurrentThreadExecutor
from asgikit.compat.asgiref.local import Local
from asgikit.compat.asgiref.server import StatelessServer
from asgikit.compat.asgiref.sync import AsyncToSync, async_to_sync, markcoroutinefunction, sync_to_async
from asgikit.compat.asgiref.testing import ApplicationCommunicator
from asgikit.compat.asgiref.timeout import timeout
from asgikit.compat.asgiref.wsgi import WsgiToAsgi, WsgiToAsgiInstance
from asgikit.errors import StartResponseError

HTTP: dict[str, Any] = {"type": "http", "method": "GET", "path": "/", "headers": []}


# compatibility


async def single(scope: Any, receive: Any, send: Any) -> None:
    await send(scope)


def double(scope: Any) -> Callable[[Any, Any], Awaitable[None]]:
    async def inner(receive: Any, send: Any) -> None:
        await send(scope)

    return inner


class Marked:
    _asgi_single_callable = True

    def __call__(self, scope: Any) -> None: ...


def with_more(more: int, scope: Any, receive: Any, send: Any) -> Awaitable[None]:
    return single(scope, receive, send)


@markcoroutinefunction
def forwarding(*args: Any) -> Awaitable[None]:
    return single(*args)


class Old:
    def __init__(self, scope: Any) -> None: ...


def wrapping(scope: Any, receive: Any, send: Any) -> Awaitable[None]:
    return single(scope, receive, send)


@pytest.mark.parametrize(
    ("application", "expected"),
    [
        (single, False),
        (double, True),
        (Old, True),
        (Marked(), False),
        (functools.partial(single), False),
        (functools.partial(with_more, 1), False),  # asgiref says True of this and of the next
        (wrapping, False),
        (forwarding, False),
        (sync_to_async(with_more), False),
    ],
)
def test_double_callables(application: Any, expected: bool) -> None:
    """P1: by the number of arguments wherever that is certain."""
    assert is_double_callable(application) is expected


def test_wrapping_double_callables() -> None:
    """P1: the wrapper is an ASGI 3 application, and one of those stays as it is."""
    assert guarantee_single_callable(single) is single
    sent: list[Any] = []

    async def send(event: Any) -> None:
        sent.append(event)

    asyncio.run(guarantee_single_callable(double)("scope", None, send))  # type: ignore[arg-type]  # a coroutine it is
    assert sent == ["scope"]
    assert not is_double_callable(double_to_single_callable(double))


# current_thread_executor


def test_current_thread_executor() -> None:
    """E8, J8: made by hand; what comes too late goes to the outer one; the bridge's hosts are instances."""
    outer = CurrentThreadExecutor(None)
    inner = CurrentThreadExecutor(outer)
    done: Future[None] = Future()
    results: list[Any] = []

    def elsewhere() -> None:
        results.append(inner.submit(threading.get_ident).result(10))
        done.set_result(None)

    other = threading.Thread(target=elsewhere)
    other.start()
    inner.run_until_future(done)
    other.join()
    assert results == [threading.get_ident()]

    late: Future[None] = Future()

    def after() -> None:
        results.append(inner.submit(threading.get_ident).result(10))
        late.set_result(None)

    other = threading.Thread(target=after)
    other.start()
    outer.run_until_future(late)
    other.join()
    assert results == [threading.get_ident()] * 2

    async def host() -> bool:
        current: Any = AsyncToSync.executors.current
        return isinstance(current, CurrentThreadExecutor)

    assert async_to_sync(host)()


# local


def test_local_follows_crossings_and_tasks_only() -> None:
    """H1, H2: not a context that was carried to another thread by hand, as asgiref's suite pins."""
    local = Local()
    local.value = local.other = "here"
    seen: list[object] = []

    def look() -> None:
        seen.append(getattr(local, "value", None))
        local.value = "there"
        seen.append((local.value, getattr(local, "other", None)))

    other = threading.Thread(target=functools.partial(contextvars.copy_context().run, look))
    other.start()
    other.join()
    assert seen == [None, ("there", None)]
    assert local.value == "here"

    async def main() -> object:
        return local.value, await sync_to_async(lambda: local.value)()

    assert async_to_sync(main)() == ("here", "here")


def test_local_set_in_a_task_is_seen_in_to_thread() -> None:
    """H1: asgiref loses it there since 3.12."""
    local = Local()

    async def main() -> object:
        local.value = 1
        return await asyncio.to_thread(lambda: local.value)

    assert asyncio.run(main()) == 1


def test_local_names_and_deletion() -> None:
    """H3: every name but the one that asgiref keeps for itself."""
    local = Local()
    for name in ("_inner", "__inner", "key", "self"):
        setattr(local, name, name)
        assert getattr(local, name) == name
        delattr(local, name)
        with pytest.raises(AttributeError, match=name):
            getattr(local, name)
        with pytest.raises(AttributeError, match=name):
            delattr(local, name)
    with pytest.raises(AttributeError):
        local._data = 1
    assert isinstance(local, Local)
    assert isinstance(Local(thread_critical=True), Local)
    assert not isinstance(object(), Local)


# server


class Server(StatelessServer):
    def __init__(self, application: Any, steps: Callable[["Server"], Awaitable[None]], most: int = 10) -> None:
        super().__init__(application, max_applications=most)
        self.application_checker_interval = 0.001
        self.steps = steps
        self.sent: list[Any] = []
        self.failed: list[BaseException] = []
        self.news = asyncio.Event()

    async def handle(self) -> None:
        await asyncio.wait_for(self.steps(self), 10)

    async def application_send(self, scope: Any, message: Any) -> None:
        self.sent.append((scope, message))
        self.news.set()

    async def application_exception(self, exception: BaseException, application_details: Any) -> None:
        await super().application_exception(exception, application_details)
        self.failed.append(exception)
        self.news.set()

    async def hear(self) -> None:
        await self.news.wait()
        self.news.clear()


async def once(scope: Any, receive: Any, send: Any) -> None:
    await send(await receive())


async def for_ever(scope: Any, receive: Any, send: Any) -> None:
    while True:
        await send(await receive())


def serve(application: Any, steps: Callable[[Server], Awaitable[None]], **options: Any) -> Server:
    async def main() -> Server:
        server = Server(application, steps, **options)
        await server.arun()
        return server

    return asyncio.run(main())


def test_server_limit() -> None:
    """N1: never more instances than allowed; the one used least recently goes."""

    async def steps(server: Server) -> None:
        for scope in "aba":
            server.get_or_create_application_instance(scope, scope)
        server.get_or_create_application_instance("c", "c")
        assert list(server.application_instances) == ["a", "c"]

    serve(for_ever, steps, most=2)


def test_server_survives_its_applications(caplog: pytest.LogCaptureFixture) -> None:
    """N2, N5: an application that ends in CancelledError or fails does not end the server; it is logged."""

    async def cancelled(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        raise asyncio.CancelledError if scope == "cancelled" else KeyError("failed")

    async def steps(server: Server) -> None:
        for scope in ("cancelled", "failed"):
            server.get_or_create_application_instance(scope, scope).put_nowait("go")
        await server.hear()
        assert not server.application_instances

    server = serve(cancelled, steps)
    assert [type(error) for error in server.failed] == [KeyError]
    (record,) = (record for record in caplog.records if record.name == "asgiref.server")
    assert record.exc_info is not None
    assert record.exc_info[1] is server.failed[0]


def test_server_starts_anew_for_a_finished_scope() -> None:
    """N4: a message for an instance that has just finished is not lost."""

    async def steps(server: Server) -> None:
        server.application_checker_interval = 60
        for number in range(3):
            server.get_or_create_application_instance("a", "a").put_nowait(number)
            await server.hear()
            await server.application_instances["a"]["future"]

    assert serve(once, steps).sent == [("a", 0), ("a", 1), ("a", 2)]


def test_server_tells_of_every_failure_and_forgets_the_instance_afterwards() -> None:
    """N2: also of one that a new instance has replaced before anybody looked."""
    seen: list[list[Any]] = []

    class Curious(Server):
        async def application_exception(self, exception: BaseException, application_details: Any) -> None:
            await super().application_exception(exception, application_details)
            seen.append(
                [scope for scope, details in self.application_instances.items() if details is application_details]
            )

    async def fails(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError(await receive())

    async def steps(server: Server) -> None:
        for number in range(2):
            server.get_or_create_application_instance("a", "a").put_nowait(number)
            await asyncio.wait([server.application_instances["a"]["future"]])
        while len(server.failed) < 2:
            await server.hear()
        assert not server.application_instances

    async def main() -> None:
        server = Curious(fails, steps)
        await server.arun()
        assert [error.args for error in server.failed] == [(0,), (1,)]

    asyncio.run(main())
    assert seen == [[], ["a"]]


def test_server_ends_with_an_error_of_its_own_hook() -> None:
    """It is the server's, not an application's, and must not be lost."""

    class Strict(Server):
        async def application_exception(self, exception: BaseException, application_details: Any) -> None:
            raise LookupError("strict") from exception

    async def fails(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError("application")

    async def steps(server: Server) -> None:
        server.get_or_create_application_instance("a", "a")
        await asyncio.Event().wait()

    async def main() -> None:
        with pytest.raises(LookupError, match="strict"):
            await Strict(fails, steps).arun()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())


def test_server_leaves_no_task() -> None:
    """N3: after `arun` no task of the server lives, and applications have had their clean-up."""
    cleaned: list[str] = []

    async def careful(scope: Any, receive: Any, send: Any) -> None:
        try:
            await receive()
        finally:
            await asyncio.sleep(0)
            cleaned.append(scope)

    async def steps(server: Server) -> None:
        server.get_or_create_application_instance("a", "a")
        await asyncio.sleep(0)

    async def main() -> None:
        await Server(careful, steps).arun()
        assert asyncio.all_tasks() == {asyncio.current_task()}

    asyncio.run(main())
    assert cleaned == ["a"]


# testing


async def says_and_fails(scope: Any, receive: Any, send: Any) -> None:
    await send(1)
    await send(2)
    raise KeyError("afterwards")


def test_output_comes_before_the_failure() -> None:
    """O3: what was sent is delivered first."""

    async def main() -> None:
        communicator = ApplicationCommunicator(says_and_fails, {})
        assert await communicator.receive_output() == 1
        assert await communicator.receive_output() == 2
        with pytest.raises(KeyError, match="afterwards"):
            await communicator.receive_output()
        with pytest.raises(KeyError):
            await communicator.wait()

    asyncio.run(main())


def test_a_failed_application_takes_no_input_and_does_not_send_nothing() -> None:
    """As in asgiref: else a test goes on, and may pass, though its application has failed."""

    async def fails(scope: Any, receive: Any, send: Any) -> None:
        raise KeyError("failed")

    async def main() -> None:
        communicator = ApplicationCommunicator(fails, {})
        await asyncio.wait([communicator.future])
        with pytest.raises(KeyError, match="failed"):
            await communicator.send_input(1)
        with pytest.raises(KeyError, match="failed"):
            await communicator.receive_nothing()

    asyncio.run(main())


def test_an_application_that_has_ended_is_not_waited_for() -> None:
    """O4: asgiref waits for the whole time-out; here it would be an hour."""

    async def ends(scope: Any, receive: Any, send: Any) -> None:
        await receive()

    async def main() -> None:
        communicator = ApplicationCommunicator(ends, {})
        await communicator.send_input(1)
        with pytest.raises(TimeoutError):
            await communicator.receive_output(timeout=3600)
        assert await communicator.receive_nothing(timeout=3600)
        await communicator.wait()

    asyncio.run(main())


def test_a_hung_application_is_cancelled() -> None:
    """O1: as in asgiref, a time-out ends the application; the native communicator lets it run."""

    async def main() -> None:
        communicator = ApplicationCommunicator(for_ever, {})
        assert await communicator.receive_nothing(timeout=0.001)
        with pytest.raises(TimeoutError):
            await communicator.receive_output(timeout=0.001)
        assert communicator.future.cancelled()
        other = ApplicationCommunicator(for_ever, {})
        await other.wait(timeout=0.001)
        assert other.future.cancelled()

    asyncio.run(main())


# timeout


def test_timeout() -> None:
    """B9: a time-out leaves the task uncancelled, as `asyncio.timeout` does."""

    async def main() -> None:
        with pytest.warns(DeprecationWarning, match=r"asyncio\.timeout"):
            block = timeout(0)
        with pytest.raises(TimeoutError):
            async with block:
                await asyncio.Event().wait()
        assert block.expired
        task = asyncio.current_task()
        assert task is not None
        assert task.cancelling() == 0
        with pytest.warns(DeprecationWarning, match="deprecated"):
            never = timeout(None)
        with never:
            assert never.remaining is None
        with pytest.warns(DeprecationWarning, match="deprecated"):
            later = timeout(100)
        async with later:
            assert later.remaining is not None
            assert 0 < later.remaining <= 100
        assert not later.expired

    asyncio.run(main())


# wsgi


class Body:
    """An iterable of chunks that remembers whether it was closed."""

    def __init__(self, *chunks: bytes, error: Exception | None = None) -> None:
        self.chunks = chunks
        self.error = error
        self.closed = 0

    def __iter__(self) -> Iterator[bytes]:
        yield from self.chunks
        if self.error is not None:
            raise self.error

    def close(self) -> None:
        self.closed += 1


async def ask(application: Any, *events: dict[str, Any], **scope: Any) -> list[dict[str, Any]]:
    sent: list[dict[str, Any]] = []
    given = iter(events or ({"type": "http.request"},))

    async def receive() -> dict[str, Any]:
        return next(given)

    async def send(event: dict[str, Any]) -> None:
        sent.append(event)

    await WsgiToAsgi(application)(HTTP | scope, receive, send)
    return sent


@pytest.mark.parametrize("error", [None, KeyError("in the middle")])
def test_wsgi_body_is_closed(error: Exception | None) -> None:
    """M1: exactly once, whatever happens."""
    body = Body(b"one", b"two", error=error)

    def application(environ: Any, start_response: Any) -> Body:
        start_response("200 OK", [])
        return body

    if error is None:
        assert [event.get("body") for event in asyncio.run(ask(application))] == [None, b"one", b"two", None]
    else:
        with pytest.raises(KeyError, match="in the middle"):
            asyncio.run(ask(application))
    assert body.closed == 1


def test_wsgi_write() -> None:
    """M2: `start_response` returns a `write` that works."""

    def application(environ: Any, start_response: Any) -> list[bytes]:
        write = start_response("200 OK", [("X-One", "1")])
        write(b"written")
        return [b"returned"]

    start, *rest = asyncio.run(ask(application))
    assert start["headers"] == [(b"x-one", b"1")]
    assert [event.get("body") for event in rest] == [b"written", b"returned", None]


def test_wsgi_headers_of_the_connection() -> None:
    """An application that sets them is served, as with asgiref; they are the server's to send."""

    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [("Connection", "close"), ("X-One", "1")])
        return [b"served"]

    start, body, _ = asyncio.run(ask(application))
    assert (start["headers"], body["body"]) == ([(b"x-one", b"1")], b"served")


def test_wsgi_second_head() -> None:
    """M7: an error of the builtin kind that asgiref raises."""

    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        with pytest.raises(ValueError, match="twice"):
            start_response("200 OK", [])
        return []

    assert asyncio.run(ask(application))


def test_wsgi_head_that_was_sent_is_not_replaced() -> None:
    """M7: an empty chunk sends it here, as in asgiref; the error goes to the server, and no page into this response."""

    def application(environ: Any, start_response: Any) -> Iterator[bytes]:
        start_response("200 OK", [("Content-Length", "2")])
        yield b""
        try:
            raise KeyError("too late")
        except KeyError:
            start_response("500 Broken", [], sys.exc_info())
        yield b"error page"

    with pytest.raises(KeyError, match="too late"):
        asyncio.run(ask(application))


@pytest.mark.parametrize("body", [[], [b""], [b"a"]])
def test_wsgi_without_start_response(body: list[bytes]) -> None:
    """M7: a named error."""

    def application(environ: Any, start_response: Any) -> list[bytes]:
        return body

    with pytest.raises(StartResponseError, match="without calling start_response"):
        asyncio.run(ask(application))


def test_wsgi_truncated_request() -> None:
    """M5: an application never sees a body that was cut off."""
    events = {"type": "http.request", "body": b"half", "more_body": True}, {"type": "http.disconnect"}

    def application(environ: Any, start_response: Any) -> list[bytes]:
        pytest.fail("it must not run")

    assert asyncio.run(ask(application, *events)) == []


def test_wsgi_cookies_and_wrong_scopes() -> None:
    """M4, M14: crumbs are joined with a semicolon, and a limit on repeats does not count them."""

    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [environ["HTTP_COOKIE"].encode()]

    headers = [(b"cookie", b"a=%d" % number) for number in range(120)]
    assert asyncio.run(ask(application, headers=headers))[1]["body"].startswith(b"a=0; a=1; ")
    with pytest.raises(ValueError, match="lifespan"):
        asyncio.run(ask(application, type="lifespan"))


@pytest.mark.parametrize("limit", [None, 0])
def test_wsgi_without_a_limit_on_repeats(limit: int | None) -> None:
    """M14: as in asgiref, zero is no limit either."""

    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("204 No Content", [])
        return []

    async def main() -> int:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request"}

        async def send(event: dict[str, Any]) -> None:
            sent.append(event)

        scope = HTTP | {"headers": [(b"x-repeated", b"1")] * 101}
        await WsgiToAsgi(application, duplicate_header_limit=limit)(scope, receive, send)
        status: int = sent[0]["status"]
        return status

    assert asyncio.run(main()) == 204


def test_wsgi_build_environ_overridden() -> None:
    """J8: what subclasses of the instance add is what the application sees."""

    class Instance(WsgiToAsgiInstance):
        def build_environ(self, scope: Any, body: Any) -> dict[str, Any]:
            return super().build_environ(scope, body) | {"more": b"added"}

    async def main() -> list[dict[str, Any]]:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": b"body"}

        async def send(event: dict[str, Any]) -> None:
            sent.append(event)

        await Instance(application)(HTTP, receive, send)
        return sent

    def application(environ: Any, start_response: Any) -> list[bytes]:
        start_response("200 OK", [])
        return [environ["wsgi.input"].read() + environ["more"]]

    assert asyncio.run(main())[1]["body"] == b"bodyadded"
