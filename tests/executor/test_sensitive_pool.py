import logging
import threading

import pytest

from asgikit.errors import AbandonedError, ClosedError, LeaseTimeoutError, ScopeError
from asgikit.executor import ThreadSensitivePool
from asgikit.executor._work import FutureWork
from asgikit.protocols import Lease
from tests.support.gate import wait_for
from tests.support.held import SECONDS, Held, WatchedWork


def thread_of(lease: Lease) -> int:
    """Ask the worker of `lease` for its thread."""
    work = FutureWork(threading.get_ident)
    lease.post(work)
    return work.future.result(SECONDS)


def post_held(lease: Lease, held: Held) -> FutureWork[str]:
    """Have `lease` run a call that is held, and wait until it runs."""
    work = FutureWork(held)
    lease.post(work)
    held.wait()
    return work


# Leasing


def test_a_lease_takes_its_worker_at_the_first_call() -> None:
    """D3: neither the pool nor a lease starts anything by itself."""
    before = threading.active_count()
    pool = ThreadSensitivePool()
    lease = pool.lease()
    default = pool.default()
    assert threading.active_count() == before
    assert lease.thread_id is None
    assert not lease.waiting
    assert lease.running is None
    lease.release()
    assert default is pool.default()
    assert pool.counters.started == 0


def test_one_lease_is_one_thread_and_two_are_two() -> None:
    """E1: leases never wait for each other. E7: their threads have names that count."""
    with ThreadSensitivePool(name="db") as pool, Held() as held:
        first, second = pool.lease(), pool.lease()
        works = [post_held(first, held), post_held(second, held)]
        assert first.thread_id != second.thread_id
        assert first.running is works[0]
        held.let_go()
        names = [work.future.result(SECONDS) for work in works]
        assert names == ["asgikit-db-1", "asgikit-db-2"]
        assert {thread_of(first) for _ in range(5)} == {first.thread_id}
        first.release()
        second.release()


def test_the_next_lease_reuses_the_worker() -> None:
    """E2: a warm lease starts no thread."""
    with ThreadSensitivePool() as pool:
        threads = set[int]()
        for _ in range(5):
            lease = pool.lease()
            threads.add(thread_of(lease))
            lease.release()
            wait_for(lambda: pool.counters.idle, "the worker's return")  # its future is set a little earlier
        assert len(threads) == 1
        assert pool.counters.started == 1


def test_the_default_worker_is_one_and_does_not_count() -> None:
    with ThreadSensitivePool(1) as pool, Held() as held:
        lease = pool.lease()
        work = post_held(lease, held)
        default = pool.submit(threading.get_ident).result(SECONDS)
        assert thread_of(pool.default()) == default
        assert default != lease.thread_id
        held.let_go()
        work.future.result(SECONDS)
        lease.release()


def test_leases_over_the_bound_wait_in_the_order_in_which_they_asked() -> None:
    """E3: never more workers than the bound; FIFO."""
    order: list[int] = []
    with ThreadSensitivePool(1) as pool, Held() as held:
        first = pool.lease()
        post_held(first, held)
        waiting = [pool.lease() for _ in range(4)]
        works = [FutureWork(order.append, number) for number in range(4)]
        for lease, work in zip(waiting, works, strict=True):
            lease.post(work)
            lease.post(FutureWork(order.append, 10))
            assert lease.waiting
        assert pool.counters.queued == 4
        first.release()
        held.let_go()
        for lease, work in zip(waiting, works, strict=True):
            work.future.result(SECONDS)
            assert not lease.waiting
            lease.release()
        assert pool.counters.started == 1
    assert order == [0, 10, 1, 10, 2, 10, 3, 10]


def test_a_release_lets_what_was_posted_run_first_and_never_waits() -> None:
    """A10: leaving a scope never blocks."""
    ran: list[int] = []
    with ThreadSensitivePool(1) as pool, Held() as held:
        lease, following = pool.lease(), pool.lease()
        post_held(lease, held)
        lease.post(FutureWork(ran.append, 1))
        lease.release()
        lease.release()
        following.post(FutureWork(ran.append, 2))
        with pytest.raises(ScopeError, match="has ended"):
            lease.post(FutureWork(ran.append, 3))
        held.let_go()
        thread_of(following)
        following.release()
    assert ran == [1, 2]


