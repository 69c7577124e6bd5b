import gc
import math
import os
import threading

import pytest

from asgikit.errors import AbandonedError, ClosedError
from asgikit.executor import ThreadSensitivePool, WorkerThreadPool
from asgikit.executor._work import FutureWork
from tests.support.held import SECONDS, Held, WatchedWork


def test_making_one_starts_nothing() -> None:
    """D3: not even for a bound of many."""
    before = threading.active_count()
    pool = WorkerThreadPool(8)
    assert threading.active_count() == before
    assert pool.counters.started == 0
    assert pool.thread_id is None


def test_calls_that_block_get_a_thread_each_up_to_the_bound() -> None:
    """E7: with names that say whose they are, and count."""
    with WorkerThreadPool(3, name="mail") as pool, Held() as held:
        futures = [pool.submit(held) for _ in range(5)]
        held.wait(3)
        counters = pool.counters
        assert (counters.started, counters.busy, counters.idle, counters.queued) == (3, 3, 0, 2)
        held.let_go()
        names = {future.result(SECONDS) for future in futures}
        assert held.most == 3
        assert names <= {"asgikit-mail-1", "asgikit-mail-2", "asgikit-mail-3"}


def test_the_default_bound_follows_the_processors() -> None:
    assert WorkerThreadPool()._state.bound == min(32, (os.cpu_count() or 1) + 4)
    assert WorkerThreadPool(math.inf)._state.bound == math.inf
    with pytest.raises(ValueError, match="at least 1, not 0"):
        WorkerThreadPool(0)


class Delivered(FutureWork[int]):
    """Work that is heard of when it is delivered, as a bridge's call is, and not from its future before that."""

    __slots__ = ("delivered",)

    def __init__(self) -> None:
        super().__init__(threading.get_ident)
        self.delivered = threading.Event()

    def deliver(self) -> None:
        self.delivered.set()


def test_calls_one_after_the_other_use_one_thread() -> None:
    """A worker is free again before anybody hears of the outcome."""
    threads = set[int]()
    with WorkerThreadPool() as pool:
        for _ in range(20):
            work = Delivered()
            pool.post(work)
            assert work.delivered.wait(SECONDS)
            threads.add(work.future.result(0))
        assert len(threads) == 1
        assert pool.counters.started == 1


def test_first_come_first_served() -> None:
    ran: list[int] = []
    with WorkerThreadPool(1) as pool, Held() as held:
        pool.submit(held)
        held.wait()
        for number in range(10):
            pool.submit(ran.append, number)
        held.let_go()
    assert ran == list(range(10))


def hosting(pool: WorkerThreadPool, meanwhile: Held) -> WatchedWork[str]:
    """Make work that hosts on `pool` for as long as `meanwhile` is held."""

    def call(work: WatchedWork[str]) -> str:
        pool.host(work)
        try:
            return meanwhile()
        finally:
            pool.resume(work)

    return WatchedWork(call)


def host_at_once(pool: WorkerThreadPool, calls: int) -> None:
    """Have so many calls host on `pool` at the same time, and end."""
    with Held() as held:
        works = [hosting(pool, held) for _ in range(calls)]
        for work in works:
            pool.post(work)
        held.wait(calls)
        held.let_go()
        for work in works:
            work.result()


def test_a_call_that_hosts_gives_up_its_slot() -> None:
    """A5: with one slot, ten calls inside each other make progress."""
    with WorkerThreadPool(1) as pool:
        host_at_once(pool, 10)


def test_the_surplus_ends_after_hosting() -> None:
    """E3: once nothing is queued, the pool is back at its bound."""
    with WorkerThreadPool(1) as pool:
        host_at_once(pool, 4)
        assert pool.submit(int).result(SECONDS) == 0
        gone = [thread for thread in threading.enumerate() if thread.name.startswith("asgikit-worker-")]
        for thread in gone:
            if thread.ident != pool.submit(threading.get_ident).result(SECONDS):
                thread.join(SECONDS)
        assert len(pool._state.seats) == 1


def test_the_bound_holds_again_after_hosting_while_work_is_queued() -> None:
    """E3: a worker over the bound leaves, and takes no further call with it."""
    with WorkerThreadPool(1) as pool, Held() as first, Held() as others:
        work = hosting(pool, first)
        pool.post(work)
        first.wait()
        futures = [pool.submit(others) for _ in range(3)]
        others.wait()
        thread = next(thread for thread in threading.enumerate() if thread.ident == first.threads[0])
        first.let_go()
        work.result()
        thread.join(SECONDS)
        others.let_go()
        assert [future.result(SECONDS) for future in futures]
        assert others.most == 1


def test_an_abandoned_call_makes_room_for_another() -> None:
    """B5: the call that nobody waits for does not hold up those behind it."""
    with WorkerThreadPool(1) as pool, Held() as held:
        stuck = FutureWork(held)
        pool.post(stuck)
        held.wait()
        waiting = pool.submit(threading.get_ident)
        pool.abandon(stuck)
        assert waiting.result(SECONDS) != held.threads[0]
        assert pool.counters.abandoned == 1
        held.let_go()
        stuck.future.result(SECONDS)
        pool.abandon(stuck)  # too late to matter
        assert pool.submit(int).result(SECONDS) == 0
        assert pool.counters.abandoned == 0


