"""`asgiref.server`: the stateless server with asgiref's surface. The native one is `asgikit.server.StatelessServer`.

Subclasses look into `application_instances` and put messages into plain queues, so the book-keeping is theirs as
much as ours; the rules of INVARIANTS.md section N that this allows are kept.
"""

import asyncio
import logging
import time
from asyncio import Queue, Task
from collections.abc import Callable
from typing import Any, Final, TypedDict

from asgikit.compat.asgiref import compatibility

__all__ = ("StatelessServer", "logger")

logger: Final = logging.getLogger("asgiref.server")
"""Where applications that fail are reported."""


class _Instance(TypedDict):
    input_queue: Queue[Any]
    future: "Task[Any]"
    scope: Any
    last_used: float


class StatelessServer:
    """Keeps application instances alive for scopes that have no connection; subclass it and override two methods.

    `handle` reads the outside stream and puts messages into the queue that `get_or_create_application_instance`
    returns; `application_send` takes what applications send. Everything runs on the thread of one event loop.
    """

    application_checker_interval: float = 0.1
    """Seconds between two looks for what somebody did to `application_instances` by hand."""

    def __init__(self, application: Callable[..., Any], max_applications: int = 1000) -> None:
        self.application = application
        self.max_applications = max_applications
        self.application_instances: dict[Any, _Instance] = {}
        self._replaced: list[tuple[Any, _Instance]] = []

    def run(self) -> None:
        """Serve on an event loop of its own until `handle` ends; Ctrl-C ends it too. Blocks the calling thread."""
        try:
            asyncio.run(self.arun())
        except KeyboardInterrupt:
            logger.info("Exiting due to Ctrl-C/interrupt")

    async def arun(self) -> None:
        """Serve until `handle` ends. Raises what it raises; no task of the server lives on (invariant N3).

        It ends also with an error of `application_checker`, which is one of `application_exception`.
        """
        checker, handler = asyncio.create_task(self.application_checker()), asyncio.create_task(self.handle())
        handler.add_done_callback(lambda _: checker.cancel())
        try:
            await asyncio.wait([checker, handler], return_when=asyncio.FIRST_EXCEPTION)
        finally:
            handler.cancel()
            await self._end([checker, handler])
        if not checker.cancelled():
            checker.result()
        handler.result()

    async def _end(self, others: "list[Task[None]]") -> None:
        tasks: list[Task[Any]] = [*others]
        for scope_id in list(self.application_instances):
            tasks.append(self.application_instances[scope_id]["future"])
            self.delete_application_instance(scope_id)
        await asyncio.gather(*tasks, return_exceptions=True)

    async def handle(self) -> None:
        """Read the outside stream. Override it."""
        raise NotImplementedError("a subclass of StatelessServer has to override handle()")

    async def application_send(self, scope: Any, message: Any) -> None:
        """Take a message that the application of `scope` sent. Override it."""
        raise NotImplementedError("a subclass of StatelessServer has to override application_send()")

    def get_or_create_application_instance(self, scope_id: Any, scope: Any) -> Queue[Any]:
        """Return the input queue of the instance for `scope_id`, and start one if none lives (invariant N4)."""
        details = self.application_instances.get(scope_id)
        if details is not None and not details["future"].done():
            details["last_used"] = time.monotonic()
            self.application_instances[scope_id] = self.application_instances.pop(scope_id)  # the oldest stands first
            return details["input_queue"]
        if details is not None:
            self._replaced.append((scope_id, self.application_instances.pop(scope_id)))
        while len(self.application_instances) >= self.max_applications:
            self.delete_oldest_application_instance()
        return self._start(scope_id, scope)

    def _start(self, scope_id: Any, scope: Any) -> Queue[Any]:
        input_queue: Queue[Any] = Queue()

        async def send(message: Any) -> None:
            await self.application_send(scope, message)

        application = compatibility.guarantee_single_callable(self.application)
        future: Task[Any] = asyncio.ensure_future(application(scope, input_queue.get, send))
        self.application_instances[scope_id] = {
            "input_queue": input_queue,
            "future": future,
            "scope": scope,
            "last_used": time.monotonic(),
        }
        return input_queue

    def delete_oldest_application_instance(self) -> None:
        """End the instance that was used least recently."""
        for scope_id in self.application_instances:
            self.delete_application_instance(scope_id)
            return

    def delete_application_instance(self, scope_id: Any) -> None:
        """End the instance for `scope_id`: it is cancelled and forgotten."""
        details = self.application_instances.pop(scope_id)
        if not details["future"].done():
            details["future"].cancel()

    async def application_checker(self) -> None:
        """Look for instances that have ended, again and again, and report their exceptions."""
        while True:
            await asyncio.sleep(self.application_checker_interval)
            replaced, self._replaced = self._replaced, []
            for scope_id, details in [*replaced, *self.application_instances.items()]:
                if details["future"].done():
                    await self._bury(scope_id, details)

    async def _bury(self, scope_id: Any, details: _Instance) -> None:
        # An outcome of any kind never stops the server (invariant N2).
        exception = None if details["future"].cancelled() else details["future"].exception()
        if exception is not None:
            await self.application_exception(exception, details)
        if self.application_instances.get(scope_id) is details:
            del self.application_instances[scope_id]

    async def application_exception(self, exception: BaseException, application_details: _Instance) -> None:
        """Report what an application raised; override it to do something else about it."""
        logger.error("The application for scope %r failed", application_details["scope"], exc_info=exception)