def test_a_lease_that_is_released_in_line_fails_what_it_was_asked() -> None:
    with ThreadSensitivePool(1) as pool, Held() as held:
        first, second, third = pool.lease(), pool.lease(), pool.lease()
        post_held(first, held)
        work = FutureWork(int)
        second.post(work)
        third.post(following := FutureWork(int))
        second.release()
        with pytest.raises(ScopeError):
            work.future.result(SECONDS)
        first.release()
        held.let_go()
        assert following.future.result(SECONDS) == 0
        third.release()


def test_a_lease_can_give_up_waiting() -> None:
    """E3: the optional time-out of those that wait."""
    with ThreadSensitivePool(1, lease_timeout=3.0) as pool, Held() as held:
        assert pool.lease_timeout == 3.0
        first, second = pool.lease(), pool.lease()
        post_held(first, held)
        first.expire()  # it has a worker
        works = [FutureWork(int), FutureWork(int)]
        for work in works:
            second.post(work)
        second.expire()
        for work in works:
            with pytest.raises(LeaseTimeoutError, match=r"no worker of 1 became free in time for builtins\.int"):
                work.future.result(0)
        second.expire()
        first.release()
        held.let_go()
        assert thread_of(second)  # asking again is allowed
        second.release()


# Hosting


def test_a_waiting_call_serves_its_own_lease_but_never_the_default_one() -> None:
    """A3: what belongs to the scope may run meanwhile, what belongs to nobody may not."""
    with ThreadSensitivePool() as pool:
        lease, default = pool.lease(), pool.default()
        inside = FutureWork(threading.get_ident)

        def call(work: WatchedWork[int]) -> int:
            inbox = lease.host(work)
            assert inbox is not None
            lease.post(inside)
            item = inbox.get(True, SECONDS)
            assert item is inside
            inside.run()
            lease.resume(work)
            return threading.get_ident()

        outer = WatchedWork(call)
        lease.post(outer)
        assert outer.result() == inside.future.result(SECONDS)
        assert default.host(outer) is None
        assert thread_of(lease) == outer.result()
        lease.release()


# Hooks


def test_hooks_run_on_the_very_worker_in_their_order() -> None:
    """E4: what belongs to a thread is opened and closed there."""
    seen: list[tuple[str, int]] = []
    threads: set[int] = set()

    def note(what: str) -> None:
        seen.append((what, threading.get_ident()))

    pool = ThreadSensitivePool(
        1,
        on_worker_start=lambda: note("worker start"),
        on_lease_start=lambda: note("lease start"),
        on_lease_end=lambda: note("lease end"),
        on_worker_end=lambda: note("worker end"),
    )
    with pool:
        for _ in range(2):
            lease = pool.lease()
            lease.post(FutureWork(note, "call"))
            threads.add(thread_of(lease))
            lease.release()
    assert {worker for _, worker in seen} == threads
    assert [what for what, _ in seen] == [
        "worker start",
        *["lease start", "call", "lease end"] * 2,
        "worker end",
    ]


def test_a_lease_that_was_never_left_ends_with_the_pool() -> None:
    seen: list[str] = []
    with ThreadSensitivePool(on_lease_end=lambda: seen.append("lease end")) as pool:
        thread_of(pool.lease())
    assert seen == ["lease end"]


