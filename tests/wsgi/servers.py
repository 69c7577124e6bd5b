"""Real servers in this process: uvicorn or hypercorn, each with its event loop on a thread of its own.

The socket listens before the server starts, so a client may connect at once: nobody has to wait for readiness.
"""

import asyncio
import logging
import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, Final

TIMEOUT: Final = 30.0
Address = tuple[str, int]


def _listen() -> socket.socket:
    listening = socket.socket()
    listening.bind(("127.0.0.1", 0))
    listening.listen(64)
    return listening


@contextmanager
def uvicorn(app: Any, **options: Any) -> Generator[Address]:
    """Serve `app` with uvicorn."""
    from uvicorn import Config, Server

    options = {"log_config": None, "timeout_graceful_shutdown": 5, "http": "h11", "ws": "wsproto"} | options
    with _listen() as listening:
        server = Server(Config(app, **options))

        def stop() -> None:
            server.should_exit = True

        with _running(lambda: server.serve([listening]), stop):
            yield listening.getsockname()


@contextmanager
def hypercorn(app: Any, **options: Any) -> Generator[Address]:
    """Serve `app` with hypercorn."""
    from hypercorn import asyncio as server
    from hypercorn.config import Config

    with _listen() as listening:
        config = Config.from_mapping({"graceful_timeout": 5, "shutdown_timeout": 5} | options)
        config.bind = [f"fd://{listening.detach()}"]
        config.errorlog = logging.getLogger("hypercorn.error")
        loop = asyncio.new_event_loop()
        stopping = asyncio.Event()
        address = _address_of(config.bind[0])

        serve: Any = vars(server)["serve"]  # typed in part only

        async def main() -> None:
            await serve(app, config, shutdown_trigger=stopping.wait)

        with _running(main, lambda: loop.call_soon_threadsafe(stopping.set), loop):
            yield address


def _address_of(bind: str) -> Address:
    with socket.socket(fileno=int(bind.removeprefix("fd://"))) as listening:
        address: Address = listening.getsockname()
        listening.detach()
        return address


@contextmanager
def _running(
    main: Callable[[], Any], stop: Callable[[], object], loop: asyncio.AbstractEventLoop | None = None
) -> Generator[None]:
    failure: list[BaseException] = []

    def serve() -> None:
        factory = None if loop is None else (lambda made=loop: made)
        try:
            with asyncio.Runner(loop_factory=factory) as runner:
                runner.run(main())
        except BaseException as error:
            failure.append(error)

    thread = threading.Thread(target=serve, name="server", daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop()
        thread.join(TIMEOUT)
    assert not thread.is_alive(), "the server does not stop"
    if failure:
        raise failure[0]


SERVERS: Final = {"uvicorn": uvicorn, "hypercorn": hypercorn}
