"""Runs inside every suite: writes down which asgiref it has used, at its end."""

import sys
from pathlib import Path

FILE = Path("asgiref-in-force.txt").resolve()


def write():
    FILE.write_text(sys.modules["asgiref"].__name__)


def pytest_sessionfinish():
    write()
