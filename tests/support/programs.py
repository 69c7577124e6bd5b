"""Programs that some tests need and that no package index has: Debian packages, listed in `debian.txt` beside this.

`make test` installs them when it runs as root. Where they are missing, a test that needs one is skipped and
names the package; under `CI=true` it fails instead, so that no gate passes by leaving things out.
"""

import os
import shutil

import pytest


def require_program(name: str, *, package: str) -> str:
    """Return the path of program `name`, or skip the test (under `CI=true`: fail it) naming the Debian `package`."""
    found = shutil.which(name)
    if found is None:
        missing = f"needs the program {name!r}: apt-get install {package} (make test does it when run as root)"
        if os.environ.get("CI") == "true":
            pytest.fail(missing)
        pytest.skip(missing)
    return found
