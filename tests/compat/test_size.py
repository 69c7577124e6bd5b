"""The drop-in is thin: less than a thousand lines of code."""

import ast
import io
import tokenize
from pathlib import Path

import asgikit.compat.asgiref

QUIET = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER}


def lines_of_code(source: str) -> int:
    """Lines that are neither blank nor comment nor docstring."""
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            docstrings |= set(range(node.lineno, (node.end_lineno or node.lineno) + 1))
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in QUIET:
            code |= set(range(token.start[0], token.end[0] + 1))
    return len(code - docstrings)


def test_under_a_thousand_lines() -> None:
    folder = Path(asgikit.compat.asgiref.__file__).parent.parent
    assert sum(lines_of_code(file.read_text()) for file in folder.rglob("*.py")) < 1000
