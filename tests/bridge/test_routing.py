"""The pure routing as a table: chains of fake links, written outermost first, and where they lead.

H  a synchronous caller that waits      h  one that runs its loop itself, and cannot host
L  a scope with a leased worker         E  a scope with an executor         O  a loop scope
a dash behind a letter: it has ended, after everything inside it was entered
"""

import asyncio
from contextlib import closing
from typing import cast

import pytest

from asgikit.bridge import _chain
from asgikit.bridge._homes import ScopeHome
from asgikit.bridge._links import ExecutorScopeLink, HostLink, LeaseScopeLink, Link, LoopScopeLink
from asgikit.bridge._routing import enclosing_host, enclosing_scope, loop_scope, sensitive_home
from asgikit.executor import CurrentThreadExecutor
from asgikit.protocols import Lease, LoopRunner

FAKE = object()  # routing looks at links and at nothing they hold


def link_of(letter: str, parent: Link | None) -> Link:
    """Make one link."""
    match letter:
        case "H" | "h":
            host = HostLink(parent, cast("CurrentThreadExecutor", FAKE))
            host.hosting = letter == "H"
            return host
        case "L":
            return LeaseScopeLink(parent, cast("Lease", FAKE))
        case "E":
            return ExecutorScopeLink(parent, cast("ScopeHome", FAKE))
        case _:
            return LoopScopeLink(parent, cast("LoopRunner", FAKE))


def chain_of(text: str) -> list[Link]:
    """Make a chain from its outermost link inwards, then end the links with a dash, outermost first."""
    links: list[Link] = []
    ended: list[Link] = []
    for letter in text:
        if letter == "-":
            ended.append(links[-1])
        else:
            links.append(link_of(letter, links[-1] if links else None))
    for link in ended:
        link.close()
    return links


def told(found: Link | None, links: list[Link]) -> str:
    """Tell a link by its letter and its place from outside, counted from 1."""
    if found is None:
        return "."
    letters: dict[type[Link], str] = {HostLink: "H", LeaseScopeLink: "L", ExecutorScopeLink: "E", LoopScopeLink: "O"}
    return f"{letters[type(found)]}{links.index(found) + 1}"


# chain | home of thread-sensitive work | scope that a plain scope joins | loop scope | enclosing host
ROUTES = """
        | .  | .  | .  | .
H       | H1 | .  | .  | H1
h       | .  | .  | .  | H1
L       | L1 | L1 | .  | .
E       | E1 | E1 | .  | .
O       | .  | .  | O1 | .
HL      | H1 | L2 | .  | H1
LH      | H2 | L1 | .  | H2
hL      | L2 | L2 | .  | H1
Lh      | L1 | L1 | .  | H2
HE      | E2 | E2 | .  | H1
EH      | H2 | E1 | .  | H2
EHH     | H3 | E1 | .  | H3
HEH     | H3 | E2 | .  | H3
EHE     | E3 | E3 | .  | H2
LE      | E2 | E2 | .  | .
EL      | E1 | L2 | .  | .
HLH     | H3 | L2 | .  | H3
LHL     | H2 | L3 | .  | H2
LHh     | H2 | L1 | .  | H3
HhL     | H1 | L3 | .  | H2
OHL     | H2 | L3 | O1 | H2
LO      | L1 | L1 | O2 | .
OO      | .  | .  | O2 | .
H-      | .  | .  | .  | .
L-      | .  | .  | .  | .
E-      | E1 | .  | .  | .
O-      | .  | .  | .  | .
HH-     | H1 | .  | .  | H1
H-H     | H2 | .  | .  | H2
H-L     | L2 | L2 | .  | .
LH-     | L1 | L1 | .  | .
EH-     | E1 | E1 | .  | .
HL-     | H1 | .  | .  | H1
HE-     | E2 | .  | .  | .
E-H     | H2 | .  | .  | H2
E-H-    | E1 | .  | .  | .
E-L     | L2 | L2 | .  | .
L-H-    | .  | .  | .  | .
LL-     | L1 | L1 | .  | .
OO-     | .  | .  | O1 | .
L-H-H-  | .  | .  | .  | .
HL-H-   | H1 | .  | .  | H1
"""


@pytest.mark.parametrize("row", [line for line in ROUTES.splitlines() if "|" in line])
def test_routes(row: str) -> None:
    """E9, A7, F7: where work goes is a pure function of the chain of links."""
    text, *expected = (part.strip() for part in row.split("|"))
    links = chain_of(text)
    inside = links[-1] if links else None
    ask = (sensitive_home, enclosing_scope, loop_scope, enclosing_host)
    assert [told(function(inside), links) for function in ask] == expected


def test_a_link_leads_on_to_the_nearest_live_one_and_to_nothing_dead() -> None:
    """E8: what a task can reach does not grow with the crossings that came before it."""
    outermost = link_of("H", None)
    link = outermost
    for _ in range(1000):
        ended = link_of("H", link)
        ended.close()
        link = ended
    assert link.parent is outermost
    outermost.close()
    assert link_of("L", link).parent is None


def test_links_of_a_parent_process_are_dead_in_the_child() -> None:
    """D1: a forked child starts without a chain; shown here by the mark that it gets."""
    links = chain_of("HLEO")
    before = _chain.process.token
    try:
        _chain.process.token = object()
        assert not any(link.live for link in links)
        assert told(enclosing_host(links[-1]), links) == "."
        assert told(loop_scope(links[-1]), links) == "."
        assert link_of("L", links[-1]).parent is None
    finally:
        _chain.process.token = before


def test_a_host_that_ended_blocks_no_loop() -> None:
    host = HostLink(None, CurrentThreadExecutor())
    with closing(asyncio.new_event_loop()) as loop:
        host.blocks = loop
        host.close()
        assert host.blocks is not loop
        assert not host.hosting
