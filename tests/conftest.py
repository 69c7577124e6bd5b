"""The guard around every test: what it started has ended, what it opened is closed, what it broke is told.

- A thread that is still alive after the test, or an event loop that is still open, fails it, with the stack.
- What asyncio logs as an error (a task destroyed while pending, an exception that nobody retrieved) fails it.
  A test that wants such an error asks for the fixture `asyncio_errors`, a list of log records, and looks itself.
- Warnings are errors (`filterwarnings` in pyproject.toml), also those of collected objects and other threads:
  garbage is collected before the test ends, so that the complaint goes to the test that made it.
- A test over its time fails with the stacks of all threads; one that cannot be interrupted ends the run so.

`@pytest.mark.leaves_threads("why")` lets one test leave threads behind: for code of others that keeps some.
"""

import gc
import logging
from collections.abc import Iterator
from typing import cast

import pytest

from tests.support.interpreter import gil_line, hear_interrupts
from tests.support.leaks import AsyncioErrors, Snapshot


def pytest_configure(config: pytest.Config) -> None:
    """Declare the markers of this file, and see to it that the programs of tests can be interrupted."""
    hear_interrupts()
    config.addinivalue_line("markers", "leaves_threads(reason): threads of other people's code may outlive this test")


def pytest_collection_finish() -> None:
    """Collect what importing left, before the first test sets everything aside."""
    gc.collect()


def pytest_sessionfinish() -> None:
    """Let the end of the run collect what was set aside before each test."""
    gc.unfreeze()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> Iterator[None]:
    """Say after all else whether the GIL is on: what any test imported may have turned it on."""
    yield
    if line := gil_line():
        terminalreporter.write_line(line)


@pytest.fixture
def asyncio_errors() -> list[logging.LogRecord]:
    """Return the errors that asyncio logs during this test; asking for them takes over the duty to look."""
    return []


@pytest.fixture(autouse=True)
def _nothing_stays(request: pytest.FixtureRequest) -> Iterator[None]:
    before = Snapshot.take()
    errors = AsyncioErrors()
    if "asyncio_errors" in request.fixturenames:
        errors.records = request.getfixturevalue("asyncio_errors")
    logger = logging.getLogger("asyncio")
    logger.addHandler(errors)
    try:
        yield
        leaks = before.leaks()
    finally:
        logger.removeHandler(errors)
    node = cast("pytest.Item", request.node)
    if node.get_closest_marker("leaves_threads"):
        leaks = [leak for leak in leaks if not leak.startswith("leaked thread")]
    if "asyncio_errors" not in request.fixturenames:
        leaks += errors.leaks()
    if leaks:
        pytest.fail("\n".join(leaks), pytrace=False)
