"""`python -m asgikit.compat.asgiref [-m module | script] [arguments]`: run a program on the drop-in.

The processes that it starts run on it too. `--check` prints which asgiref is in force.
"""

import os
import runpy
import sys
from pathlib import Path

from asgikit.compat.asgiref import check
from asgikit.compat.asgiref._finder import ENVIRONMENT, install

__all__ = ("main",)

USAGE = "usage: python -m asgikit.compat.asgiref [--check | -m module | script] [arguments]"


def main(arguments: list[str]) -> int:
    """Run what `arguments` name, as the interpreter would; return the exit status if it comes back."""
    install()
    tell_children()
    match arguments:
        case ["--check"]:
            print(check())
        case ["-m", module, *rest]:
            sys.argv = [module, *rest]
            runpy.run_module(module, run_name="__main__", alter_sys=True)
        case [script, *rest] if not script.startswith("-"):
            sys.argv = [script, *rest]
            if not sys.flags.safe_path:
                sys.path[0] = str(Path(script).resolve().parent)
            runpy.run_path(script, run_name="__main__")
        case ["-h" | "--help"]:
            print(USAGE, __doc__, sep="\n\n")
        case _:
            print(USAGE, file=sys.stderr)
            return 2
    return 0


def tell_children() -> None:
    """Set in this process's environment what makes child interpreters do the same."""
    folder = str(Path(__file__).with_name("_children"))
    known = os.environ.get("PYTHONPATH", "")
    os.environ[ENVIRONMENT] = "1"
    if folder not in known.split(os.pathsep):
        os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (folder, known)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
