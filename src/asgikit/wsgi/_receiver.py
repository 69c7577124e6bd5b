"""The event-loop side of the request body: `receive` goes to the worker, a disconnect to whom it concerns."""

import asyncio
import logging

from asgikit.errors import ClientDisconnectedError
from asgikit.spec import ReceiveLike
from asgikit.wsgi._inbound import Inbound
from asgikit.wsgi._outbound import Outbound

__all__ = ("Receiver",)

_GONE = "the client has left"
_logger = logging.getLogger("asgikit.wsgi")


class Receiver:
    """Moves events while a request is served. Used on the event-loop thread only."""

    __slots__ = ("_inbound", "_outbound", "_receive", "_task", "failure")

    def __init__(self, receive: ReceiveLike, inbound: Inbound, outbound: Outbound) -> None:
        self._receive = receive
        self._inbound = inbound
        self._outbound = outbound
        self._task: asyncio.Task[None] | None = None
        self.failure: BaseException | None = None

    def start(self) -> None:
        """Receive in a task of its own, unless that is so already."""
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run())

    async def stop(self) -> None:
        """End the task, if there is one, and wait for it."""
        task, self._task = self._task, None
        if task is not None and not task.done():
            task.cancel()
            await asyncio.wait((task,))

    async def receive_all(self) -> None:
        """Receive the whole body now, with no bound but the limit on it."""
        await self._body(bounded=False)

    async def _run(self) -> None:
        try:
            await self._body(bounded=True)
        except Exception as error:  # noqa: BLE001 - raised again once the worker has ended
            self.failure = error
            self._leave(f"receiving the request failed: {error!r}")
            return
        await self._watch()

    async def _body(self, *, bounded: bool) -> None:
        inbound = self._inbound
        while not inbound.ended:
            event = await self._receive()
            if event["type"] == "http.disconnect":
                self._leave(_GONE)
            else:
                body = event.get("body") or b""
                inbound.feed(body if isinstance(body, bytes) else bytes(body), more=bool(event.get("more_body")))
            if bounded:
                await inbound.room()

    async def _watch(self) -> None:
        """Wait for the client to leave, once its body is here."""
        try:
            event = await self._receive()
        except Exception as error:  # noqa: BLE001 - nothing more to hear, but the response can still be sent
            _logger.debug("receive() raised after the request body: %r", error)
            return
        if event["type"] == "http.disconnect":
            self._leave(_GONE)

    def _leave(self, reason: str) -> None:
        self._inbound.fail(ClientDisconnectedError(reason))
        self._outbound.abort(reason)
