"""Checked last, and wrong on purpose: a checker that stops early, or does not find the library, passes every other file."""

from asgikit.spec import ASGIVersions
from given import one

# case: every checker sees these errors
alive: int = "the checker read the last file"  # E
library: ASGIVersions = {"version": 3}  # E
helpers: bytes = one(1)  # E
