import threading
from concurrent.futures import CancelledError, ThreadPoolExecutor

import pytest

from asgikit.errors import ClosedError, StepTimeoutError
from asgikit.protocols import ExecutorLike, SupportsPost
from asgikit.testing import ManualExecutor


class Posted:
    def __init__(self) -> None:
        self.name = "posted"
        self.outcome: object = None
        self.delivered = False

    def run(self) -> None:
        self.outcome = threading.current_thread().name

    def deliver(self) -> None:
        self.delivered = self.outcome is not None

    def fail(self, error: BaseException, /) -> None:
        self.outcome = error


def test_nothing_runs_before_the_test_says_so_and_then_on_its_thread() -> None:
    executor = ManualExecutor()
    as_executor: ExecutorLike = executor
    future = as_executor.submit(threading.get_ident)
    assert executor.pending() == 1
    assert not future.done()
    executor.run_next()
    assert future.result(timeout=0) == threading.get_ident()
    assert executor.pending() == 0


def test_posted_work_runs_on_the_thread_that_the_test_chooses() -> None:
    executor = ManualExecutor()
    as_post: SupportsPost = executor
    work = Posted()
    as_post.post(work)
    thread = threading.Thread(target=executor.run_next, name="chosen")
    thread.start()
    thread.join(5)
    assert work.outcome == "chosen"
    assert work.delivered


def test_arguments_results_and_errors_pass_through() -> None:
    executor = ManualExecutor()
    good = executor.submit(divmod, 7, 2)
    bad = executor.submit(divmod, 7, 0)
    assert executor.run_all() == 2
    assert good.result(timeout=0) == (3, 1)
    assert isinstance(bad.exception(timeout=0), ZeroDivisionError)


def test_run_all_runs_what_the_calls_submit_in_turn() -> None:
    executor = ManualExecutor()
    outer = executor.submit(lambda: executor.submit(lambda: "inner"))
    assert executor.run_all() == 2
    assert outer.result(timeout=0).result(timeout=0) == "inner"


def test_a_cancelled_call_is_skipped() -> None:
    executor = ManualExecutor()
    ran: list[int] = []
    future = executor.submit(ran.append, 1)
    assert future.cancel()
    executor.run_next()
    assert ran == []


def test_the_test_can_let_a_worker_die() -> None:
    executor = ManualExecutor()
    future, work = executor.submit(int), Posted()
    executor.post(work)
    error = OSError("the worker died")
    executor.fail_next(error)
    executor.fail_next(error)
    assert future.exception(timeout=0) is error
    assert work.outcome is error


def test_waiting_for_work_that_another_thread_brings() -> None:
    executor = ManualExecutor()
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(lambda: executor.submit(int).result(5))
        executor.wait_for_work()
        executor.run_next()
        assert asked.result(5) == 0
    with pytest.raises(StepTimeoutError, match="0 calls were held"):
        executor.run_next(timeout=0.01)


def test_shutdown_refuses_new_calls_and_drops_held_ones_only_when_told_to() -> None:
    executor, work = ManualExecutor(), Posted()
    kept = executor.submit(int)
    executor.shutdown()
    with pytest.raises(ClosedError):
        executor.submit(int)
    executor.run_all()
    assert kept.result(timeout=0) == 0

    executor = ManualExecutor()
    dropped = executor.submit(int)
    executor.post(work)
    executor.shutdown(cancel_futures=True)
    with pytest.raises(CancelledError):
        dropped.result(timeout=0)
    assert isinstance(work.outcome, CancelledError)
    assert executor.pending() == 0
