"""Importing starts nothing and loads little. Each test asks a fresh interpreter."""

import json
import subprocess
import sys
import textwrap

from tests.architecture.walk import PUBLIC_MODULES

# What `import asgikit` may load beside itself and what `import asyncio` loads. Whatever else it needs, it imports on
# use; a new line here needs a reason.
ALLOWED = frozenset(
    {
        "typing_extensions",  # the one dependency
        "_queue",
        "_typing",
        "atexit",
        "copy",
        "dataclasses",
        "gc",
        "queue",
        "typing",  # asyncio brings it before Python 3.14
    }
)


def ask(source: str) -> list[str]:
    """Run `source` in a fresh interpreter, warnings being errors, and return the list that it prints as JSON."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(source)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert done.returncode == 0, done.stderr
    answer: list[str] = json.loads(done.stdout)
    return answer


def test_importing_starts_no_thread() -> None:
    """D3: importing starts nothing, whichever public module it is."""
    source = f"""
    import importlib, json, sys, threading
    started = []
    for name in {PUBLIC_MODULES!r}:
        importlib.import_module(name)
        if threading.active_count() != 1 or len(sys._current_frames()) != 1:
            started.append(name)
            break
    print(json.dumps(started))
    """
    assert ask(source) == []


def test_importing_makes_no_pool_and_no_loop() -> None:
    """D3: importing allocates no executor and no event loop, whichever public module it is."""
    source = f"""
    import asyncio, concurrent.futures, gc, importlib, json
    for name in {PUBLIC_MODULES!r}:
        importlib.import_module(name)
    kinds = (asyncio.AbstractEventLoop, concurrent.futures.Executor)
    print(json.dumps([repr(found) for found in gc.get_objects() if issubclass(type(found), kinds)]))
    """
    assert ask(source) == []


def test_the_front_door_loads_little_beyond_asyncio() -> None:
    """A count of modules instead of a time: it says which line to mend, and it never flickers."""
    source = """
    import asyncio, json, sys
    before = set(sys.modules)
    import asgikit
    print(json.dumps(sorted(name for name in set(sys.modules) - before if name.partition(".")[0] != "asgikit")))
    """
    beside = ask(source)
    assert set(beside) <= ALLOWED, f"import on use: {sorted(set(beside) - ALLOWED)}"


def test_the_types_room_needs_nothing_else_of_asgikit() -> None:
    """P3: the room of types imports no other room."""
    source = """
    import json, sys
    import asgikit.spec
    rooms = {name.split(".")[1] for name in sys.modules if name.startswith("asgikit.")}
    print(json.dumps(sorted(rooms)))
    """
    door = {"_public"}
    rooms = ask(source)
    alone = ask(source.replace("import asgikit.spec", "import asgikit"))
    assert set(rooms) - set(alone) - door == {"spec"} - set(alone)
