"""Q2: every Python block of the documentation is run, and prints what the page says."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import MARK, agrees, blocks, program
from tests.support.packages import left_out, require_packages

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *(page for page in (ROOT / "docs").rglob("*.md") if "_build" not in page.parts)],
)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_the_blocks_of_a_page_do_what_the_page_says(page: Path, tmp_path: Path) -> None:
    """Q2: the blocks of a page are one program; it ends well, without a warning, and prints what is shown."""
    found = list(blocks(page.read_text()))
    if not found:
        return
    require_packages(
        tuple(sorted(name for name in left_out() if f"import {name}\n" in "".join(b.source for b in found)))
    )
    source = f"exec(compile({program(found)!r}, {str(page)!r}, 'exec'))"
    command = [sys.executable, "-W", "error", "-c", source]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert not done.stderr
    for block, printed in zip(found, done.stdout.split(MARK), strict=False):
        if block.output is not None:
            assert agrees(printed, block.output), f"line {block.line}: the page shows\n{block.output}\nbut\n{printed}"


PAGE = """
Text.

```python
x = 1
print("one", x)
```

```text
one ...
```

<!-- not run: it would fail -->
```python
1 / 0
```

```console
$ make
```

```python
print("two")
```
"""


def test_blocks_are_found_with_their_lines_and_outputs() -> None:
    first, second = blocks(PAGE)
    assert (first.line, first.source, first.output) == (5, 'x = 1\nprint("one", x)\n', "one ...\n")
    assert (second.line, second.output) == (23, None)
    lines = program([first, second]).splitlines()
    assert lines[4] == "x = 1"
    assert lines[22] == 'print("two")'


@pytest.mark.parametrize(
    ("printed", "expected", "same"),
    [
        ("a\nb\n", "a\nb\n", True),
        ("a\nb\n", "a\nc\n", False),
        ("took 1.5 s\n", "took ... s\n", True),
        ("a\nx\ny\nb\n", "a\n...\nb\n", True),
        ("a.b", "a+b", False),
    ],
)
def test_printed_and_shown(printed: str, expected: str, same: bool) -> None:
    assert agrees(printed, expected) is same