def test_when_abandoned_calls_hold_every_thread_new_ones_are_refused_by_name() -> None:
    with WorkerThreadPool(1, max_abandoned=1) as pool, Held() as held:
        stuck = [FutureWork(held) for _ in range(2)]
        for work in stuck:
            pool.post(work)
            held.wait()
            pool.abandon(work)
        with pytest.raises(AbandonedError, match=r"all 1 threads of the worker pool 'worker'.*Held"):
            pool.submit(int)
        held.let_go()
        for work in stuck:
            work.future.result(SECONDS)


def test_a_call_that_hosts_and_is_abandoned_frees_one_slot_and_not_two() -> None:
    """E3: the bound holds whatever became of a call."""
    with WorkerThreadPool(1) as pool, Held() as held, Held() as others:
        work = hosting(pool, held)
        pool.post(work)
        held.wait()
        pool.abandon(work)
        futures = [pool.submit(others) for _ in range(3)]
        others.wait()
        assert len(pool._state.seats) == 2
        others.let_go()
        held.let_go()
        assert [future.result(SECONDS) for future in futures]
        assert others.most == 1


def test_close_waits_for_what_runs_at_most_as_long_as_it_is_told() -> None:
    pool = WorkerThreadPool(1)
    with Held() as held:
        future = pool.submit(held)
        held.wait()
        pool.close(0)
        assert future.running()
        with pytest.raises(ClosedError, match="the worker pool 'worker' is closed"):
            pool.submit(int)
    pool.close()
    assert future.done()
    pool.close()


def test_one_that_is_forgotten_says_so_and_ends_its_threads() -> None:
    pools = [WorkerThreadPool(name="lost")]
    pools[0].submit(int).result(SECONDS)
    with pytest.warns(ResourceWarning, match="the worker pool 'lost' was never closed"):
        pools.clear()


def test_one_that_never_had_a_thread_may_be_forgotten() -> None:
    WorkerThreadPool()
    gc.collect()


def test_without_reuse_every_call_gets_a_thread_of_its_own_within_the_bound() -> None:
    """E7: numbered on."""
    with WorkerThreadPool(1, reuse_threads=False) as pool, Held() as held:
        futures = [pool.submit(held) for _ in range(3)]
        held.wait()
        held.let_go()
        assert [future.result(SECONDS) for future in futures] == [f"asgikit-worker-{number}" for number in (1, 2, 3)]
        assert held.most == 1


class Starting:
    """What starting a thread does, decided by the test."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.real = threading.Thread.start
        self.kept: list[threading.Thread] = []
        self.fails = False

        def start(thread: threading.Thread) -> None:  # a function, because it has to bind
            self.start(thread)

        monkeypatch.setattr(threading.Thread, "start", start)

    def start(self, thread: threading.Thread) -> None:
        if self.fails:
            message = "can't start new thread"
            raise RuntimeError(message)
        self.kept.append(thread)

    def let_start(self) -> None:
        for thread in self.kept:
            self.real(thread)


def test_a_call_that_finds_no_thread_is_refused_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call that was refused must not run later, when there are threads again."""
    ran: list[str] = []
    with WorkerThreadPool() as pool:
        with monkeypatch.context() as patched:
            Starting(patched).fails = True
            with pytest.raises(RuntimeError, match="can't start new thread"):
                pool.submit(ran.append, "refused")
        pool.submit(ran.append, "taken").result(SECONDS)
    assert ran == ["taken"]


def test_a_worker_that_cannot_call_another_does_its_own_work(monkeypatch: pytest.MonkeyPatch) -> None:
    """When the system gives no more threads, those that there are go on."""
    with WorkerThreadPool(2) as pool, monkeypatch.context() as patched:
        start = Starting(patched)
        futures = [pool.submit(threading.get_ident) for _ in range(3)]
        start.fails = True
        start.let_start()
        assert len({future.result(1) for future in futures}) == 1


@pytest.mark.parametrize("make", [WorkerThreadPool, ThreadSensitivePool])
def test_ctrl_c_while_a_thread_is_being_started(
    make: "type[WorkerThreadPool | ThreadSensitivePool]", monkeypatch: pytest.MonkeyPatch
) -> None:
    """C1: the thread that nobody knows of ends by itself, what was refused never runs, and the pool goes on."""

    def start(thread: threading.Thread) -> None:
        real(thread)
        started.append(thread)
        raise KeyboardInterrupt

    real, started, ran = threading.Thread.start, list[threading.Thread](), list[str]()
    with make(1) as pool:
        with monkeypatch.context() as patched:
            patched.setattr(threading.Thread, "start", start)
            with pytest.raises(KeyboardInterrupt):
                pool.submit(ran.append, "refused")
        started[0].join(SECONDS)
        assert not started[0].is_alive()
        pool.submit(ran.append, "taken").result(SECONDS)
        assert ran == ["taken"]
        assert pool.counters.started == 1
