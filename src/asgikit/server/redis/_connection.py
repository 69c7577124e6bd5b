"""Commands that outlive a lost connection: tried again, later and later, until Redis is back."""

import asyncio
import random
from asyncio import CancelledError, Future, Task, current_task, get_running_loop
from collections.abc import Sequence
from functools import partial
from importlib import import_module
from typing import Any, Protocol, TypeAlias

from asgikit.errors import MissingExtraError
from asgikit.protocols import Clock
from asgikit.server._failure import logger
from asgikit.server._waiting import resolve
from asgikit.server.redis._plan import back_off
from asgikit.server.redis._scripts import Script

__all__ = ("Argument", "Connection", "RedisClient", "as_text", "connect", "end_task", "load_redis")

Argument: TypeAlias = str | bytes | int


class RedisClient(Protocol):
    """What is used of `redis.asyncio.Redis`, and what any other client has to have."""

    async def execute_command(self, *args: Any) -> Any:
        """Send one command and return the reply; connections are the client's matter, one per command under way."""

    async def aclose(self) -> None:
        """Close the connections."""


def load_redis() -> Any:
    """Return the module `redis` (redis-py), imported only now.

    Raises:
        MissingExtraError: it is not installed.
    """
    try:
        import_module("redis.asyncio")
        return import_module("redis")
    except ImportError as error:
        raise MissingExtraError(
            "asgikit.server.redis talks to Redis through redis-py, which is not installed: pip install redis"
        ) from error


def connect(url: str, *, timeout: float = 10.0) -> RedisClient:
    """Make a client for `url`. It connects on use, and leaves trying again to asgikit.

    `timeout`, in seconds, is for each reply, and has to be longer than the blocking reads of the server. The caller
    closes the client.

    Raises:
        MissingExtraError: redis-py is not installed.
        ValueError: the URL is not one of Redis.
    """
    redis = load_redis()
    retry = import_module("redis.asyncio.retry").Retry(import_module("redis.backoff").NoBackoff(), 0)
    client: RedisClient = redis.asyncio.Redis.from_url(
        url, socket_timeout=timeout, socket_connect_timeout=timeout, retry=retry, decode_responses=False
    )
    return client


class Connection:
    """Runs commands and scripts on a borrowed client. Every method belongs to the loop's thread."""

    def __init__(self, *, client: RedisClient, clock: Clock) -> None:
        """Take the client; nothing is sent yet."""
        errors = load_redis().exceptions
        self._client = client
        self._clock = clock
        self._no_script: type[Exception] = errors.NoScriptError
        self._lost: tuple[type[Exception], ...] = (
            errors.ConnectionError,
            errors.TimeoutError,
            errors.ReadOnlyError,
            OSError,
        )

    async def command(self, *args: Argument) -> Any:
        """Send a command, as often as it takes to get a reply: it may have its effect more than once."""
        attempt = 0
        while True:
            try:
                reply = await self._send(args)
            except self._lost as error:
                wait = back_off(attempt, chance=random.random())  # noqa: S311 - spreads load, hides nothing
                logger.log(30 if attempt == 0 else 10, "Redis is lost (%s); trying again in %.2f s", error, wait)
                attempt += 1
                await self._pause(wait)
            else:
                if attempt:
                    logger.warning("Redis is back after %d attempts", attempt)
                return reply

    async def script(self, script: Script, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """Run a script, sending its source only if Redis does not know it (any more)."""
        try:
            return await self.command("EVALSHA", script.sha, len(keys), *keys, *args)
        except self._no_script:
            return await self.command("EVAL", script.source, len(keys), *keys, *args)

    async def _send(self, args: Sequence[Argument]) -> Any:
        """Send once. redis-py swallows a cancellation that meets it while it connects (seen in 8.1): renew it."""
        task = current_task()
        before = task.cancelling() if task is not None else 0
        try:
            return await self._client.execute_command(*args)
        finally:
            if task is not None and task.cancelling() > before:
                raise CancelledError

    async def _pause(self, seconds: float) -> None:
        loop = get_running_loop()
        over: Future[None] = loop.create_future()
        timer = self._clock.call_later(loop, seconds, partial(resolve, over))
        try:
            await over
        finally:
            timer.cancel()


async def end_task(task: "Task[Any]") -> None:
    """Cancel a task that waits for Redis until it has ended: one cancellation may have been swallowed."""
    while not task.done():
        task.cancel()
        await asyncio.wait([task], timeout=0.05)


def as_text(value: object) -> str:
    """Return a reply as text, whether or not the client decodes replies."""
    return value.decode() if isinstance(value, bytes) else str(value)
