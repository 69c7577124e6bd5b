"""One Redis for all tests of this folder; each test has key names of its own."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from typing import Any, cast

import pytest

from asgikit.server.redis import RedisClient, StreamLayout, connect
from tests.support.redis import RedisProcess
from tests.support.rounds import loop_that_tells

Main = Callable[[RedisClient, StreamLayout], Coroutine[Any, Any, None]]


@pytest.fixture(scope="session")
def redis_process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisProcess]:
    """Start a Redis for the whole run of this folder."""
    with RedisProcess(tmp_path_factory.mktemp("redis")) as process:
        yield process


@pytest.fixture
def run(redis_process: RedisProcess, request: pytest.FixtureRequest) -> Callable[[Main], None]:
    """Return what runs an async test with a client and a layout of four partitions of its own, for 30 s at most."""
    name = cast("pytest.Item", request.node).name

    def run_main(main: Main) -> None:
        async def whole() -> None:
            client = connect(redis_process.url)
            try:
                async with asyncio.timeout(30):
                    await main(client, StreamLayout(prefix=name, partitions=4))
            finally:
                await client.aclose()

        with asyncio.Runner(loop_factory=loop_that_tells) as runner:
            runner.run(whole())

    return run_main
