"""WsgiToAsgi: the thin part that hands a scope to whoever can serve it."""

import asyncio
import io
import sys
from contextvars import copy_context
from typing import Any, TextIO, final

from asgikit.errors import UnsupportedScopeError
from asgikit.protocols import ExecutorLike
from asgikit.spec import ReceiveLike, ScopeLike, SendLike, WSGIApplication
from asgikit.wsgi._dispatch import SupportsRunSync, choose_dispatch
from asgikit.wsgi._environ import build_environ
from asgikit.wsgi._exchange import Exchange
from asgikit.wsgi._inbound import Inbound
from asgikit.wsgi._mailbox import Mailbox, Mailboxes
from asgikit.wsgi._options import BufferBody, Options
from asgikit.wsgi._outbound import Outbound
from asgikit.wsgi._parking import Parking
from asgikit.wsgi._receiver import Receiver
from asgikit.wsgi._replies import refuse, reply_too_large, reply_truncated
from asgikit.wsgi._request_headers import HeaderRules, RejectedRequestError, RequestHeaders, read_headers
from asgikit.wsgi._response import ResponseState
from asgikit.wsgi._response_head import HopByHop
from asgikit.wsgi._scopes import Lifespans, refuse_websocket
from asgikit.wsgi._worker import WsgiCall

__all__ = ("WsgiToAsgi",)


