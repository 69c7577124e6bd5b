"""The event-loop side of the request body: `receive` goes to the worker, a disconnect to whom it concerns."""

import asyncio
import logging
from collections.abc import Mapping
from typing import Any, Final

from asgikit.errors import ClientDisconnectedError, RequestBodyDroppedError
from asgikit.spec import ReceiveLike
from asgikit.wsgi._inbound import Inbound
from asgikit.wsgi._outbound import Outbound

__all__ = ("Receiver",)

_GONE: Final = "the client has left"
_DROPPED: Final = "the response was streamed without reading the request, so the rest of the request was dropped"
_logger = logging.getLogger("asgikit.wsgi")


class Receiver:
    """Moves events while a request is served. Used on the event-loop thread only."""

    __slots__ = ("_inbound", "_more", "_outbound", "_patience", "_probe_after", "_receive", "_task", "failure")

    def __init__(self, receive: ReceiveLike, inbound: Inbound, outbound: Outbound, *, probe_after: float) -> None:
        self._receive = receive
        self._inbound = inbound
        self._outbound = outbound
        self._probe_after = probe_after
        self._patience: float | None = None
        self._more = True
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

    def answering(self, *, complete: bool, ended: bool) -> None:
        """The response has begun: from now on it matters whether the client is still there, unless it is `complete`.

        A body that nobody reads must not hide that: now and then one event more is received, and if the
        application goes on like that, the rest of the body is dropped. Memory stays bounded either way. A server may
        also wait with `send` until it has handed over what it has (hypercorn does, when the connection ends). Of
        an application that has `ended`, nothing is waited for.
        """
        if self._task is None and (complete or ended):
            return
        if ended:
            self._inbound.fail(RequestBodyDroppedError(_DROPPED))
        self._patience = self._probe_after
        self._inbound.make_room()
        if not (complete or ended):
            self.start()

    async def receive_all(self) -> None:
        """Receive the whole body now, with no bound but the limit on it."""
        while not self._inbound.ended:
            self._take(await self._receive())

    async def _run(self) -> None:
        try:
            while not self._inbound.ended:
                self._take(await self._receive())
                await self._inbound.room(self._patience)
        except Exception as error:
            self.failure = error
            self._leave(f"receiving the request failed: {error!r}")
            return
        try:
            await self._watch()
        except Exception as error:
            _logger.debug("receive() raised after the request body: %r", error)

    def _take(self, event: Mapping[str, Any]) -> None:
        if event["type"] == "http.disconnect":
            self._more = False
            self._leave(_GONE)
            return
        if self._patience is not None and self._inbound.overfull:
            self._inbound.fail(RequestBodyDroppedError(_DROPPED))
        self._more = bool(event.get("more_body"))
        body = event.get("body") or b""
        self._inbound.feed(body if isinstance(body, bytes) else bytes(body), more=self._more)

    async def _watch(self) -> None:
        """Wait for the client to leave, and drop what may come of a body that ended by itself or by a limit."""
        while True:
            event = await self._receive()
            if event["type"] == "http.disconnect":
                self._leave(_GONE)
                return
            if not self._more:
                return  # a server that repeats the end of a body is not asked for ever
            self._more = bool(event.get("more_body"))
            await asyncio.sleep(0)

    def _leave(self, reason: str) -> None:
        self._inbound.fail(ClientDisconnectedError(reason))
        self._outbound.abort(reason)
