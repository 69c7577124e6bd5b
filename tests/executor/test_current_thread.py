import threading
from concurrent.futures import Future, ThreadPoolExecutor
from queue import SimpleQueue

import pytest

from asgikit.errors import ClosedError, DeadlockError
from asgikit.executor import CurrentThreadExecutor
from asgikit.executor._work import FutureWork
from asgikit.protocols import Work
from tests.support.held import SECONDS


def test_the_thread_that_waits_runs_what_others_submit() -> None:
    executor = CurrentThreadExecutor()
    asked: Future[int] = Future()

    def other() -> None:
        asked.set_result(executor.submit(threading.get_ident).result(SECONDS))

    with ThreadPoolExecutor(1) as pool:
        pool.submit(other)
        executor.run_until_future(asked)
    assert asked.result() == threading.get_ident() == executor.thread_id


def test_work_is_run_in_the_order_in_which_it_came() -> None:
    executor = CurrentThreadExecutor()
    ran: list[int] = []
    over: Future[None] = Future()
    for number in range(5):
        executor.post(FutureWork(ran.append, number))
    executor.post(FutureWork(over.set_result, None))
    executor.run_until_future(over)
    assert ran == [0, 1, 2, 3, 4]


def test_it_is_over_when_the_result_is_there() -> None:
    executor = CurrentThreadExecutor()
    over: Future[None] = Future()
    late = FutureWork(int)
    executor.post(FutureWork(over.set_result, None))
    executor.post(late)
    executor.run_until_future(over)
    with pytest.raises(ClosedError, match=r"stopped hosting before builtins\.int could run"):
        late.future.result(0)
    with pytest.raises(ClosedError, match="takes no more work"):
        executor.post(late)
    executor.shutdown()


def test_a_result_that_is_there_already_is_not_waited_for() -> None:
    over: Future[None] = Future()
    over.set_result(None)
    CurrentThreadExecutor().run_until_future(over)


def test_the_thread_cannot_submit_to_itself() -> None:
    with pytest.raises(DeadlockError, match="by that thread itself; call it directly"):
        CurrentThreadExecutor().submit(int)


def test_another_thread_cannot_host_in_its_place() -> None:
    executor = CurrentThreadExecutor()
    with (
        ThreadPoolExecutor(1) as pool,
        pytest.raises(RuntimeError, match="another thread than the one that made this executor"),
    ):
        pool.submit(executor.run_until_future, Future[None]()).result(SECONDS)


def test_hosts_nested_on_a_thread_serve_one_inbox_and_leave_it_to_the_outer_one() -> None:
    outer = CurrentThreadExecutor()
    inner = CurrentThreadExecutor(inbox=outer.inbox)
    for_outer, for_inner = FutureWork(int), FutureWork(int)
    outer.post(for_outer)
    inner.post(for_inner)
    assert inner.run_one()
    assert for_outer.future.done()
    inner.close()
    assert not for_inner.future.done()
    assert outer.run_one()
    assert for_inner.future.result(0) == 0
    outer.close()


def test_it_can_be_woken_and_it_can_give_up_waiting() -> None:
    inbox: SimpleQueue[Work | None] = SimpleQueue()
    executor = CurrentThreadExecutor(inbox=inbox)
    assert not executor.run_one(0)
    executor.wake()
    assert executor.run_one(0)
    assert executor.host(FutureWork(int)) is inbox
