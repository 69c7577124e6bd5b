"""The asgiref drop-in: asgiref 3.13's modules, names and documented behaviour, on top of asgikit.

`install()` makes `import asgiref` find it; `python -m asgikit.compat.asgiref -m django runserver` does so for
a whole program and the processes that it starts. This is the only place in asgikit with a default instance
(`default_bridge`), because asgiref's functions have no bridge to be methods of.
"""

import sys as _sys

from asgikit import _public
from asgikit.compat.asgiref._default import default_bridge
from asgikit.compat.asgiref._finder import install

__all__ = ("__version__", "check", "default_bridge", "install")

__version__ = "3.13.0"


def check() -> str:
    """Say in one line which asgiref `import asgiref` finds in this process, and its version."""
    import asgiref  # noqa: PLC0415 - the question itself

    if _sys.modules["asgiref"] is _sys.modules[__name__]:
        return f"asgiref {asgiref.__version__} is the drop-in of asgikit ({__name__})"
    return f"asgiref {asgiref.__version__} is the real one ({asgiref.__file__})"


_public.publish(__name__)
