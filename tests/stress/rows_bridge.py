"""Rows of the bridge: random nesting, cancellation at every await, ends of loops, forks, ten thousand at once.

Each row is given a tally to fill in and the seconds that it may take. What hangs raises `Hang`.
"""

import asyncio
import contextlib
import gc
import os
import random
import resource
import signal
import threading
import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, cast

from hypothesis import HealthCheck, Phase, given, settings

from asgikit import Bridge
from asgikit.executor import ThreadSensitivePool, WorkerThreadPool
from asgikit.loop import PerCallLoopRunner, PooledLoopRunner, SharedLoopRunner
from tests.stress.programs import Fault, Faults, Machine, Node, has_fault, programs, size
from tests.stress.tally import LIMIT, Hang, Tally, eventually, idle

__all__ = ("ROWS",)


@contextlib.contextmanager
def two_bridges() -> Generator[tuple[Machine, Callable[[], None]], None, None]:
    """Make two bridges with small pools of their own; the second result waits until all of them are at rest."""
    workers = [WorkerThreadPool(2, name=f"stress-{n}") for n in range(2)]
    sensitive = [ThreadSensitivePool(2, name=f"stress-sensitive-{n}") for n in range(2)]
    bridges = [
        Bridge(worker_pool=w, sensitive_pool=s, stall_report_after=None)
        for w, s in zip(workers, sensitive, strict=True)
    ]

    with ThreadPoolExecutor(1) as single:
        machine = Machine((bridges[0], bridges[1]), single)

        def at_rest() -> None:
            eventually(lambda: machine.running == 0, f"{machine.running} functions never returned")
            for pool in workers:
                idle(pool)
            for leases in sensitive:
                idle(leases, default=1)

        yield machine, at_rest
        at_rest()
    owners: list[Bridge | WorkerThreadPool | ThreadSensitivePool] = [*bridges, *workers, *sensitive]
    for closable in owners:
        closable.close()


