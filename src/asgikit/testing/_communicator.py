"""Drives one ASGI application in a test: feeds it, reads what it sends, and tells late, ended and failed apart."""

import asyncio
from asyncio import CancelledError, Future, Task, get_running_loop
from collections import deque
from collections.abc import Callable
from contextvars import Context, copy_context
from types import TracebackType
from typing import Any, Final, Generic, Literal, Self, TypeAlias

from typing_extensions import TypeVar

from asgikit.bridge._double import as_single_callable
from asgikit.errors import ApplicationEndedError, OutputTimeoutError, ScopeError
from asgikit.loop import MonotonicClock
from asgikit.protocols import ApplicationLike, Clock, DoubleCallable

__all__ = ("ApplicationCommunicator", "ContextChoice")

_ScopeT = TypeVar("_ScopeT", default=Any)
_InT = TypeVar("_InT", default=Any)
_OutT = TypeVar("_OutT", default=Any)

ContextChoice: TypeAlias = Literal["copy", "empty"] | Context
"""The context of the application under test: a copy of the test's own, an empty one, or this very one."""

_GRACE: Final = 2.0


class ApplicationCommunicator(Generic[_ScopeT, _InT, _OutT]):
    """Runs an application for one scope, for as long as the block lasts.

        async with ApplicationCommunicator(application, scope) as communicator:
            await communicator.send_input({"type": "http.request"})
            start = await communicator.receive_output()

    Waiting for output ends in one of four ways: the output, `OutputTimeoutError` (the application is
    still running, and stays so), `ApplicationEndedError` (it returned; no output can come any more), or the very
    exception that the application raised. What it had sent before always comes first. An exception that no call
    has shown is raised at the end of the block, so that no failure stays unseen.

    Belongs to the event loop on which it is entered. Times are in seconds, by the clock given.
    """

    def __init__(
        self,
        application: ApplicationLike[_ScopeT, _InT, _OutT] | DoubleCallable[_ScopeT, _InT, _OutT],
        scope: _ScopeT,
        *,
        timeout: float = 1.0,
        context: ContextChoice = "copy",
        clock: Clock | None = None,
        double_callable: bool = False,
    ) -> None:
        """Take the parts; the application starts when the block is entered.

        `timeout` is for every wait that is given none. `double_callable` declares an ASGI 2 application.
        """
        self.scope: _ScopeT = scope
        self._application = as_single_callable(application, double=double_callable)
        self._timeout = timeout
        self._context: ContextChoice = context
        self._clock: Clock = MonotonicClock() if clock is None else clock
        self._inputs: deque[_InT] = deque()
        self._outputs: deque[_OutT] = deque()
        self._input_waiters: list[Future[None]] = []
        self._output_waiters: list[Future[None]] = []
        self._task: Task[object] | None = None
        self._cancelling = False
        self._error: BaseException | None = None
        self._shown = False

    async def __aenter__(self) -> Self:
        """Start the application.

        Raises:
            ScopeError: it was started already.
        """
        if self._task is not None:
            raise ScopeError("This communicator has been used: make a new one for each run of an application")
        self._task = self._start()
        self._task.add_done_callback(lambda _: _wake(self._output_waiters))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None, /
    ) -> None:
        """Finish the application, by cancellation if it still runs; raise its failure if nobody has seen it."""
        await self.stop()
        if error is None and self._error is not None and not self._shown:
            raise self._show(self._error)

    @property
    def ended(self) -> bool:
        """Whether the application has ended, in whichever way."""
        return self._task is not None and self._task.done()

    async def send_input(self, message: _InT, /) -> None:
        """Give the application a message; it need not have asked for one. Never waits.

        Raises:
            ApplicationEndedError: the application has ended, so nobody would take the message.
            BaseException: what the application raised, if it failed.
        """
        if self.ended:
            self._raise_end("takes no input any more")
        self._inputs.append(message)
        _wake(self._input_waiters)

    async def receive_output(self, timeout: float | None = None) -> _OutT:  # noqa: ASYNC109 - by the injected clock
        """Return the next message that the application sends.

        Raises:
            OutputTimeoutError: none came within `timeout` seconds; the application goes on.
            ApplicationEndedError: the application returned, and what it had sent was received before.
            BaseException: what the application raised; the same object.
        """
        limit = self._timeout if timeout is None else timeout
        if not await self._until(lambda: bool(self._outputs) or self.ended, limit):
            raise OutputTimeoutError(
                f"The application sent nothing within {limit} s; it is still running,"
                " and waits for input, or for something else"
            )
        if not self._outputs:
            self._raise_end("has sent all that it sent")
        return self._outputs.popleft()

    async def receive_nothing(self, timeout: float = 0.1) -> bool:  # noqa: ASYNC109 - by the injected clock
        """Return True if nothing is sent for `timeout` seconds, False as soon as there is a message (it stays queued).

        True at once when the application has ended: nothing can come.
        """
        await self._until(lambda: bool(self._outputs) or self.ended, timeout)
        return not self._outputs

    async def wait(self, timeout: float | None = None) -> object:  # noqa: ASYNC109 - by the injected clock
        """Wait for the application to end by itself and return what it returned.

        Raises:
            OutputTimeoutError: it still runs after `timeout` seconds, and goes on.
            BaseException: what the application raised; the same object.
        """
        limit = self._timeout if timeout is None else timeout
        if not await self._until(lambda: self.ended, limit):
            raise OutputTimeoutError(f"The application did not end within {limit} s; it is still running")
        if self._error is not None:
            raise self._show(self._error)
        return self._result()

    async def stop(self) -> None:
        """Cancel the application if it runs and wait for it to end. Its failure is not raised here.

        Raises:
            OutputTimeoutError: it swallows its cancellation.
        """
        if self._task is None or self.ended:
            return
        self._cancelling = True
        self._task.cancel("the communicator stops the application")
        if not await self._until(lambda: self.ended, _GRACE):
            raise OutputTimeoutError(f"The application was cancelled and did not end within {_GRACE} s")

    # The application's side

    def _start(self) -> Task[object]:
        create = get_running_loop().create_task
        if isinstance(self._context, Context):
            return create(self._run(), context=self._context)
        # Not by `context=`, which not every task factory knows.
        context = copy_context() if self._context == "copy" else Context()
        return context.run(create, self._run())

    async def _run(self) -> object:
        try:
            return await self._application(self.scope, self._receive, self._send)
        except (KeyboardInterrupt, GeneratorExit):
            raise
        except BaseException as error:
            if not (self._cancelling and isinstance(error, CancelledError)):
                self._error = error
            return None

    async def _receive(self) -> _InT:
        while not self._inputs:
            waiter: Future[None] = get_running_loop().create_future()
            self._input_waiters.append(waiter)
            await waiter
        return self._inputs.popleft()

    async def _send(self, message: _OutT) -> None:
        self._outputs.append(message)
        _wake(self._output_waiters)

    # Waiting and telling

    async def _until(self, condition: Callable[[], bool], seconds: float) -> bool:
        """Wait until `condition` holds, looking whenever the application sent or ended; False when the time is over."""
        if self._task is None:
            raise ScopeError("The application has not been started: use `async with ApplicationCommunicator(...)`")
        if condition():
            return True
        loop = get_running_loop()
        over = False

        def out_of_time() -> None:
            nonlocal over
            over = True
            _wake(self._output_waiters)

        timer = self._clock.call_later(loop, seconds, out_of_time)
        try:
            while not (condition() or over):
                waiter: Future[None] = loop.create_future()
                self._output_waiters.append(waiter)
                await waiter
        finally:
            timer.cancel()
        return condition()

    def _result(self) -> object:
        return None if self._task is None or self._task.cancelled() else self._task.result()

    def _raise_end(self, what: str) -> None:
        if self._error is not None:
            raise self._show(self._error)
        result = self._result()
        raise ApplicationEndedError(f"The application has ended, with {result!r}, and {what}", result=result)

    def _show(self, error: BaseException) -> BaseException:
        """Return what to raise for the application's error: itself, unless it would look like the test's own end."""
        self._shown = True
        if not isinstance(error, asyncio.CancelledError):
            return error
        ended = ApplicationEndedError("The application ended in CancelledError, though the test did not cancel it")
        ended.__cause__ = error
        return ended


def _wake(waiters: "list[Future[None]]") -> None:
    for waiter in waiters:
        if not waiter.done():
            waiter.set_result(None)
    waiters.clear()
