"""The pytest plugin, by running pytest on small suites, and with Django's TestCase on a real database."""

import subprocess
import sys
from pathlib import Path

PLUGIN = "asgikit.testing.pytest_plugin"


def run_pytest(folder: Path, suite: str, *arguments: str) -> str:
    """Run pytest with the plugin on this suite, in a process of its own; return what it prints."""
    (folder / "test_suite.py").write_text(suite)
    command = [sys.executable, "-m", "pytest", "-p", PLUGIN, "-p", "no:cacheprovider", "-W", "error", "--timeout=30"]
    done = subprocess.run(
        [*command, "--rootdir", str(folder), *arguments, str(folder)],
        capture_output=True, text=True, check=False, timeout=50, cwd=folder,
    )  # fmt: skip
    return done.stdout + done.stderr


def test_every_test_has_its_own_bridge_which_is_closed_after_it(tmp_path: Path) -> None:
    """O8: nothing is shared between tests, and nothing is left of the bridge."""
    output = run_pytest(
        tmp_path,
        """
import asyncio, threading

bridges = []

def test_one(asgikit_bridge):
    bridges.append(asgikit_bridge)
    assert asyncio.run(asgikit_bridge.run_sync(threading.current_thread)).name.startswith("asgikit")

def test_two(asgikit_bridge):
    assert asgikit_bridge is not bridges[0]
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("asgikit")]
    try:
        bridges[0].run_async(asyncio.sleep, 0)
    except RuntimeError as error:
        assert "closed" in str(error)
    else:
        raise AssertionError("the first bridge still works")
""",
    )
    assert "2 passed" in output, output


def test_leaked_threads_and_tasks_fail_the_test(tmp_path: Path) -> None:
    """O8."""
    output = run_pytest(
        tmp_path,
        """
import asyncio, threading
from asgikit.loop import SharedLoopRunner

keep = []

def test_thread(asgikit_bridge):
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait, name="forgotten", daemon=True)
    keep.append(stop)
    thread.start()

def test_task(asgikit_bridge):
    loop = asyncio.new_event_loop()
    keep.append((loop, loop.create_task(asyncio.Event().wait(), name="lost")))
    loop.run_until_complete(asyncio.sleep(0))

def test_clean(asgikit_bridge):
    pass
""",
        "--override-ini=filterwarnings=ignore",
    )
    assert "3 passed, 2 errors" in output, output
    assert "a thread: 'forgotten'" in output
    assert "a task: <Task pending name='lost'" in output


def test_the_plugin_is_light(tmp_path: Path) -> None:
    """It imports pytest, asgikit and the standard library, and no extra of asgikit."""
    output = run_pytest(
        tmp_path,
        """
import sys

def test_modules():
    heavy = {"django", "redis", "uvicorn", "rich", "asgiref", "opentelemetry", "anyio", "trio", "httpx"}
    assert not heavy & {name.partition(".")[0] for name in sys.modules}
""",
        "-p", "no:anyio", "-p", "no:hypothesispytest",
    )  # fmt: skip
    assert "1 passed" in output, output


def test_without_pytest_the_error_names_it() -> None:
    code = f"import sys; sys.modules['pytest'] = None; import {PLUGIN}"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=30)
    assert "MissingExtraError" in done.stderr
    assert "pip install pytest" in done.stderr


DJANGO = """
import asyncio
import threading

import django
import pytest
from django.conf import settings

settings.configure(
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": "m.sqlite", "TEST": {"NAME": "t.sqlite"}}},
    INSTALLED_APPS=["django.contrib.contenttypes"],
)
django.setup()

from django.contrib.contenttypes.models import ContentType
from django.db import connection
from django.test import TestCase
from django.test.utils import setup_databases, teardown_databases


@pytest.fixture(scope="module", autouse=True)
def database():
    old = setup_databases(verbosity=0, interactive=False)
    yield
    teardown_databases(old, verbosity=0)


class Shelf(TestCase):
    @classmethod
    def setUpTestData(cls):
        ContentType.objects.create(app_label="of the transaction", model="row")

    @pytest.fixture(autouse=True)
    def bridge(self, asgikit_bridge):
        self.bridge = asgikit_bridge

    async def labels(self):
        # what application code does, however deep: thread-sensitive calls, also from tasks and in a scope
        async def inner():
            async with self.bridge.thread_sensitive_scope():
                return await self.bridge.run_sync(self.look)
        return await asyncio.create_task(inner())

    def look(self):
        self.threads.append(threading.current_thread())
        return [row.app_label for row in ContentType.objects.filter(model="row")]

    def setUp(self):
        self.threads = []

    def tearDown(self):
        if any(thread is not threading.current_thread() for thread in self.threads):
            connection.close()

    # An async test whose loop runs on the test's own thread, as pytest-asyncio and IsolatedAsyncioTestCase have it.
    MARK
    def test_loop_on_this_thread(self):
        assert asyncio.run(self.labels()) == ["of the transaction"]
        assert self.threads == [threading.current_thread()]

    MARK
    def test_there_and_back(self):
        async def there():
            return await self.bridge.run_sync(self.bridge.async_to_sync(self.back))
        assert asyncio.run(there()) == ["of the transaction"]
        assert self.threads == [threading.current_thread()]

    async def back(self):
        return await self.bridge.run_sync(self.look)

    # A test that crosses itself: this thread hosts.
    def test_loop_on_another_thread(self):
        assert self.bridge.async_to_sync(self.labels)() == ["of the transaction"]
        assert self.threads == [threading.current_thread()]
"""


def test_async_tests_share_the_transaction_of_djangos_test_case(tmp_path: Path) -> None:
    """O7: the thread of all sync work is the test's own, also when the test is async; a file database shows it."""
    output = run_pytest(tmp_path, DJANGO.replace("MARK", "@pytest.mark.asgikit_own_thread"))
    assert "3 passed" in output, output


def test_without_the_marker_another_thread_does_not_see_the_transaction(tmp_path: Path) -> None:
    """O7: that the test above can fail."""
    output = run_pytest(tmp_path, DJANGO.replace("MARK", ""), "-k", "this_thread", "-W", "ignore")
    assert "1 failed" in output, output


def test_another_thread_can_be_named(tmp_path: Path) -> None:
    """O7: by overriding one fixture."""
    output = run_pytest(
        tmp_path,
        """
import asyncio, threading
import pytest
from asgikit.executor import ThreadSensitivePool

@pytest.fixture(scope="module")
def pool():
    pool = ThreadSensitivePool(max_workers=1, name="database")
    yield pool
    pool.close()

@pytest.fixture
def asgikit_sensitive_pool(pool):
    return pool

@pytest.mark.parametrize("number", range(3))
def test_the_same_thread_for_all(asgikit_bridge, number, seen=set()):
    thread = asyncio.run(asgikit_bridge.run_sync(threading.current_thread))
    seen.add(thread)
    assert "database" in thread.name
    assert len(seen) == 1
""",
    )
    assert "3 passed" in output, output
