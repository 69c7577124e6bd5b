"""What the tests of `serve` serve."""

import os
import threading
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

flask_app = Flask("site_to_serve")


@flask_app.get("/")
def _index() -> str:
    return f"{os.getpid()} {threading.current_thread().name}"


async def asgi_app(scope: dict[str, Any], receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"asgi"})


class LegacyApp:
    def __init__(self, scope: dict[str, Any]) -> None:
        self.scope = scope

    async def __call__(self, receive: Callable[[], Any], send: Callable[[Any], Any]) -> None:
        await asgi_app(self.scope, receive, send)


def guess(*args: Any) -> Iterable[bytes]:
    args[1]("200 OK", [])
    return [b"guessed"]


number = 7
