"""The nesting matrix (invariant Q3): who calls whom, how, in which scope, and where everything then runs.

Tables of expected places; `nesting.py` runs the programs. Threads in the tables:

    M   the thread that the program was started on, synchronously
    D   the default worker
    L   the worker that the scope has leased
    E   the thread of the executor that the scope was given
    R1  a thread of the loop runner
    W1  a worker of the free pool, W2 another one
    X1  a thread of the executor that the call was given, X2 another one
    T1  a thread of asyncio.to_thread

Async code is told as thread/loop: `M/1` is the first loop of the chain, which runs on M.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from itertools import product

import pytest

from tests.bridge.nesting import STYLES, World

# Async code calls S1, which calls async code, which calls S2, which calls async code, which calls S3. A row's name
# says how S1, S2 and S3 are called (s: thread-sensitive, f: free, e: with an executor), a cell where they run.
# All coroutines of a chain run on the outermost one's loop: M/1 under asyncio.run, R1/1 under async_to_sync.
CHAINS = """
      outermost asyncio.run                 outermost async_to_sync
      no scope   scope      escope          no scope   scope      escope
sss | D D D    | L L L    | E E E    |      M M M    | M M M    | E E E
ssf | D D W1   | L L W1   | E E W1   |      M M W1   | M M W1   | E E W1
sse | D D X1   | L L X1   | E E X1   |      M M X1   | M M X1   | E E X1
sfs | D W1 W1  | L W1 W1  | E W1 W1  |      M W1 W1  | M W1 W1  | E W1 W1
sff | D W1 W2  | L W1 W2  | E W1 W2  |      M W1 W2  | M W1 W2  | E W1 W2
sfe | D W1 X1  | L W1 X1  | E W1 X1  |      M W1 X1  | M W1 X1  | E W1 X1
ses | D X1 X1  | L X1 X1  | E X1 X1  |      M X1 X1  | M X1 X1  | E X1 X1
sef | D X1 W1  | L X1 W1  | E X1 W1  |      M X1 W1  | M X1 W1  | E X1 W1
see | D X1 X2  | L X1 X2  | E X1 X2  |      M X1 X2  | M X1 X2  | E X1 X2
fss | W1 W1 W1 | W1 W1 W1 | W1 W1 W1 |      W1 W1 W1 | W1 W1 W1 | W1 W1 W1
fsf | W1 W1 W2 | W1 W1 W2 | W1 W1 W2 |      W1 W1 W2 | W1 W1 W2 | W1 W1 W2
fse | W1 W1 X1 | W1 W1 X1 | W1 W1 X1 |      W1 W1 X1 | W1 W1 X1 | W1 W1 X1
ffs | W1 W2 W2 | W1 W2 W2 | W1 W2 W2 |      W1 W2 W2 | W1 W2 W2 | W1 W2 W2
fff | W1 W2 W3 | W1 W2 W3 | W1 W2 W3 |      W1 W2 W3 | W1 W2 W3 | W1 W2 W3
ffe | W1 W2 X1 | W1 W2 X1 | W1 W2 X1 |      W1 W2 X1 | W1 W2 X1 | W1 W2 X1
fes | W1 X1 X1 | W1 X1 X1 | W1 X1 X1 |      W1 X1 X1 | W1 X1 X1 | W1 X1 X1
fef | W1 X1 W2 | W1 X1 W2 | W1 X1 W2 |      W1 X1 W2 | W1 X1 W2 | W1 X1 W2
fee | W1 X1 X2 | W1 X1 X2 | W1 X1 X2 |      W1 X1 X2 | W1 X1 X2 | W1 X1 X2
ess | X1 X1 X1 | X1 X1 X1 | X1 X1 X1 |      X1 X1 X1 | X1 X1 X1 | X1 X1 X1
esf | X1 X1 W1 | X1 X1 W1 | X1 X1 W1 |      X1 X1 W1 | X1 X1 W1 | X1 X1 W1
ese | X1 X1 X2 | X1 X1 X2 | X1 X1 X2 |      X1 X1 X2 | X1 X1 X2 | X1 X1 X2
efs | X1 W1 W1 | X1 W1 W1 | X1 W1 W1 |      X1 W1 W1 | X1 W1 W1 | X1 W1 W1
eff | X1 W1 W2 | X1 W1 W2 | X1 W1 W2 |      X1 W1 W2 | X1 W1 W2 | X1 W1 W2
efe | X1 W1 X2 | X1 W1 X2 | X1 W1 X2 |      X1 W1 X2 | X1 W1 X2 | X1 W1 X2
ees | X1 X2 X2 | X1 X2 X2 | X1 X2 X2 |      X1 X2 X2 | X1 X2 X2 | X1 X2 X2
eef | X1 X2 W1 | X1 X2 W1 | X1 X2 W1 |      X1 X2 W1 | X1 X2 W1 | X1 X2 W1
eee | X1 X2 X3 | X1 X2 X3 | X1 X2 X3 |      X1 X2 X3 | X1 X2 X3 | X1 X2 X3
"""
COLUMNS = list(product(("run", "b"), ("", "scope", "escope")))

# Whole programs, in the words of `nesting.py`, and the places of all their parts.
PROGRAMS = """
a scope below a synchronous caller changes nothing, one with an executor does
    run s b scope s         | M/1 D M/1 D
    run s b escope s        | M/1 D M/1 E
    b s b escope s b s      | R1/1 M R1/1 E R1/1 E
