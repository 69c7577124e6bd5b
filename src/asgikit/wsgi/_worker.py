"""One WSGI call, on the thread that runs it: the application, its body and its `close`."""

import asyncio
import logging
from collections.abc import Callable, Iterable, Sequence
from contextvars import Context, copy_context
from types import GeneratorType
from typing import Any, Final, cast

from asgikit.errors import ClientDisconnectedError, ResponseBodyError
from asgikit.spec import ScopeLike, WSGIApplication
from asgikit.wsgi._file_wrapper import FileWrapper, file_event
from asgikit.wsgi._inbound import Inbound
from asgikit.wsgi._outbound import Outbound
from asgikit.wsgi._request_body import RequestBody
from asgikit.wsgi._response import ExcInfo, ResponseState

__all__ = ("WsgiCall", "caused_by_disconnect")

_SHORT: Final = 65536  # bytes; a list of chunks up to this size travels as one
_PLAIN: Final = (list, tuple)  # exactly: a subclass may have a close
_logger = logging.getLogger("asgikit.wsgi")


def caused_by_disconnect(error: BaseException | None) -> bool:
    """Whether `error` is what an application raised because its client had left."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        if isinstance(error, ClientDisconnectedError):
            return True
        seen.add(id(error))
        error = error.__cause__ or error.__context__
    return False


class WsgiCall:
    """The call as work for an executor (`asgikit.protocols.Work`)."""

    __slots__ = (
        "_application",
        "_context",
        "_environ",
        "_inbound",
        "_outbound",
        "_outcome",
        "_scope",
        "_state",
        "crossing",
    )

    def __init__(
        self,
        application: WSGIApplication,
        environ: dict[str, Any],
        *,
        scope: ScopeLike,
        state: ResponseState,
        inbound: Inbound,
        outbound: Outbound,
        context: Context | None,
    ) -> None:
        self._application = application
        self._environ = environ  # the application may change it
        self._scope = scope
        self._state = state
        self._inbound = inbound
        self._outbound = outbound
        self._context = context
        self._outcome: BaseException | None = None
        self.crossing: asyncio.Task[None] | None = None
        """The task that crosses a bridge for this call, if one does; for the event-loop thread."""

    @property
    def name(self) -> str:
        """What a report calls this request."""
        return f"{self._scope['method']} {self._scope['path']}"

    def run(self) -> None:
        """Run the application in a copy of the request's context, then close its body. Never raises."""
        try:
            context = copy_context() if self._context is None else self._context
            context.run(self._respond)
        except BaseException as error:
            self._outcome = error

    def deliver(self) -> None:
        """Tell the event loop how it went."""
        outcome, self._outcome = self._outcome, None
        if not self._outbound.done(outcome) and outcome is not None and not caused_by_disconnect(outcome):
            _logger.error("a WSGI application failed after its client had left", exc_info=outcome)
        outcome = None  # no reference cycle through the traceback

    def run_and_deliver(self) -> None:
        """Do both, for an executor that knows calls only."""
        self.run()
        self.deliver()

    def fail(self, error: BaseException, /) -> None:
        """End the request with `error`: the executor will never run the application."""
        self._outbound.done(error)

    def start_response(
        self, status: str, response_headers: list[tuple[str, str]], exc_info: ExcInfo | None = None
    ) -> Callable[[bytes], object]:
        """PEP 3333's `start_response`."""
        try:
            self._state.start(status, response_headers, exc_info)
        finally:
            exc_info = None  # no reference cycle through the traceback
        return self._write

    def _respond(self) -> None:
        self._outbound.check_wanted()
        environ = self._environ
        environ["wsgi.input"] = RequestBody(self._inbound)
        environ["wsgi.file_wrapper"] = FileWrapper
        body = self._application(environ, self.start_response)
        try:
            self._send(body)
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()

    def _send(self, body: Iterable[bytes]) -> None:
        if type(body) in _PLAIN and not self._state.committed and _is_short(cast("Sequence[bytes]", body)):
            data = self._state.push_whole(cast("Sequence[bytes]", body))
            self._outbound.put(data, self._state.head, last=True, wake=False)
        elif not (isinstance(body, FileWrapper) and self._send_file(body)):
            self._stream(body)
        overrun = self._state.overrun
        if overrun:
            _logger.warning("a WSGI application sent %d bytes more than its Content-Length announces", overrun)

    def _stream(self, body: Iterable[bytes]) -> None:
        state, outbound = self._state, self._outbound
        for chunk in _iterate(body):
            self._put(chunk)
            if state.complete:
                break
        else:
            state.finish()
            # An exhausted generator has nothing left to close: the loop hears of both ends at once.
            outbound.finish(state.head, wake=hasattr(body, "close") and not isinstance(body, GeneratorType))

    def _put(self, chunk: object) -> None:
        state = self._state
        first = not state.committed
        data = state.push(chunk)
        if data or state.complete:
            self._outbound.put(data, state.head if first else None, last=state.complete)
        else:
            self._outbound.check()

    def _write(self, data: bytes, /) -> None:
        if self._state.complete:
            self._state.push(data)  # counted as too much
        else:
            self._put(data)
        self._state.check_write()

    def _send_file(self, body: FileWrapper) -> bool:
        state = self._state
        head = state.head
        if head is None or state.committed or not state.sends_body:
            return False
        found = file_event(body.filelike, head.length, self._scope.get("extensions"))
        if found is None:
            return False
        event, count = found
        state.push_elsewhere(count)
        self._outbound.put_file(event, head)
        return True


def _is_short(chunks: Sequence[object]) -> bool:
    return sum(len(chunk) if isinstance(chunk, bytes) else 0 for chunk in chunks) <= _SHORT


def _iterate(body: Iterable[object]) -> Iterable[object]:
    try:
        return iter(body)
    except TypeError as error:
        raise ResponseBodyError(f"the application returned {type(body).__name__}: no iterable of bytes") from error