def test_a_hook_that_fails_is_told_and_changes_nothing(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise LookupError

    with ThreadSensitivePool(on_worker_start=fail, on_lease_start=fail, on_lease_end=fail, on_worker_end=fail) as pool:
        lease = pool.lease()
        assert thread_of(lease) == lease.thread_id
        lease.release()
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 4
    assert all(
        "the hook" in record.getMessage() and "asgikit-sensitive-1" in record.getMessage() for record in caplog.records
    )


# Abandoned calls


def abandon(lease: Lease, held: Held) -> WatchedWork[str]:
    """Have `lease` run a call that is held, and abandon it."""
    work = WatchedWork[str](lambda _: held())
    lease.post(work)
    held.wait()
    lease.abandon(work)
    return work


def test_a_replaced_worker_runs_what_waited_and_comes_back_later() -> None:
    """B5: later calls never wait for the abandoned one."""
    with ThreadSensitivePool() as pool, Held() as held:
        lease = pool.lease()
        stuck = abandon(lease, held)
        thread = thread_of(lease)
        assert thread not in held.threads
        assert pool.counters.abandoned == 1
        held.let_go()
        stuck.result()
        assert thread_of(lease) == thread
        lease.release()


def test_what_waits_behind_a_call_when_it_is_abandoned_moves_on() -> None:
    """B5: also what was queued before."""
    with ThreadSensitivePool() as pool, Held() as held:
        lease = pool.lease()
        stuck = WatchedWork[str](lambda _: held())
        lease.post(stuck)
        held.wait()
        waiting = FutureWork(threading.get_ident)
        lease.post(waiting)
        lease.abandon(stuck)
        lease.abandon(stuck)
        assert waiting.future.result(SECONDS) not in held.threads
        lease.release()


def test_the_default_worker_is_replaced_too() -> None:
    """B5: one stuck call does not stop everything outside scopes."""
    with ThreadSensitivePool() as pool, Held() as held:
        abandon(pool.default(), held)
        assert pool.submit(threading.get_ident).result(SECONDS) not in held.threads


def test_on_abandon_fail_refuses_by_name() -> None:
    with ThreadSensitivePool(on_abandon="fail") as pool, Held() as held:
        lease = pool.lease()
        stuck = WatchedWork[str](lambda _: held())
        lease.post(stuck)
        held.wait()
        waiting = FutureWork(int)
        lease.post(waiting)
        lease.abandon(stuck)
        with pytest.raises(AbandonedError, match=r"held by the abandoned call tests\.support\.held"):
            waiting.future.result(SECONDS)
        with pytest.raises(AbandonedError):
            lease.post(FutureWork(int))
        held.let_go()
        stuck.result()
        lease.release()


def test_on_abandon_wait_queues_behind() -> None:
    with ThreadSensitivePool(on_abandon="wait") as pool, Held() as held:
        lease = pool.lease()
        abandon(lease, held)
        waiting = FutureWork(threading.get_ident)
        lease.post(waiting)
        held.let_go()
        assert waiting.future.result(SECONDS) == held.threads[0]
        lease.release()


def test_more_abandoned_calls_than_allowed_are_refused_a_further_thread() -> None:
    with ThreadSensitivePool(max_abandoned=1) as pool, Held() as held:
        lease = pool.lease()
        abandon(lease, held)
        abandon(lease, held)
        with pytest.raises(AbandonedError, match="more than the 1 allowed"):
            lease.post(FutureWork(int))
        lease.release()


def test_an_abandoned_default_call_leaves_the_bound_of_leases_alone() -> None:
    """E3: it never counted, so it frees nothing."""
    with ThreadSensitivePool(1) as pool, Held() as held, Held() as others:
        abandon(pool.default(), held)
        first, second = pool.lease(), pool.lease()
        post_held(first, others)
        second.post(FutureWork(int))
        assert pool.counters.queued == 1
        first.release()
        second.release()


def test_an_abandoned_call_lets_the_next_in_line_have_a_worker() -> None:
    """B5: a scope never waits for the stuck call of another."""
    with ThreadSensitivePool(1) as pool, Held() as held:
        first, second = pool.lease(), pool.lease()
        stuck = WatchedWork[str](lambda _: held())
        first.post(stuck)
        held.wait()
        waiting = FutureWork(int)
        second.post(waiting)
        first.abandon(stuck)
        assert not second.waiting
        held.let_go()
        assert waiting.future.result(SECONDS) == 0
        first.release()
        second.release()


# Ends


def test_close_waits_for_what_runs_at_most_as_long_as_it_is_told() -> None:
    pool = ThreadSensitivePool()
    with Held() as held:
        lease = pool.lease()
        work = post_held(lease, held)
        pool.close(0)
        assert not work.future.done()
        with pytest.raises(ClosedError, match="the thread-sensitive pool 'sensitive' is closed"):
            lease.post(FutureWork(int))
        with pytest.raises(ClosedError):
            pool.submit(int)
        lease.release()
    pool.close()
    assert work.future.done()


def test_close_fails_what_waits_for_a_worker() -> None:
    with Held() as held:
        pool = ThreadSensitivePool(1)
        post_held(pool.lease(), held)
        waiting = FutureWork(int)
        pool.lease().post(waiting)
        pool.close(0)
        with pytest.raises(ClosedError, match=r"closed before builtins\.int could run"):
            waiting.future.result(SECONDS)


def test_one_that_is_forgotten_says_so_and_ends_its_threads() -> None:
    pools = [ThreadSensitivePool(name="lost")]
    pools[0].submit(int).result(SECONDS)
    with pytest.warns(ResourceWarning, match="the thread-sensitive pool 'lost' was never closed"):
        pools.clear()


def test_wrong_settings_are_refused() -> None:
    with pytest.raises(ValueError, match="at least 1, not 0"):
        ThreadSensitivePool(0)
    with pytest.raises(ValueError, match="on_abandon must be 'replace', 'wait' or 'fail', not 'retry'"):
        ThreadSensitivePool(on_abandon="retry")  # type: ignore[arg-type] # that is the point