@final
class WsgiToAsgi:
    """A WSGI application (PEP 3333) as an ASGI 3 application.

    The request body streams in and the response streams out, each with a bound on the bytes that wait. The
    application runs on a worker thread, in its own copy of the request's `contextvars`; its body is closed exactly
    once, whatever happens. What it raises before its first byte is raised here, so that the server answers and
    logs; what it raises because its client has left is not.

    Args:
        wsgi_application: what is to be served.
        executor: where the application runs: anything with `submit`. Whoever made it closes it.
        bridge: run the application thread-sensitively through this bridge instead.
        threads: the bound of the adapter's own pool, used when neither is given. The pool is made at the first
            request and ended with the server's lifespan or by `close`.
        max_body_size: bytes; a longer request body is answered with 413, before the application runs if its
            length is announced, if it is received first, or if the limit is at most `request_buffer`.
        buffer_body: receive the whole body before the application runs: "never", if its length is "unknown" (for
            frameworks that read CONTENT_LENGTH only), or "always". Then max_body_size alone bounds the memory.
        request_buffer: bytes of a request body that may wait for the application.
        response_buffer: bytes of a response that may wait for the client before the application has to.
        keep_underscore_headers: pass header names with underscores, which can be mistaken for others.
        duplicate_header_limit: how often one header may be repeated (cookies excepted); None for no limit.
        hop_by_hop: "refuse" an application that sets the connection's own headers, or "drop" them.
        coalesce: send chunks that waited together as one event.
        multithread: the value of `wsgi.multithread`; None means whether the own pool has more than one thread,
            and True for an executor or a bridge.
        multiprocess: the value of `wsgi.multiprocess`; an adapter cannot know whether there are other processes.
        errors: the stream that `wsgi.errors` is; None means the `sys.stderr` of the moment.

    Raises:
        TypeError: the application is not callable, or more than one of executor, bridge and threads is given.
        ExecutorContractError: the executor has no `submit`.
        ValueError: a number or a choice that makes no sense.
    """

    def __init__(
        self,
        wsgi_application: WSGIApplication,
        *,
        executor: ExecutorLike | None = None,
        bridge: SupportsRunSync | None = None,
        threads: int | None = None,
        max_body_size: int | None = None,
        buffer_body: BufferBody = "never",
        request_buffer: int = 262144,
        response_buffer: int = 262144,
        keep_underscore_headers: bool = False,
        duplicate_header_limit: int | None = 100,
        hop_by_hop: HopByHop = "refuse",
        coalesce: bool = True,
        multithread: bool | None = None,
        multiprocess: bool = True,
        errors: TextIO | None = None,
    ) -> None:
        if not callable(wsgi_application):
            raise TypeError(f"{wsgi_application!r} is no WSGI application: it cannot be called")
        self._application = wsgi_application
        self._dispatch, alone = choose_dispatch(executor, bridge, threads)
        self._copies_context = bridge is None
        self._options = Options(
            max_body_size=max_body_size,
            buffer_body=buffer_body,
            request_buffer=request_buffer,
            response_buffer=response_buffer,
            headers=HeaderRules(keep_underscore_headers, duplicate_header_limit),
            hop_by_hop=hop_by_hop,
            coalesce=coalesce,
            multithread=not alone if multithread is None else multithread,
            multiprocess=multiprocess,
            errors=errors,
        )
        self._mailboxes = Mailboxes()
        self._lifespans = Lifespans(self._dispatch.release)

    async def __call__(self, scope: ScopeLike, receive: ReceiveLike, send: SendLike) -> None:
        """Serve one scope. Runs on the event-loop thread.

        Raises:
            UnsupportedScopeError: the scope is neither "http" nor "websocket" nor "lifespan".
            WsgiApplicationError: the application broke a rule of PEP 3333.
            ClosedError: the adapter or its executor is closed.
        """
        kind = scope["type"]
        if kind == "http":
            await self._serve(scope, receive, send)
        elif kind == "websocket":
            await refuse_websocket(scope, receive, send)
        elif kind == "lifespan":
            await self._lifespans.serve(receive, send)
        else:
            raise UnsupportedScopeError(
                f"WsgiToAsgi serves the scopes 'http', 'websocket' (by refusing it) and 'lifespan', not {kind!r}"
            )

    def close(self, grace: float = 2.0) -> None:
        """End the adapter's own threads, waiting at most `grace` seconds for busy ones. Idempotent, any thread.

        What was given (executor, bridge) is not touched. Later requests raise ClosedError.
        """
        self._dispatch.close(grace)

    async def _serve(self, scope: ScopeLike, receive: ReceiveLike, send: SendLike) -> None:
        try:
            headers = read_headers(scope.get("headers") or (), self._options.headers)
        except RejectedRequestError as rejected:
            await refuse(send, scope, rejected.reason)
            return
        if self._options.forbids(headers.length):
            await reply_too_large(send)
            return
        mailbox = self._mailboxes.enter(asyncio.get_running_loop())
        try:
            await self._exchange(scope, headers, receive, send, mailbox)
        finally:
            self._mailboxes.leave(mailbox)

    async def _exchange(
        self, scope: ScopeLike, headers: RequestHeaders, receive: ReceiveLike, send: SendLike, mailbox: Mailbox
    ) -> None:
        options = self._options
        parking = Parking(mailbox.loop)
        outbound = Outbound(capacity=options.response_buffer, mailbox=mailbox, parking=parking)
        inbound = Inbound(
            length=headers.length,
            limit=options.max_body_size,
            capacity=options.request_buffer,
            mailbox=mailbox,
            parking=parking,
            demand=outbound.demand,
        )
        receiver = Receiver(receive, inbound, outbound, probe_after=options.probe_after)
        environ = self._environ(scope, headers)
        if options.receives_first(headers.length):
            await receiver.receive_all()
            if inbound.failed:
                await _refuse_body(inbound, send)
                return
            environ["CONTENT_LENGTH"] = str(inbound.received)
        call = self._call(scope, environ, inbound, outbound)
        self._dispatch.start(call)
        # Without "Expect" an announced body is on its way already.
        prefetches = headers.announces_body and not headers.expects_continue
        await self._relay(call, Exchange(send, inbound, outbound, receiver, options), receiver, prefetches=prefetches)

    def _environ(self, scope: ScopeLike, headers: RequestHeaders) -> dict[str, Any]:
        options = self._options
        environ = build_environ(
            scope, headers.variables, multithread=options.multithread, multiprocess=options.multiprocess
        )
        # A program without a console has no stderr, and PEP 3333 asks for a stream all the same.
        environ["wsgi.errors"] = options.errors or sys.stderr or io.StringIO()
        return environ

    def _call(self, scope: ScopeLike, environ: dict[str, Any], inbound: Inbound, outbound: Outbound) -> WsgiCall:
        return WsgiCall(
            self._application,
            environ,
            scope=scope,
            state=ResponseState(environ["REQUEST_METHOD"], self._options.hop_by_hop),
            inbound=inbound,
            outbound=outbound,
            context=copy_context() if self._copies_context else None,
        )

    async def _relay(self, call: WsgiCall, exchange: Exchange, receiver: Receiver, *, prefetches: bool) -> None:
        try:
            if prefetches:
                receiver.start()
            await exchange.relay()
        finally:
            if exchange.deserted:
                self._dispatch.abandon(call)
            elif call.crossing is not None:
                await asyncio.wait((call.crossing,))
            await receiver.stop()


async def _refuse_body(inbound: Inbound, send: SendLike) -> None:
    if inbound.too_large:
        await reply_too_large(send)
    elif inbound.truncated:
        await reply_truncated(send)