a scope without an executor joins the one around it
    run scope scope s       | M/1 L
    run escope scope s      | M/1 E
    run scope s b scope s   | M/1 L M/1 L
    run scope escope s      | M/1 E
a fresh loop is on a thread of the runner, and the thread that waits is the home
    run s new s             | M/1 D R1/2 D
    b s new s               | R1/1 M R2/2 M
    b f new s               | R1/1 W1 R2/2 W1
    run s b s new s         | M/1 D M/1 D R1/2 D
asyncio.run in a function on its home thread: what is sensitive runs inline there
    run s run s             | M/1 D D/2 D
    run scope s run s       | M/1 L L/2 L
    run escope s run s      | M/1 E E/2 E
    b s run s               | R1/1 M M/2 M
    b scope s run s         | R1/1 M M/2 M
    b escope s run s        | R1/1 E E/2 E
    run s run s run s       | M/1 D D/2 D D/3 D
    run s b s run s         | M/1 D M/1 D D/2 D
    b s run s b s           | R1/1 M M/2 M R2/3 M
    run s run f b s         | M/1 D D/2 W1 D/2 W1
asyncio.run on another thread: what is sensitive goes to the home of the chain, which is free or waits
    run f run s             | M/1 W1 W1/2 D
    run e run s             | M/1 X1 X1/2 D
    run scope f run s       | M/1 W1 W1/2 L
    run escope f run s      | M/1 W1 W1/2 E
    b f run s               | R1/1 W1 W1/2 M
    b f run s b s           | R1/1 W1 W1/2 M W1/2 M
    run s b f run s         | M/1 D M/1 W1 W1/2 D
in asyncio.to_thread async_to_sync is cold, and the thread its own home
    run t b s               | M/1 T1 R1/2 T1
    b t b s                 | R1/1 T1 R2/2 T1
    run scope t b s         | M/1 T1 R1/2 T1
    run escope t b s        | M/1 T1 R1/2 T1
    run s b t b s           | M/1 D M/1 T1 R1/2 T1
    run t run s             | M/1 T1 T1/2 D
    b t run s               | R1/1 T1 T1/2 M
"""


def parts(line: str) -> list[str]:
    """Split a row at its bars."""
    return [part.strip() for part in line.split("|")]


def column(outermost: str, scope: str) -> Iterator[tuple[str, list[str]]]:
    """Read one column of `CHAINS`: how the functions are called, and where they run."""
    for line in CHAINS.strip().splitlines()[2:]:
        name, *cells = parts(line)
        yield name, cells[list[tuple[str, str]](COLUMNS).index((outermost, scope))].split()


def program_of(outermost: str, scope: str, kinds: str) -> list[str]:
    """Write a chain down as a program."""
    words = " b ".join(kinds).split()
    return [outermost, *scope.split(), *words]


@pytest.mark.parametrize("bridges", [1, 2])
@pytest.mark.parametrize("style", STYLES)
@pytest.mark.parametrize("scope", ["", "scope", "escope"])
@pytest.mark.parametrize("outermost", ["run", "b"])
def test_chains(outermost: str, scope: str, style: str, bridges: int) -> None:
    """Q3, A3, F7: each cell of the matrix, one to three functions deep; no cell hangs."""
    loop = "M/1" if outermost == "run" else "R1/1"
    expected: dict[str, set[str]] = {}
    found: dict[str, set[str]] = {}
    with ExitStack() as stack:
        world = World(stack, bridges)
        for kinds, threads in column(outermost, scope):
            for depth in (1, 2, 3):
                expected[kinds[:depth]] = {" ".join(f"{loop} {thread}" for thread in threads[:depth])}
        for kinds in expected:
            found[kinds] = set(world.run(program_of(outermost, scope, kinds), style))
    assert found == expected


def programs() -> Iterator[tuple[str, str]]:
    """Read `PROGRAMS`."""
    for line in PROGRAMS.splitlines():
        if "|" in line:
            program, places = parts(line)
            yield program, places


@pytest.mark.parametrize("bridges", [1, 2])
@pytest.mark.parametrize("style", STYLES)
def test_programs(style: str, bridges: int) -> None:
    """Q3, A4, F7: other shapes of nesting; none of them hangs either."""
    with ExitStack() as stack:
        world = World(stack, bridges)
        found = {program: set(world.run(program.split(), style)) for program, _ in programs()}
    assert found == {program: {places} for program, places in programs()}


@pytest.mark.timeout(1)
def test_a_scope_on_the_thread_that_hosts_already() -> None:
    """Q3: the same executor given to a scope inside and outside is still one thread."""
    with ExitStack() as stack:
        world = World(stack)
        assert world.run(["run", "escope", "s", "b", "escope", "s"]) == ["M/1 E M/1 E"]


@pytest.mark.xfail(strict=True, reason="bridge bug 24")
@pytest.mark.timeout(1)
@pytest.mark.parametrize("program", ["run s run f run s", "b s run f run s", "run s run t run s"])
def test_a_home_thread_that_runs_a_loop(program: str) -> None:
    """A4: what that loop waits for needs the thread, from another one."""
    with ExitStack() as stack:
        world = World(stack)
        assert world.run(program.split())
