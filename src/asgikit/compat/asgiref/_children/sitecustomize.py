"""Found on PYTHONPATH by the processes that `python -m asgikit.compat.asgiref` starts: they use the drop-in as well.

It must not import asgikit (every Python process would pay for that), and it must not hide a `sitecustomize` that
was there before: that one runs too.
"""

import importlib.machinery
import importlib.util
import os
import sys

_FOLDER = os.path.dirname(os.path.abspath(__file__))
_FINDER = "asgikit.compat.asgiref._finder"


def _use_drop_in() -> None:
    if not os.environ.get("ASGIKIT_COMPAT_ASGIREF"):
        return
    package = os.path.dirname(_FOLDER)
    spec = importlib.util.spec_from_file_location(_FINDER, os.path.join(package, "_finder.py"))
    if spec is None or spec.loader is None:
        return
    finder = importlib.util.module_from_spec(spec)
    sys.modules[_FINDER] = finder
    spec.loader.exec_module(finder)
    finder.install()
    root = os.path.dirname(os.path.dirname(os.path.dirname(package)))
    if root not in sys.path and importlib.util.find_spec("asgikit") is None:
        sys.path.append(root)  # the parent found asgikit in a way that this process does not know


def _chain() -> None:
    """Run the `sitecustomize` that this one hides, if there is one."""
    rest = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != _FOLDER]
    spec = importlib.machinery.PathFinder.find_spec("sitecustomize", rest)
    if spec is None or spec.loader is None:
        return
    hidden = importlib.util.module_from_spec(spec)
    sys.modules["sitecustomize"] = hidden
    spec.loader.exec_module(hidden)


_use_drop_in()
_chain()