def many(seconds: float, strategy: Any, check: Callable[[Any], None]) -> None:
    """Let hypothesis think up cases for `check` for `seconds`, each as good as any: nothing is shrunk."""
    until = time.monotonic() + seconds

    @settings(
        max_examples=50,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    @given(strategy)
    def perform(case: Any) -> None:
        if time.monotonic() < until and not failed:
            try:
                check(case)
            except BaseException as error:
                failed.append(error)
                print(f"failed: {case}")

    failed = list[BaseException]()
    while time.monotonic() < until and not failed:
        perform()
    if failed:
        raise failed[0]


async def in_time(awaitable: Any) -> Any:
    """Await, or find that it hangs."""
    done, _ = await asyncio.wait([asyncio.ensure_future(awaitable)], timeout=LIMIT)
    if not done:
        message = f"{awaitable!r} did not end"
        raise Hang(message)
    return await done.pop()


def outcome_of(machine: Machine, program: Node, faults: Faults, how: int) -> object:
    """Run a program, in one of the ways to begin one, and return its result or what it raised."""
    try:
        if how == 0:
            return asyncio.run(in_time(machine.run(program, faults)))
        return machine.bridges[how - 1].run_async(in_time, machine.run(program, faults))
    except Hang:
        raise
    except BaseException as error:
        return error


def is_fault(error: object) -> bool:
    """Whether what was raised is what a leaf raised, alone or in a group."""
    return isinstance(error, Fault) or any(map(is_fault, _members(error)))


def _members(error: object) -> tuple[BaseException, ...]:
    """Return the errors of a group; of anything else, none."""
    return cast("BaseExceptionGroup[BaseException]", error).exceptions if isinstance(error, BaseExceptionGroup) else ()


def nesting(tally: Tally, seconds: float) -> None:
    """Random nesting over two bridges; leaves raise now and then."""
    with two_bridges() as (machine, at_rest):
        turn = iter(range(1_000_000_000))

        def check(program: Node) -> None:
            outcome = outcome_of(machine, program, Faults(), next(turn) % 3)
            if has_fault(program):
                tally.faults += 1
                good = is_fault(outcome)
            else:
                good = outcome == size(program)
            if not good:
                tally.lost += 1
                print(f"lost: {program} ended with {outcome!r}")

        many(seconds, programs(), check)
        at_rest()
        tally.crossings += machine.crossings


def cancellation(tally: Tally, seconds: float) -> None:
    """The same programs, cancelled at every await in turn; no worker, lease or slot is lost."""
    with two_bridges() as (machine, at_rest):
        until = time.monotonic() + seconds

        def check(program: Node) -> None:
            counting = Faults(-1)  # counts, and never cancels
            outcome_of(machine, program, counting, 0)
            for at in range(1, min(counting.seen, 60) + 1):
                if time.monotonic() > until:
                    return
                outcome = outcome_of(machine, program, Faults(at), at % 3)
                tally.faults += 1
                if not _plausible(outcome, program):
                    tally.lost += 1
                    print(f"lost: {program} cancelled at {at} ended with {outcome!r}")
            at_rest()

        many(seconds, programs(4), check)
        at_rest()
        tally.crossings += machine.crossings


def _plausible(outcome: object, program: Node) -> bool:
    """A cancelled program ends in CancelledError, in its own fault, or, if the cancelled task had ended, as ever."""
    if errors := _members(outcome):
        return all(_plausible(error, program) for error in errors)
    return isinstance(outcome, asyncio.CancelledError | Fault) or outcome == size(program)


def loop_ends(tally: Tally, seconds: float) -> None:
    """Loops that end, stop or are closed under the threads that wait for them: each is released."""
    dice = random.Random(1)
    with two_bridges() as (machine, at_rest):

        def check(program: Node) -> None:
            tally.faults += 1
            rounds = dice.randrange(30)

            async def leave() -> None:
                tasks = [asyncio.create_task(machine.run(program, Faults())) for _ in range(3)]
                for _ in range(rounds):
                    await asyncio.sleep(0)
                for task in tasks:
                    task.add_done_callback(lambda task: task.cancelled() or task.exception())

            if dice.random() < 0.8 or "'scope'" in repr(program):  # a task that is destroyed leaves no scope in order
                asyncio.run(leave())
            else:
                loop = asyncio.new_event_loop()
                loop.set_exception_handler(lambda loop, context: None)  # tasks destroyed while pending: on purpose
                loop.run_until_complete(leave())
                for task in asyncio.all_tasks(loop):
                    task._log_destroy_pending = False  # type: ignore[attr-defined]  # as above
                loop.close()

        many(seconds, programs(4), check)
        gc.collect()
        at_rest()
        tally.crossings += machine.crossings


def in_flight(tally: Tally, seconds: float) -> None:
    """Ten thousand crossings at once, of every kind; every tenth is cancelled."""
    count = 10_000
    until = time.monotonic() + seconds
    dice = random.Random(2)
    with (
        WorkerThreadPool(8) as workers,
        ThreadSensitivePool(8) as sensitive,
        Bridge(worker_pool=workers, sensitive_pool=sensitive, stall_report_after=None) as bridge,
    ):
        free = bridge.options(thread_sensitive=False)

        async def echo(number: int) -> int:
            return number

        async def one(number: int) -> int:
            match number % 5:
                case 0:
                    return await bridge.run_sync(lambda: number)
                case 1:
                    return await free.run_sync(lambda: number)
                case 2:
                    return await free.run_sync(bridge.run_async, echo, number)
                case 3:
                    async with bridge.thread_sensitive_scope():
                        return await bridge.run_sync(lambda: number)
                case _:
                    return await bridge.run_sync(bridge.run_async, echo, number)

        async def main() -> None:
            tasks = [asyncio.create_task(one(number)) for number in range(count)]
            await asyncio.sleep(0)
            chosen = set(dice.sample(range(count), count // 10))
            for number in chosen:
                tasks[number].cancel()
            done, pending = await asyncio.wait(tasks, timeout=LIMIT)
            if pending:
                message = f"{len(pending)} of {count} crossings did not end"
                raise Hang(message)
            for number, task in enumerate(tasks):
                if task.cancelled():
                    tally.lost += number not in chosen
                else:
                    tally.lost += task.result() != number
            tally.crossings += len(done)
            tally.faults += len(chosen)

        while time.monotonic() < until:
            asyncio.run(main())
        idle(workers)
        idle(sensitive, default=1)


def forks(tally: Tally, seconds: float) -> None:
    """Forks while calls run, from the main thread and from inside workers; each child runs programs of its own."""
    until = time.monotonic() + seconds
    with two_bridges() as (machine, at_rest):
        bridge = machine.bridges[0]
        stop = threading.Event()
        program = Node("free", 0, (Node("warm", 1, (Node("sensitive", 0, (Node("cold", 0, (Node("leaf"),)),)),)),))

        def child() -> None:
            signal.alarm(int(LIMIT))
            mine = Machine(machine.bridges, machine.single)  # the parent's was being used at that moment
            for how in range(3):
                assert outcome_of(mine, program, Faults(), how) == size(program)

        def fork() -> None:
            process = os.fork()
            if process == 0:
                status = 1
                try:
                    child()
                    status = 0
                finally:
                    os._exit(status)
            _, status = os.waitpid(process, 0)
            tally.hangs += os.WIFSIGNALED(status)
            tally.lost += os.WIFEXITED(status) and os.WEXITSTATUS(status) != 0
            tally.faults += 1

        def keep_busy() -> None:
            while not stop.is_set():
                outcome = outcome_of(machine, program, Faults(), 0)
                if outcome != size(program):
                    print(f"lost: {outcome!r}")
                    tally.lost += 1

        busy = [threading.Thread(target=keep_busy) for _ in range(3)]
        for thread in busy:
            thread.start()
        while time.monotonic() < until:
            fork()
            asyncio.run(bridge.run_sync(fork))
            bridge.run_async(bridge.options(thread_sensitive=False).run_sync, fork)
        stop.set()
        for thread in busy:
            thread.join(LIMIT)
            tally.hangs += thread.is_alive()
        at_rest()
        tally.crossings += machine.crossings


def runners(tally: Tally, seconds: float) -> None:
    """Many threads call async code at once, with time-outs, on every kind of loop runner."""
    until = time.monotonic() + seconds
    lock = threading.Lock()
    for make in (PerCallLoopRunner, PooledLoopRunner, SharedLoopRunner):
        runner = make()
        with Bridge(loop_runner=runner, stall_report_after=None) as bridge:

            async def work(number: int, bridge: Bridge = bridge) -> int:
                await bridge.run_sync(int)
                if number % 7 == 0:
                    await asyncio.Event().wait()
                return number

            def caller(seed: int, share: float, bridge: Bridge = bridge, work: Any = work) -> None:
                dice = random.Random(seed)
                while time.monotonic() < share:
                    number = dice.randrange(1000)
                    try:
                        result = bridge.async_to_sync(work, timeout=0.002 if number % 7 == 0 else None)(number)
                    except TimeoutError:
                        good, fault = number % 7 == 0, 1
                    else:
                        good, fault = result == number, 0
                    with lock:
                        tally.crossings += 2
                        tally.faults += fault
                        tally.lost += not good

            share = time.monotonic() + (until - time.monotonic()) / 2
            callers = [threading.Thread(target=caller, args=(seed, share)) for seed in range(6)]
            for thread in callers:
                thread.start()
            for thread in callers:
                thread.join(seconds + LIMIT)
                tally.hangs += thread.is_alive()
        runner.close()


def closing(tally: Tally, seconds: float) -> None:
    """Bridges closed while calls run through them: each call has its result or a clear error."""
    until = time.monotonic() + seconds
    dice = random.Random(3)
    while time.monotonic() < until:
        bridge = Bridge(stall_report_after=None)

        async def inner() -> int:
            await asyncio.sleep(0)
            return 1

        async def one(bridge: Bridge = bridge, inner: Any = inner) -> int:
            view = bridge.options(thread_sensitive=dice.random() < 0.5)
            return await view.run_sync(lambda: bridge.run_async(inner))

        async def main(bridge: Bridge = bridge, one: Any = one) -> None:
            tasks = [asyncio.create_task(one()) for _ in range(20)]
            for _ in range(dice.randrange(20)):
                await asyncio.sleep(0)
            await bridge.aclose()
            done, pending = await asyncio.wait(tasks, timeout=LIMIT)
            tally.hangs += len(pending)
            tally.crossings += 2 * len(done)
            tally.faults += 1
            for task in done:
                error = task.exception()
                tally.lost += task.result() != 1 if error is None else not isinstance(error, RuntimeError)

        asyncio.run(main())


def finalizers(tally: Tally, seconds: float) -> None:
    """Objects that clean up through the bridge when garbage is collected, at any moment, on any thread."""
    until = time.monotonic() + seconds
    thresholds = gc.get_threshold()
    with WorkerThreadPool(2) as workers, Bridge(worker_pool=workers, stall_report_after=None) as bridge:

        async def close() -> None:
            tally.faults += 1

        class Client:
            """Part of a cycle, so that only the collector finds it."""

            def __init__(self) -> None:
                self.me = self

            def __del__(self) -> None:
                with contextlib.suppress(RuntimeError):  # on the thread of a loop it is refused
                    bridge.run_async(close)

        def function() -> int:
            Client()
            return 1

        async def main() -> None:
            view = bridge.options(thread_sensitive=False)
            for _ in range(20):
                results = await in_time(asyncio.gather(*(view.run_sync(function) for _ in range(20))))
                tally.crossings += len(results)
                tally.lost += sum(result != 1 for result in results)

        gc.set_threshold(7, 1, 1)
        try:
            while time.monotonic() < until:
                asyncio.run(main())
        finally:
            gc.set_threshold(*thresholds)
        gc.collect()


def scopes(tally: Tally, seconds: float) -> None:
    """Ten thousand scopes one after the other: few threads, flat memory."""
    count = 10_000
    with ThreadSensitivePool(4) as pool, Bridge(sensitive_pool=pool, stall_report_after=None) as bridge:

        async def run(number: int) -> None:
            for step in range(number):
                async with bridge.thread_sensitive_scope():
                    tally.lost += await bridge.run_sync(int, step) != step
            tally.crossings += number

        async def main() -> tuple[int, int]:
            await run(count // 10)
            gc.collect()
            before = _resident()
            await run(count)
            gc.collect()
            return before, _resident()

        before, after = asyncio.run(main())
        started = pool.counters.started
    print(
        f"  {count} scopes: {started} threads started (bound 4), resident memory {before} KiB before, {after} KiB after"
    )
    tally.leaked += max(0, started - 4)
    tally.lost += after > before + 4096


def _resident() -> int:
    """Return the resident memory of this process in KiB."""
    try:
        with open("/proc/self/status", encoding="ascii") as status:  # noqa: PTH123 - the file of the kernel
            return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


ROWS: Final[Mapping[str, Callable[[Tally, float], None]]] = {
    "nesting": nesting,
    "cancellation": cancellation,
    "loop ends": loop_ends,
    "in flight": in_flight,
    "forks": forks,
    "runners": runners,
    "closing": closing,
    "finalizers": finalizers,
    "scopes": scopes,
}
