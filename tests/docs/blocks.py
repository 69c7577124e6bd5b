"""The Python blocks of a Markdown page, as the program that a reader would type in.

- The `python` blocks of one page are one program, in their order, run by a fresh interpreter in an empty folder, with
  warnings as errors. Nothing may come out on the error stream.
- A `text` block that follows a `python` block, with only blank lines between, is what that block prints; a line `...`
  in it stands for any lines, and `...` within a line for anything.
- A block right under the comment `<!-- not run: reason -->` is only read.
"""

import itertools
import re
from collections.abc import Iterator
from dataclasses import dataclass

FENCE = re.compile(
    r"^(?P<not_run><!-- not run: \S.*? -->\n)?(?P<ticks>`{3,})(?P<language>\S*)[^\n]*\n(?P<body>.*?)^(?P=ticks)$",
    re.MULTILINE | re.DOTALL,
)
MARK = "\x1e"


@dataclass(frozen=True)
class Block:
    """One `python` block that is run, and what it prints as far as the page says so."""

    line: int
    source: str
    output: str | None


def blocks(page: str) -> Iterator[Block]:
    """Yield the blocks of `page` that are run."""
    found = [*FENCE.finditer(page), None]
    for fence, after in itertools.pairwise(found):
        if fence is None or fence["language"] != "python" or fence["not_run"]:
            continue
        shown = after is not None and after["language"] == "text" and not page[fence.end() : after.start()].strip()
        line = page.count("\n", 0, fence.start("body")) + 1
        yield Block(line, fence["body"], after["body"] if after is not None and shown else None)


def program(found: list[Block]) -> str:
    """Put the blocks together: each on its own lines, so that a traceback names the lines of the page."""
    lines: list[str] = []
    for block in found:
        lines += [""] * (block.line - 1 - len(lines))
        lines += [*block.source.splitlines(), f"print({MARK!r}, end='')"]
    return "\n".join(lines) + "\n"


def agrees(printed: str, expected: str) -> bool:
    """Say whether `printed` is what the page shows."""
    pattern = re.escape(expected.strip()).replace(re.escape("..."), ".*?")
    return re.fullmatch(pattern, printed.strip(), re.DOTALL) is not None
