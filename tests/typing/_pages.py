"""The documentation as cases: what a page shows is checked like any client's code, line by line where it stands."""

import re
from pathlib import Path

from tests.docs.blocks import blocks

__all__ = ("block_case", "write_pages")

_HEADING = re.compile(r"^#+ (?P<title>.+)$")


def block_case(page: str) -> str:
    """Return the program of a page, each line under its own number; a heading is the title of a case."""
    lines = [""] * (page.count("\n") + 1)
    for block in blocks(page):
        for number, line in enumerate(block.source.splitlines(), block.line):
            lines[number - 1] = line
    fenced = False
    for number, line in enumerate(page.splitlines()):
        fenced ^= line.startswith("```")
        if not fenced and (heading := _HEADING.match(line)):
            lines[number] = f"# case: {heading['title']}"
    return "\n".join(lines) + "\n"


def _name(page: Path, root: Path) -> str:
    return "_".join(["page", *page.relative_to(root).with_suffix("").parts]).replace("-", "_") + ".py"


def write_pages(root: Path, folder: Path) -> Path:
    """Write the program of each page under `root` that has one into `folder`, and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    pages = [*root.glob("*.md"), *(page for page in (root / "docs").rglob("*.md") if "_build" not in page.parts)]
    texts = {_name(page, root): page.read_text(encoding="utf-8") for page in pages}
    wanted = {name: block_case(text) for name, text in texts.items() if list(blocks(text))}
    for stale in folder.glob("*.py"):
        if stale.name not in wanted:
            stale.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder
