"""Ports for servers that a test starts as processes of their own."""

import contextlib
import socket
import subprocess
import time


def free_port() -> int:
    """Return a port that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until_open(port: int, process: "subprocess.Popen[bytes]", *, seconds: float = 20.0) -> None:
    """Block until something accepts connections on `port`; an error if the process ends or the time does."""
    deadline = time.monotonic() + seconds
    while not accepts(port):
        if time.monotonic() > deadline:
            raise TimeoutError(f"{process.args!r} does not listen on {port} after {seconds} s")
        with contextlib.suppress(subprocess.TimeoutExpired):
            raise RuntimeError(f"{process.args!r} ended with {process.wait(0.01)}")


def accepts(port: int) -> bool:
    """Whether something on this machine listens on `port`."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.2):
            return True
    except OSError:
        return False
