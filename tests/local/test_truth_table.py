import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.local.truth_table import COLUMNS, INHERITS, PAGE, TABLE, Row, in_page, play

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("column", COLUMNS)
@pytest.mark.parametrize("row", TABLE, ids=lambda row: row.name)
def test_what_is_seen(row: Row, column: str) -> None:
    """H1, H7, G5, G6: values go wherever the context is carried, and those of a ThreadCriticalLocal nowhere."""
    assert play(row, column) is row.expected(column, inherit=INHERITS)


def test_the_rows_differ() -> None:
    assert len({row.name for row in TABLE}) == len({(row.writes, row.looks) for row in TABLE}) == len(TABLE)


def test_the_documentation_shows_this_table() -> None:
    """H7: mend with `python -m tests.local.truth_table`."""
    page = PAGE.read_text()
    assert page == in_page(page)


@pytest.mark.skipif(sys.version_info < (3, 14), reason="the flag came with 3.14")
@pytest.mark.parametrize("flag", ["0", "1"])
def test_what_is_seen_under_both_settings_of_thread_inherit_context(flag: str) -> None:
    """H1, G6: the flag changes the cells of new threads, and no others."""
    command = [sys.executable, "-X", f"thread_inherit_context={flag}", "-m", "tests.local.truth_table", "--check"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=50)
    assert (done.returncode, done.stderr) == (0, "")
