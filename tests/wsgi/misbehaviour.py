"""Random scopes, clients and applications, most of them wrong, and what must hold for each of them.

`Case` is one request as data; `check` performs it and looks. Used by the tests with few cases and by
`tests/stress/rows_wsgi.py` with many.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, cast

from hypothesis import strategies as st

from asgikit.errors import AsgikitError, ClientDisconnectedError, RequestBodyTooLargeError
from asgikit.wsgi import WsgiToAsgi

TIMEOUT: Final = 20.0


class ApplicationError(Exception):
    """What the application raises by itself."""


class SendError(Exception):
    """What the server's send raises."""


@dataclass
class Case:
    """One request, one client, one application."""

    scope: dict[str, Any]
    incoming: list[Mapping[str, Any]]
    steps: list[tuple[str, Any]]
    result: tuple[str, list[Any]]
    knobs: dict[str, Any]
    send_fails: tuple[int, str] | None
    leaves_at_send: int | None


@dataclass
class Outcome:
    """What was seen."""

    events: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    returned: int = 0
    closed: int = 0
    left: bool = False
    read: bytes = b""
    whole: bytes | None = None


names = st.one_of(
    st.sampled_from([b"host", b"cookie", b"content-type", b"x_user", b"x-user", b"expect", b"transfer-encoding", b""]),
    st.binary(max_size=8),
)
lengths = st.sampled_from([b"0", b"1", b"5", b"40", b"4000", b"-1", b"x", b"", b"5, 5", b"5,6", b"9" * 30])
headers = st.lists(
    st.one_of(st.tuples(names, st.binary(max_size=12)), st.tuples(st.just(b"content-length"), lengths)), max_size=5
)
some_path = st.text(alphabet="/abc\u00e9\u4e2d\ufffd%*\ud800 ", max_size=8)
offered: list[dict[str, Any] | None] = [None, {}, {"http.response.pathsend": {}}]
extensions = st.sampled_from(offered)
scopes: st.SearchStrategy[Any] = st.fixed_dictionaries(
    {
        "type": st.just("http"),
        "method": st.sampled_from(["GET", "POST", "HEAD", "PUT", "odd"]),
        "path": some_path,
        "headers": headers,
    },
    optional={
        "http_version": st.sampled_from(["1.0", "1.1", "2", "3"]),
        "raw_path": st.one_of(st.none(), st.binary(max_size=8)),
        "query_string": st.binary(max_size=8),
        "root_path": st.one_of(st.sampled_from(["", "/", "/a", "a", "/a/"]), some_path),
        "scheme": st.sampled_from(["http", "https"]),
        "server": st.sampled_from([None, ("h", 80), ("/sock", None)]),
        "client": st.sampled_from([None, ("::1", 5), ("c", None)]),
        "extensions": extensions,
    },
)
request_event = st.fixed_dictionaries(
    {"type": st.just("http.request")}, optional={"body": st.binary(max_size=50), "more_body": st.booleans()}
)
incoming = st.lists(st.one_of(request_event, st.just({"type": "http.disconnect"})), max_size=5)

statuses = st.sampled_from(["200 OK", "204 No Content", "304 Not Modified", "500 Oh", "200", "bad", "", 200, "200 \n"])
pairs = st.sampled_from(
    [
        ("X-A", "1"),
        ("X-B", "\u00e9"),
        ("X-C", "\u4e2d"),
        ("X-D", "a\r\nb"),
        ("Content-Length", "3"),
        ("Content-Length", "0"),
        ("Content-Length", "70"),
        ("Content-Length", "x"),
        ("Connection", "close"),
        ("X E", "1"),
        ("X-F", 1),
        "X-G",
    ]
)
good_pairs = st.sampled_from([("X-A", "1"), ("X-B", "\u00e9"), ("Content-Length", "3"), ("Content-Length", "70")])
chunks = st.one_of(
    st.binary(max_size=40), st.binary(max_size=40), st.sampled_from([b"", b"x" * 300, "text", None, bytearray(b"ba")])
)
good_starts = st.tuples(
    st.sampled_from(["200 OK", "200 OK", "201 Created", "204 No Content", "304 Not Modified"]),
    st.lists(good_pairs, max_size=1),
)
starts = st.one_of(good_starts, st.tuples(statuses, st.lists(pairs, max_size=3)))
start_steps = st.one_of(
    st.tuples(st.just("start"), starts),
    st.tuples(st.just("start"), starts),
    st.tuples(st.just("restart"), starts),
)
steps = st.one_of(
    start_steps,
    start_steps,
    st.tuples(st.just("read"), st.sampled_from([-1, 0, 1, 7, 1000])),
    st.tuples(st.just("readline"), st.sampled_from([-1, 3])),
    st.tuples(st.just("write"), chunks),
    st.tuples(
        st.just("raise"), st.sampled_from([ApplicationError, KeyboardInterrupt, SystemExit, asyncio.CancelledError])
    ),
    st.tuples(st.just("swallow"), st.none()),
)
mild_steps = st.one_of(
    st.tuples(st.just("swallow"), st.none()),
    st.tuples(st.just("write"), st.binary(max_size=40)),
)


