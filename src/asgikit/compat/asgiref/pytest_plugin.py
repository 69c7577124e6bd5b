"""`pytest -p asgikit.compat.asgiref.pytest_plugin`: run a project's tests on the drop-in, child processes included.

It has to come before everything that imports asgiref: give it on the command line or in `addopts`, as above, and
not in a `conftest.py`.
"""

from asgikit.compat import asgiref
from asgikit.compat.asgiref import __main__ as program

__all__ = ("pytest_addoption", "pytest_report_header")


def pytest_addoption() -> None:
    """Install the drop-in. pytest calls this as soon as it has loaded the plugin."""
    asgiref.install()
    program.tell_children()


def pytest_report_header() -> str:
    """Say at the head of the run which asgiref is in force."""
    return asgiref.check()
