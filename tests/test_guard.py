"""The guard of `conftest.py` catches what it is for, and nothing else.

Each case is a test file of its own, run by another pytest with our settings.
"""

import sys
import textwrap
from pathlib import Path

import pytest

pytest_plugins = ["pytester"]

ROOT = Path(__file__).parent.parent

LEAKS = {
    "thread": (
        """
        import threading
        stop = threading.Event()
        def test_leaks():
            threading.Thread(target=stop.wait, name="stray", daemon=True).start()
        """,
        "*leaked thread 'stray'*",
    ),
    "loop": (
        """
        import asyncio
        kept = []
        def test_leaks():
            kept.append(asyncio.new_event_loop())
        """,
        "*unclosed event loop*",
    ),
    "dropped loop": (
        """
        import asyncio
        def test_leaks():
            asyncio.new_event_loop()
        """,
        "*PytestUnraisableExceptionWarning*",
    ),
    "pending task": (
        """
        import asyncio
        def test_leaks():
            loop = asyncio.new_event_loop()
            task = loop.create_task(asyncio.Event().wait())
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()
        """,
        "*Task was destroyed but it is pending*",
    ),
    "coroutine": (
        """
        import asyncio
        def test_leaks():
            asyncio.sleep(0)
        """,
        "*was never awaited*",
    ),
    "error in a thread": (
        """
        import threading
        def test_leaks():
            thread = threading.Thread(target=lambda: 1 / 0)
            thread.start()
            thread.join()
        """,
        "*PytestUnhandledThreadExceptionWarning*",
    ),
    "hang": (
        """
        import pytest, threading
        @pytest.mark.timeout(0.3)
        def test_leaks():
            threading.Event().wait()
        """,
        "*Timeout*",
    ),
    "hang with a thread": (
        """
        import pytest, threading
        gate = threading.Event()
        @pytest.mark.timeout(0.3)
        def test_leaks():
            thread = threading.Thread(target=gate.wait, name="partner", daemon=True)
            thread.start()
            try:
                thread.join()
            finally:
                gate.set()
        """,
        "*Stack of partner*",
    ),
}

FINE = {
    "asked for the errors": """
        import asyncio, gc
        def test_fine(asyncio_errors):
            loop = asyncio.new_event_loop()
            task = loop.create_task(asyncio.Event().wait())
            loop.run_until_complete(asyncio.sleep(0))
            loop.close()
            del task
            gc.collect()
            assert "destroyed" in asyncio_errors[0].getMessage()
        """,
    "threads that are allowed": """
        import pytest, threading
        stop = threading.Event()
        @pytest.mark.leaves_threads("to see the marker work")
        def test_fine():
            threading.Thread(target=stop.wait, daemon=True).start()
        """,
    "threads on their way out": """
        import asyncio, threading
        def test_fine():
            threading.Thread(target=threading.Event().wait, args=[0.05]).start()
            asyncio.run(asyncio.to_thread(int))
        """,
}


def run(pytester: pytest.Pytester, source: str) -> pytest.RunResult:
    """Run `source` as a test file under our settings and our guard."""
    case = pytester.makepyfile(test_case=textwrap.dedent(source))
    pytester.syspathinsert(ROOT)
    ours = [
        "-c",
        str(ROOT / "pyproject.toml"),
        "--rootdir",
        str(ROOT),
        "-p",
        "tests.conftest",
        "-p",
        "no:cacheprovider",
    ]
    return pytester.runpytest_subprocess(*ours, case, timeout=30)


@pytest.mark.parametrize("case", LEAKS)
def test_leak_fails_the_test(pytester: pytest.Pytester, case: str) -> None:
    source, expected = LEAKS[case]
    result = run(pytester, source)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    pytest.LineMatcher([*result.outlines, *result.errlines]).fnmatch_lines([expected])


@pytest.mark.parametrize("case", FINE)
def test_no_false_alarm(pytester: pytest.Pytester, case: str) -> None:
    assert run(pytester, FINE[case]).ret == pytest.ExitCode.OK


def test_the_report_lists_each_skipped_test_with_its_reason_and_ends_with_the_gil(pytester: pytest.Pytester) -> None:
    """L5: the answer at the end holds for everything that the tests imported."""
    result = run(
        pytester,
        """
        import pytest
        @pytest.mark.parametrize("number", range(2))
        def test_skipped(number):
            pytest.skip("for a reason")
        """,
    )
    result.stdout.fnmatch_lines([f"SKIPPED*test_skipped?{number}? - *for a reason" for number in range(2)])
    told = result.outlines[-2].startswith("sys._is_gil_enabled() = ")  # the last line has the numbers
    assert told == (sys.version_info >= (3, 13))
