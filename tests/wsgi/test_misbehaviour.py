"""Bad input of every kind, in a number that `make test` can afford; `make stress` has the row with 20,000."""

import asyncio

from hypothesis import HealthCheck, given, settings

from asgikit.executor import WorkerThreadPool
from tests.wsgi.misbehaviour import Case, cases, check


def test_always_a_response_or_a_documented_error() -> None:
    """M1, M5, M7, M13, M22: whatever comes, the body is closed once, and nothing is left behind."""
    pool = WorkerThreadPool(2, name="given")
    with asyncio.Runner() as runner:

        @settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(cases)
        def perform(case: Case) -> None:
            runner.run(check(case, pool))

        try:
            perform()
        finally:
            pool.close()
