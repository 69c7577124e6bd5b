"""The code blocks of the documentation as cases: what a page shows is checked like any client's code."""

import re
from pathlib import Path

__all__ = ("blocks_in_place", "write_pages")

_FENCE = re.compile(r"^(```|:::)\s*(?:\{?code-block\}?\s*)?(?P<language>\w*)")


def blocks_in_place(page: str) -> str:
    """Return the Python blocks of a page, each line under its own number; a heading names the case that follows."""
    lines: list[str] = []
    inside = False
    for line in page.splitlines():
        fence = _FENCE.match(line)
        if fence:
            inside = not inside and fence["language"] == "python"
            lines.append("")
        elif inside:
            lines.append(line)
        else:
            lines.append(f"# case: {line.lstrip('# ')}" if line.startswith("#") else "")
    return "\n".join(lines) + "\n"


def write_pages(docs: Path, folder: Path) -> Path:
    """Write the pages that ask for it (`typing-cases: true` in their front matter) into `folder` and return it."""
    folder.mkdir(parents=True, exist_ok=True)
    wanted = {
        f"page_{page.stem.replace('-', '_')}.py": blocks_in_place(text)
        for page in sorted(docs.rglob("*.md"))
        if "typing-cases: true" in (text := page.read_text(encoding="utf-8"))[:200]
    }
    for stale in folder.glob("*.py"):
        if stale.name not in wanted:
            stale.unlink()
    for name, text in wanted.items():
        (folder / name).write_text(text, encoding="utf-8")
    return folder