def begins(start: Any, more: list[Any]) -> list[Any]:
    return [("start", start), *more]


def ends(start: Any, before: list[Any]) -> list[Any]:
    return [*before, ("start", start)]


programs: st.SearchStrategy[Any] = st.one_of(
    st.lists(steps, max_size=4),
    st.builds(begins, good_starts, st.lists(mild_steps, max_size=3)),
    st.builds(ends, good_starts, st.lists(steps, max_size=1)),
)
good_chunks = st.one_of(st.binary(max_size=40), st.sampled_from([b"", b"x" * 300]))
results: st.SearchStrategy[Any] = st.one_of(
    st.tuples(st.sampled_from(["list", "generator", "object"]), st.lists(good_chunks, max_size=5)),
    st.tuples(st.sampled_from(["list", "tuple"]), st.lists(chunks, max_size=4)),
    st.tuples(st.sampled_from(["generator", "object", "broken close"]), st.lists(st.one_of(chunks, steps), max_size=5)),
    st.tuples(st.just("nothing"), st.just([])),
)
knobs = st.fixed_dictionaries(
    {},
    optional={
        "max_body_size": st.sampled_from([0, 5, 30, 1000]),
        "buffer_body": st.sampled_from(["never", "unknown", "always"]),
        "request_buffer": st.sampled_from([1, 20, 10000]),
        "response_buffer": st.sampled_from([1, 20, 10000]),
        "coalesce": st.booleans(),
        "hop_by_hop": st.sampled_from(["refuse", "drop"]),
        "keep_underscore_headers": st.booleans(),
        "duplicate_header_limit": st.sampled_from([None, 1, 2]),
    },
)
cases = st.builds(
    Case,
    scope=scopes,
    incoming=incoming,
    steps=programs,
    result=results,
    knobs=knobs,
    send_fails=st.one_of(st.none(), st.none(), st.tuples(st.integers(1, 4), st.sampled_from(["os", "other"]))),
    leaves_at_send=st.one_of(st.none(), st.none(), st.integers(1, 4)),
)


class Performer:
    """The application of one case."""

    def __init__(self, case: Case, outcome: Outcome) -> None:
        self.case = case
        self.outcome = outcome
        self.write: Callable[[Any], object] | None = None

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        for step in self.case.steps:
            self.perform(step, environ, start_response)
        kind, parts = self.case.result
        if kind == "list":
            return parts
        if kind == "tuple":
            return tuple(parts)
        if kind == "nothing":
            return None
        self.outcome.returned += 1
        return Body(self, kind, parts, environ, start_response)

    def perform(self, step: tuple[str, Any], environ: dict[str, Any], start_response: Callable[..., Any]) -> None:
        name, value = step
        if name == "start":
            self.write = start_response(*value)
        elif name == "restart":
            try:
                raise ApplicationError
            except ApplicationError as error:
                self.write = start_response(*value, (ApplicationError, error, error.__traceback__))
        elif name in {"read", "readline"}:
            data = getattr(environ["wsgi.input"], name)(value)
            assert isinstance(data, bytes)
            assert value < 0 or len(data) <= value
            self.outcome.read += data
            if value < 0 and name == "read":
                self.outcome.whole = self.outcome.read
        elif name == "write" and self.write is not None:
            self.write(value)
        elif name == "raise":
            raise value
        elif name == "swallow":
            with suppress(OSError):
                self.outcome.read += environ["wsgi.input"].read()
                self.outcome.whole = self.outcome.read


