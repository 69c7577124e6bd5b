"""A pytest plugin: a bridge of its own for every test, closed after it, with nothing left behind.

Opt in with `pytest -p asgikit.testing.pytest_plugin`, or `pytest_plugins = ["asgikit.testing.pytest_plugin"]` in
the topmost conftest.py.

- The fixture `asgikit_bridge` is a new `Bridge`. After the test it is closed, and threads and tasks that the test
  began and did not end fail it.
- The marker `asgikit_own_thread` lets all thread-sensitive work of that bridge run on the test's own thread,
  also when the test is async, so that it takes part in the test's database transaction.
- Overriding the fixture `asgikit_sensitive_pool` names any other thread, by returning a `SensitivePool`.
"""

from importlib import import_module

try:
    import pytest
except ImportError as _missing:
    from asgikit.errors import MissingExtraError as _MissingExtraError

    raise _MissingExtraError("the pytest plugin of asgikit needs pytest: pip install pytest") from _missing

__all__ = ("pytest_configure",)


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker and register the fixtures. Called by pytest."""
    config.addinivalue_line(
        "markers", "asgikit_own_thread: thread-sensitive work of asgikit_bridge runs on the test's own thread"
    )
    config.pluginmanager.register(import_module("asgikit.testing._fixtures"), "asgikit-fixtures")
