"""A real Redis and a real sentinel that watches it, for the time of a suite."""

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Generator
from pathlib import Path

from tests.support.ports import accepts, wait_until_open

REDIS_PORT = 6379
SENTINEL_PORT = 26379
"""The ports that the channels_redis suite has written into its files."""

START_WITHIN = 10.0


class ServiceError(RuntimeError):
    """A service that a suite needs cannot be had on this machine."""


@contextlib.contextmanager
def redis_and_sentinel() -> Generator[None]:
    """Run both on the ports that the suite names; both end with the block, and nothing is kept on disk."""
    program = shutil.which("redis-server")
    if program is None:
        raise ServiceError("redis-server is not installed (Debian: apt-get install redis-server)")
    for port in (REDIS_PORT, SENTINEL_PORT):
        if accepts(port):
            raise ServiceError(f"port {port} is taken; the channels_redis suite needs it for a Redis of its own")
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        redis = [program, "--port", str(REDIS_PORT), "--save", "", "--appendonly", "no", "--dir", folder]
        stack.enter_context(_running(redis, REDIS_PORT))
        stack.enter_context(_running([program, _sentinel_file(Path(folder)), "--sentinel"], SENTINEL_PORT))
        yield


def _sentinel_file(folder: Path) -> str:
    lines = (
        f"port {SENTINEL_PORT}",
        f"dir {folder}",
        "requirepass channels_redis",
        f"sentinel monitor sentinel 127.0.0.1 {REDIS_PORT} 1",
    )
    (folder / "sentinel.conf").write_text("\n".join(lines) + "\n")
    return str(folder / "sentinel.conf")


@contextlib.contextmanager
def _running(command: list[str], port: int) -> Generator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for_port(port, process)
        yield
    finally:
        process.terminate()
        process.wait(START_WITHIN)


def wait_for_port(port: int, process: "subprocess.Popen[bytes]") -> None:
    """Return once something listens on `port` of this machine; `process` is who should."""
    try:
        wait_until_open(port, process, seconds=START_WITHIN)
    except (TimeoutError, RuntimeError) as error:
        raise ServiceError(str(error)) from error
