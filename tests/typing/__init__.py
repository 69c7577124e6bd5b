"""Client code under six type checkers: `python -m tests.typing` prints the matrix."""