class Body:
    """What it returns: chunks and further steps."""

    def __init__(self, performer: Performer, kind: str, parts: list[Any], *call: Any) -> None:
        self.performer = performer
        self.kind = kind
        self.parts = parts
        self.call = call

    def __iter__(self) -> Iterator[Any]:
        for part in self.parts:
            if isinstance(part, tuple):
                self.performer.perform(cast("tuple[str, Any]", part), *self.call)
            else:
                yield part

    def close(self) -> None:
        self.performer.outcome.closed += 1
        if self.kind == "broken close":
            raise ApplicationError


class Server:
    """The two callables."""

    def __init__(self, case: Case, outcome: Outcome) -> None:
        self.case = case
        self.outcome = outcome
        self.incoming = list(case.incoming)
        self.ended = False
        self.gone = asyncio.Event()

    async def receive(self) -> Mapping[str, Any]:
        if self.incoming and not self.ended and not self.gone.is_set():
            event = self.incoming.pop(0)
            self.ended = not event.get("more_body", False)
            if event["type"] == "http.disconnect":
                self.leave()
            return event
        if self.ended:
            await self.gone.wait()
        self.leave()
        return {"type": "http.disconnect"}

    async def send(self, event: dict[str, Any]) -> None:
        self.outcome.events.append(event)
        count = len(self.outcome.events)
        if count == self.case.leaves_at_send:
            self.leave()
        if self.case.send_fails is not None and count == self.case.send_fails[0]:
            self.leave()
            raise OSError if self.case.send_fails[1] == "os" else SendError

    def leave(self) -> None:
        self.outcome.left = True
        self.gone.set()


def check_events(events: list[dict[str, Any]]) -> bool:
    """Check the order of the events and the form of each; return whether the response is complete."""
    if not events:
        return False
    start, *bodies = events
    assert start["type"] == "http.response.start"
    assert isinstance(start["status"], int)
    for name, value in start["headers"]:
        assert isinstance(name, bytes)
        assert name == name.lower()
        assert isinstance(value, bytes)
        assert not {0, 10, 13} & set(value)
    for body in bodies:
        assert body["type"] == "http.response.body"
        assert isinstance(body["body"], bytes)
    assert all(body["more_body"] for body in bodies[:-1])
    complete = bool(bodies) and not bodies[-1]["more_body"]
    announced = [int(value) for name, value in start["headers"] if name == b"content-length"]
    sent = sum(len(body["body"]) for body in bodies)
    if announced:
        assert sent <= announced[0]
    return complete


def check_body(case: Case, outcome: Outcome) -> None:
    """Check that what was read is what was sent, and that only a whole body looked like one."""
    sent, ended = b"", False
    for event in case.incoming:
        if event["type"] == "http.disconnect":
            break
        sent += event.get("body", b"")
        if not event.get("more_body", False):
            ended = True
            break
    assert sent.startswith(outcome.read)
    if outcome.whole is not None:
        announced = [value for name, value in case.scope["headers"] if name.lower() == b"content-length"]
        expected = int(announced[0].split(b",")[0]) if announced else len(sent)
        assert len(outcome.whole) == expected
        assert ended or announced


async def check(case: Case, executor: Any) -> Outcome:
    """Perform `case` and check what must hold: a response or a documented error, one close, nothing left."""
    outcome = Outcome()
    server = Server(case, outcome)
    adapter = WsgiToAsgi(Performer(case, outcome), executor=executor, **case.knobs)
    raised: BaseException | None = None
    try:
        await asyncio.wait_for(adapter(case.scope, server.receive, server.send), TIMEOUT)
    except (AsgikitError, ApplicationError, SendError) as error:
        raised = error
    assert outcome.closed == outcome.returned
    complete = check_events(outcome.events)
    check_body(case, outcome)
    if isinstance(raised, ClientDisconnectedError | RequestBodyTooLargeError):
        assert outcome.events  # the response had begun: all that is left is to break it off
        assert not complete
    if raised is None:
        assert complete or outcome.left
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert not adapter._mailboxes._by_loop
    return outcome
