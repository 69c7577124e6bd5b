"""Programs as real processes, with a hard limit of time: what only another process can show."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Generator
from pathlib import Path
from typing import IO

SECONDS = 30.0
ROOT = Path(__file__).parent.parent.parent


def _environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH", "")]))}


def run(
    source: str, *options: str, status: int | None = 0, seconds: float = SECONDS
) -> subprocess.CompletedProcess[str]:
    """Run `source` in a process of its own, with all warnings shown, and check its exit status (None: any)."""
    done = subprocess.run(
        [sys.executable, "-W", "always", *options, "-c", textwrap.dedent(source)],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        env=_environment(),
    )
    assert status is None or done.returncode == status, f"{done.returncode}\n{done.stdout}\n{done.stderr}"
    return done


class Program:
    """A program under way: lines come from it, signals go to it."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        """Hold `process`."""
        self.process = process

    def line(self) -> str:
        """Wait for its next line; empty at its end."""
        return self._output.readline().strip()

    def interrupt(self) -> None:
        """Press Ctrl-C."""
        self.process.send_signal(signal.SIGINT)

    def end(self) -> tuple[int, str, str]:
        """Wait for its end: exit status, what it still wrote, and its errors."""
        out, err = self.process.communicate(timeout=SECONDS)
        return self.process.returncode, out, err

    @property
    def _output(self) -> IO[str]:
        assert self.process.stdout is not None
        return self.process.stdout


@contextlib.contextmanager
def running(source: str) -> Generator[Program, None, None]:
    """Start `source` in a process of its own, and end it whatever happens."""
    with subprocess.Popen(
        [sys.executable, "-W", "always", "-u", "-c", textwrap.dedent(source)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=_environment(),
    ) as process:
        try:
            yield Program(process)
        finally:
            if process.poll() is None:
                process.kill()
