"""Where a crossing goes: a pure function of the chain of links. No thread, no loop, no clock.

Thread-sensitive work goes, in this order, to

1. the nearest of: a scope that was given an executor, a synchronous caller that waits in `async_to_sync`;
2. the leased worker of the innermost live scope;
3. the bridge's one default worker (None here).

A scope with an executor that has ended is still the answer: its task must hear that it outlived the scope
instead of running on a thread it was told not to use.
"""

from asgikit.bridge._links import ExecutorScopeLink, HostLink, LeaseScopeLink, Link, LoopScopeLink

__all__ = ("enclosing_host", "enclosing_scope", "loop_scope", "scope_of", "sensitive_home")


def sensitive_home(link: Link | None) -> HostLink | ExecutorScopeLink | LeaseScopeLink | None:
    """Return the link whose thread runs thread-sensitive work from inside `link`; None is the default worker."""
    lease: LeaseScopeLink | None = None
    while link is not None:
        if isinstance(link, HostLink):
            if link.hosting and link.live:
                return link
        elif isinstance(link, ExecutorScopeLink):
            return link if link.live or lease is None else lease
        elif lease is None and isinstance(link, LeaseScopeLink) and link.live:
            lease = link
        link = link.parent
    return lease


def enclosing_host(link: Link | None) -> HostLink | None:
    """Return the nearest live `async_to_sync` that encloses `link`, hosting or not, or None."""
    while link is not None:
        if isinstance(link, HostLink) and link.live:
            return link
        link = link.parent
    return None


def enclosing_scope(link: Link | None) -> ExecutorScopeLink | LeaseScopeLink | None:
    """Return the live thread-sensitive scope that a scope without an executor joins, or None."""
    while link is not None:
        if isinstance(link, ExecutorScopeLink | LeaseScopeLink) and link.live:
            return link
        link = link.parent
    return None


def scope_of(executor: object, link: Link | None) -> ExecutorScopeLink | None:
    """Return the live scope that was given this very executor, so that both can be served by one host, or None."""
    while link is not None:
        if isinstance(link, ExecutorScopeLink) and link.live and link.home.executor is executor:
            return link
        link = link.parent
    return None


def loop_scope(link: Link | None) -> LoopScopeLink | None:
    """Return the live loop scope that a cold `async_to_sync` uses, or None for the bridge's runner."""
    while link is not None:
        if isinstance(link, LoopScopeLink) and link.live:
            return link
        link = link.parent
    return None
