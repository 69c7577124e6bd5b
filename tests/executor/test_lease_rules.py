"""What a pool of leased workers decides, as tables; and that it holds when a lease ends in the middle of it."""

import pytest

from asgikit.errors import AbandonedError, ScopeError
from asgikit.executor import ThreadSensitivePool
from asgikit.executor import _lease_rules as rules
from asgikit.executor._lease_worker import LeaseWorker
from asgikit.executor._thread import ThreadNames
from asgikit.executor._work import FutureWork
from tests.support.held import SECONDS, Held, WatchedWork


@pytest.mark.parametrize(
    ("workers", "left", "max_abandoned", "counted"),
    [(0, 0, 32, 0), (4, 0, 32, 4), (4, 1, 32, 3), (4, 3, 2, 2), (4, 1, 0, 4)],
)
def test_workers_left_to_abandoned_calls_do_not_count_up_to_their_cap(
    workers: int, left: int, max_abandoned: int, counted: int
) -> None:
    """E3: a bound on what is leased and idle, and a cap of its own for the rest."""
    assert rules.counted(workers, left, max_abandoned) == counted


@pytest.mark.parametrize(("left", "expected"), [(0, False), (3, False), (4, True), (5, True)])
def test_nobody_may_hope_when_abandoned_calls_hold_all_that_there_may_be(left: int, expected: bool) -> None:
    """E3, B5: two workers, and two more for abandoned calls."""
    assert rules.stuck(left, max_abandoned=2, bound=2) is expected


@pytest.mark.parametrize(
    ("permanent", "counted", "expected"),
    [(False, 0, True), (False, 1, True), (False, 2, False), (False, 3, False), (True, 0, True), (True, 2, True)],
)
def test_who_may_have_a_new_worker(permanent: bool, counted: int, expected: bool) -> None:
    """E3: none over the bound of two, but for the default lease."""
    assert rules.may_start(permanent=permanent, counted=counted, bound=2) is expected


@pytest.mark.parametrize(
    ("closed", "counted", "expected"), [(False, 1, False), (False, 2, False), (False, 3, True), (True, 1, True)]
)
def test_when_a_worker_ends_with_its_lease(closed: bool, counted: int, expected: bool) -> None:
    """E3: when the pool is closed, or over its bound of two."""
    assert rules.is_over(closed=closed, counted=counted, bound=2) is expected


@pytest.mark.parametrize(
    ("on_abandon", "abandoned", "reason"),
    [
        ("replace", 1, None),
        ("replace", 2, None),
        ("replace", 3, "3 abandoned calls hold threads, more than the 2 allowed"),
        ("fail", 1, r"the thread of this scope is held by the abandoned call shop\.pay"),
        ("fail", 3, "3 abandoned calls"),
    ],
)
def test_why_a_lease_gets_no_other_worker(on_abandon: str, abandoned: int, reason: str | None) -> None:
    """B5: replaced, or refused by name."""
    said = rules.no_replacement(on_abandon, "shop.pay", abandoned, max_abandoned=2)
    assert said is None if reason is None else said is not None and reason.replace("\\", "") in said


# A lease that ends while a thread holds the lock: the garbage collector may end a scope at any moment


def test_a_lease_that_is_released_while_it_is_given_a_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """A10, B8: its work is refused, and the worker is free for others."""
    with ThreadSensitivePool(1) as pool:
        lease, work = pool.lease(), FutureWork(int)
        give = pool._state.worker_for

        def give_and_release(*, permanent: bool) -> LeaseWorker | None:
            worker = give(permanent=permanent)
            lease.release()
            return worker

        with monkeypatch.context() as patch:
            patch.setattr(pool._state, "worker_for", give_and_release)
            lease.post(work)
        with pytest.raises(ScopeError):
            work.future.result(0)
        assert pool.counters.idle == 1


def test_a_worker_that_comes_free_while_a_lease_goes_to_the_end_of_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """A10, B8: nobody stands in line beside an idle worker."""
    with ThreadSensitivePool(1) as pool:
        first, second, work = pool.lease(), pool.lease(), FutureWork(int)
        first.post(done := FutureWork(int))
        done.future.result(SECONDS)
        with monkeypatch.context() as patch:
            patch.setattr(pool._state, "stuck", first.release)
            second.post(work)
        assert work.future.result(SECONDS) == 0
        second.release()


def test_a_worker_that_cannot_be_replaced_for_want_of_threads(monkeypatch: pytest.MonkeyPatch) -> None:
    """B5: what waits behind the abandoned call is told so, instead of being lost."""

    def no_thread(_: ThreadNames, target: object) -> None:
        message = "can't start new thread"
        raise RuntimeError(message)

    with ThreadSensitivePool() as pool, Held() as held:
        lease = pool.lease()
        stuck = WatchedWork[str](lambda _: held())
        lease.post(stuck)
        held.wait()
        lease.post(waiting := FutureWork(int))
        with monkeypatch.context() as patch:
            patch.setattr(ThreadNames, "start", no_thread)
            lease.abandon(stuck)
            with pytest.raises(AbandonedError, match=r"there is no other: can.t start new thread"):
                waiting.future.result(0)
        held.let_go()
        stuck.result()
        lease.release()
