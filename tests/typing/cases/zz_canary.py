"""Checked last, and wrong on purpose: a checker that stops early or misses the library would pass all else."""

from given import one

from asgikit.spec import ASGIVersions

# case: every checker sees these errors
alive: int = "the checker read the last file"  # E
library: ASGIVersions = {"version": 3}  # E
helpers: bytes = one(1)  # E
