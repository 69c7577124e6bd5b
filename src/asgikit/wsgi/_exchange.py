"""One HTTP request on the event-loop thread: what the worker says becomes ASGI events."""

import asyncio
import logging

from asgikit.errors import ClientDisconnectedError, WsgiApplicationError
from asgikit.spec import SendLike
from asgikit.wsgi._inbound import Inbound
from asgikit.wsgi._options import Options
from asgikit.wsgi._outbound import Batch, Outbound
from asgikit.wsgi._receiver import Receiver
from asgikit.wsgi._replies import reply_too_large, reply_truncated
from asgikit.wsgi._worker import caused_by_disconnect

__all__ = ("Exchange",)

_logger = logging.getLogger("asgikit.wsgi")


class Exchange:
    """Relays one response. Used on the event-loop thread only."""

    __slots__ = (
        "_completed",
        "_failure",
        "_inbound",
        "_options",
        "_outbound",
        "_receiver",
        "_send",
        "_started",
        "deserted",
    )

    def __init__(
        self, send: SendLike, inbound: Inbound, outbound: Outbound, receiver: Receiver, options: Options
    ) -> None:
        self._send = send
        self._inbound = inbound
        self._outbound = outbound
        self._receiver = receiver
        self._options = options
        self._started = False
        self._completed = False
        self._failure: BaseException | None = None
        self.deserted = False
        """Whether the worker was left while it ran."""

    async def relay(self) -> None:
        """Send until the worker has ended.

        Raises what the application raised, if its client was there to mind; what `send` or `receive` raised.
        """
        try:
            done = False
            while not done:
                batch = await self._outbound.take()
                done = batch.done
                if not self._completed and self._failure is None:
                    await self._transmit(batch)
                if batch.wants_body:
                    self._receiver.start()
            await self._conclude()
        finally:
            if self._outbound.desert("the server cancelled the request"):
                self.deserted = True
                self._inbound.fail(ClientDisconnectedError("the server cancelled the request"))

    async def _transmit(self, batch: Batch) -> None:
        try:
            await self._events(batch)
        except OSError as error:  # the ASGI way to say that the client has left
            self._break_off(f"the client has left: {error!r}")
        except Exception as error:
            self._failure = error
            self._break_off(f"sending the response failed: {error!r}")

    def _break_off(self, reason: str) -> None:
        self._completed = True
        self._inbound.fail(ClientDisconnectedError(reason))
        self._outbound.abort(reason)

    async def _events(self, batch: Batch) -> None:
        head = batch.head
        if not self._started:
            if head is None:
                return
            if self._inbound.too_large:
                await self._refuse_body()
                return
            self._started = True
            await self._send({"type": "http.response.start", "status": head.status, "headers": head.headers})
            self._receiver.answering(complete=batch.last, ended=batch.done)
        if batch.file_event is not None:
            await self._send(batch.file_event)
            self._completed = True
            self._outbound.sent()
        elif self._options.coalesce:
            await self._body(b"".join(batch.chunks) if len(batch.chunks) != 1 else batch.chunks[0], last=batch.last)
        else:
            for chunk in batch.chunks:
                await self._body(chunk, last=False)
            await self._body(b"", last=batch.last)

    async def _body(self, data: bytes, *, last: bool) -> None:
        if data or last:
            self._completed = last
            await self._send({"type": "http.response.body", "body": data, "more_body": not last})

    async def _refuse_body(self) -> None:
        self._started = True
        self._completed = True
        self._outbound.abort("the request body is too large")
        await reply_too_large(self._send)

    async def _conclude(self) -> None:
        error = self._outbound.take_error()
        try:
            failure = self._receiver.failure if self._failure is None else self._failure
            if failure is not None:
                raise failure
            if error is None:
                return
            if self._inbound.too_large and not self._started:
                await self._refuse_body()
            elif self._inbound.truncated and not self._started and caused_by_disconnect(error):
                await reply_truncated(self._send)
            elif caused_by_disconnect(error) and not self._inbound.truncated:
                _logger.debug("a WSGI application ended because its client had left", exc_info=error)
            elif isinstance(error, Exception) and not isinstance(error, asyncio.CancelledError):
                raise error
            else:
                raise WsgiApplicationError(f"the WSGI application raised {error!r}") from error
        finally:
            error = failure = self._failure = self._receiver.failure = None  # no reference cycle through the traceback
