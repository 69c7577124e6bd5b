"""Everything that asgikit raises, as one tree.

Each class is also a subclass of the builtin that a caller would expect (`TypeError` for a wrong
argument, `RuntimeError` for a wrong moment), so that code written against asgiref keeps working.
A message says what was wrong, whose mistake it was and what to do instead. No class here knows a
room: rooms import errors, never the other way round.
"""

__all__ = (
    "AbandonedError",
    "ApplicationEndedError",
    "AsgikitError",
    "ClientDisconnectedError",
    "ClosedError",
    "DeadlockError",
    "ExecutorContractError",
    "FencedError",
    "InterpreterExitError",
    "LeaseTimeoutError",
    "LocalCopyError",
    "LoopUnavailableError",
    "MailboxFullError",
    "MessageError",
    "MissingExtraError",
    "MutableDefaultError",
    "OutputTimeoutError",
    "PartContractError",
    "PartitionCountError",
    "RequestBodyDroppedError",
    "RequestBodyTooLargeError",
    "ResponseBodyError",
    "ResponseHeadError",
    "RunningLoopError",
    "ScopeError",
    "StartResponseError",
    "StepTimeoutError",
    "UnsupportedRuntimeError",
    "UnsupportedScopeError",
    "WrapError",
    "WsgiApplicationError",
)


class AsgikitError(Exception):
    """The root: `except AsgikitError` catches everything that asgikit itself raises."""


class WrapError(AsgikitError, TypeError):
    """Something that the wrapper cannot wrap was given to it; raised where the wrapping happens."""


class ExecutorContractError(AsgikitError, TypeError):
    """An executor does not keep `asgikit.protocols.ExecutorLike`: no `submit`, or no future from it."""


class PartContractError(AsgikitError, TypeError):
    """What was given to a bridge as a pool, loop runner, clock or observer is none; raised where it is given."""


class ClosedError(AsgikitError, RuntimeError):
    """A bridge, pool, runner or server was used after it had been closed."""


class InterpreterExitError(ClosedError, RuntimeError):
    """The interpreter is exiting and gives no more threads: what needs a new one comes too late."""


class RunningLoopError(AsgikitError, RuntimeError):
    """`async_to_sync` was called on a thread that is running an event loop; `await` instead."""


class LoopUnavailableError(AsgikitError, RuntimeError):
    """The event loop that a call needs is closed, has stopped, or cannot be started."""


class ScopeError(AsgikitError, RuntimeError):
    """A scope was entered twice, or used by a task that outlived it."""


class DeadlockError(AsgikitError, RuntimeError):
    """A cycle of waits really exists; the message names the threads and calls in it."""


class AbandonedError(AsgikitError, RuntimeError):
    """A call was refused because abandoned calls hold the threads that it would need."""


class LeaseTimeoutError(AsgikitError, TimeoutError):
    """No worker of a thread-sensitive pool became free within the pool's lease timeout."""


class StepTimeoutError(AsgikitError, TimeoutError):
    """A double of `asgikit.testing` waited in vain; the message says who or what is missing."""


class UnsupportedRuntimeError(AsgikitError, RuntimeError):
    """The running framework (trio, a gevent-patched process) cannot do what was asked."""


class MessageError(AsgikitError, ValueError):
    """A scope or an event breaks the ASGI specification, or comes where it may not; the message says whose it is."""


class MissingExtraError(AsgikitError, ImportError):
    """An optional dependency is not installed; the message says which to install."""


class LocalCopyError(AsgikitError, TypeError):
    """A namespace of `asgikit.local` was copied or pickled; its values belong to a context or thread, not to it."""


class MutableDefaultError(AsgikitError, ValueError):
    """A field of a LocalNamespace was declared with a list, dict or set as default, which all contexts would share."""


class MailboxFullError(AsgikitError, RuntimeError):
    """A server refused a message: as many as `queue_size` allows wait for that scope's application already."""


class FencedError(AsgikitError, RuntimeError):
    """A consumer tried to act for a partition whose lease it no longer holds; nothing was done."""


class PartitionCountError(AsgikitError, ValueError):
    """The number of partitions differs from the one that these streams were made with."""


class ApplicationEndedError(AsgikitError, RuntimeError):
    """A test waits for output of an application that has ended; `result` is what the application returned."""

    def __init__(self, message: str, /, *, result: object = None) -> None:
        """Keep the application's result beside the message."""
        super().__init__(message)
        self.result = result


class OutputTimeoutError(AsgikitError, TimeoutError):
    """An application under test sent nothing, or did not end, in time; it is still running."""


class UnsupportedScopeError(AsgikitError, ValueError):
    """An application was called with a scope of a type that it does not serve."""


class ClientDisconnectedError(AsgikitError, ConnectionResetError):
    """The client left before its request was received or its response was sent as a whole."""


class RequestBodyDroppedError(AsgikitError, OSError):
    """A response was streamed without reading the request, so that the rest of the request had to be dropped."""


class RequestBodyTooLargeError(AsgikitError, OSError):
    """A request body grew beyond the limit that the operator set."""


class WsgiApplicationError(AsgikitError, RuntimeError):
    """A WSGI application broke a rule of PEP 3333; the mistake is the application's."""


class StartResponseError(WsgiApplicationError, ValueError):
    """`start_response` was never called, was called again without `exc_info`, or too late."""


class ResponseHeadError(WsgiApplicationError, ValueError):
    """The status or a header given to `start_response` cannot be sent."""


class ResponseBodyError(WsgiApplicationError, ValueError):
    """The response body is no iterable of bytes, or its length is not the announced one."""
