"""A real Redis of one's own: a free port, a directory for its append-only file, started and ended by the test."""

import signal
import socket
import subprocess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.support.ports import free_port, wait_until_open
from tests.support.programs import require_program


class RedisProcess:
    """`redis-server` with an append-only file that is synced after every write; may be ended and started again."""

    def __init__(self, directory: Path) -> None:
        self.program = require_program("redis-server", package="redis-server")
        self.directory = directory
        self.port = free_port()
        self.kills = 0
        self.process: "subprocess.Popen[bytes] | None" = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with (self.directory / "redis.log").open("ab") as log:
            self.process = subprocess.Popen(
                [self.program, "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.directory),
                 "--appendonly", "yes", "--appendfsync", "always", "--save", ""],
                stdout=log, stderr=log,
            )  # fmt: skip
        wait_until_open(self.port, self.process)
        self._answer()

    def end(self, number: int = signal.SIGTERM) -> None:
        """End it with this signal, and wait until it has ended."""
        if self.process is not None:
            self.process.send_signal(number)
            self.process.wait(20)
            self.kills += number == signal.SIGKILL
            self.process = None

    def _answer(self) -> None:
        """Ask until the append-only file has been read."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=20) as probe:
            reply = b"-LOADING"
            while reply.startswith(b"-LOADING"):
                probe.sendall(b"PING\r\n")
                reply = probe.recv(100)
            assert reply.startswith(b"+PONG"), reply

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.end(signal.SIGKILL)
