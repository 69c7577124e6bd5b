"""What a pool of leased workers decides, from numbers alone: no thread, no lock, no lease."""

__all__ = ("counted", "is_over", "may_start", "no_replacement", "stuck")


def counted(workers: int, left: int, max_abandoned: int) -> int:
    """Return how many of `workers` count towards the bound, when abandoned calls hold `left` of them."""
    return workers - min(left, max_abandoned)


def stuck(left: int, max_abandoned: int, bound: int) -> bool:
    """Whether abandoned calls beyond their cap hold every worker, so that nobody may hope for one."""
    return left - max_abandoned >= bound


def may_start(*, permanent: bool, counted: int, bound: int) -> bool:
    """Whether a lease may have a new worker, when none is idle. The default lease always has one of its own."""
    return permanent or counted < bound


def is_over(*, closed: bool, counted: int, bound: int) -> bool:
    """Whether a worker whose lease has ended shall end too, instead of serving the next."""
    return closed or counted > bound


def no_replacement(on_abandon: str, stuck_call: str, abandoned: int, max_abandoned: int) -> str | None:
    """Return why a lease gets no other worker in the place of one that `stuck_call` holds, or None if it does."""
    if abandoned > max_abandoned:
        reason = f"{abandoned} abandoned calls hold threads, more than the {max_abandoned} allowed"
    elif on_abandon != "replace":
        reason = f"the thread of this scope is held by the abandoned call {stuck_call}"
    else:
        return None
    return f"{reason}; it began to run and nobody waits for it any more"
