"""Makes `import asgiref` find the drop-in. Imports nothing of asgikit: a child process loads this file alone.

Only when somebody imports asgiref is asgikit imported too, so a process that never does pays nothing; for the
same reason `typing` is not imported here.
"""

import importlib
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

__all__ = ("ENVIRONMENT", "AsgirefFinder", "install")

ENVIRONMENT = "ASGIKIT_COMPAT_ASGIREF"
"""The environment variable that tells a child process to do the same; its value does not matter."""

_REAL = "asgiref"
_OURS = "asgikit.compat.asgiref"


class AsgirefFinder:
    """A meta path finder and loader: `asgiref.x` is `asgikit.compat.asgiref.x`, one module under two names."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Answer for asgiref and what is in it. Called by the import system, on the importing thread."""
        del path, target
        if fullname != _REAL and not fullname.startswith(f"{_REAL}."):
            return None
        spec = ModuleSpec(fullname, None, is_package=fullname == _REAL)
        vars(spec)["loader"] = self  # it has what a Loader has, without an import of that class
        return spec

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Import the module that stands in; the import system puts it under the other name as well."""
        try:
            module = importlib.import_module(_OURS + spec.name.removeprefix(_REAL))
        except ModuleNotFoundError as error:
            if error.name is None or not error.name.startswith(_OURS):
                raise
            message = f"No module named {spec.name!r} (asgikit's asgiref has no such module)"
            raise ModuleNotFoundError(message, name=spec.name) from None
        spec.loader_state = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing is left to run; the module keeps the spec that it has under its own name."""
        found = module.__spec__
        if found is not None:
            module.__spec__ = found.loader_state


def install() -> None:
    """Make `import asgiref` and `import asgiref.x` resolve to the drop-in, in this process. Call it first of all.

    Doing so twice does nothing. Any thread; not undone.

    Raises:
        RuntimeError: the real asgiref was imported before; whatever did so would keep using it.
    """
    if any(isinstance(finder, AsgirefFinder) for finder in sys.meta_path):
        return
    imported = sorted(name for name in sys.modules if name == _REAL or name.startswith(f"{_REAL}."))
    if imported:
        message = (
            f"the real asgiref was imported already ({', '.join(imported)}), and what imported it would keep using it;"
            " call asgikit.compat.asgiref.install() before anything else, or start the program with"
            " `python -m asgikit.compat.asgiref -m <module>`"
        )
        raise RuntimeError(message)
    sys.meta_path.insert(0, AsgirefFinder())
