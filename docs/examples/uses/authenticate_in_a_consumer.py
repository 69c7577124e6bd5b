"""Authenticating in an async consumer through a synchronous function.

The function asks a database whose connection belongs to one thread, and it notes the user in a context variable:
both work as they do in synchronous code, for every consumer.
"""

import asyncio
import sqlite3
from contextvars import ContextVar

from asgikit import Bridge

bridge = Bridge()
current_user: ContextVar[str] = ContextVar("current_user", default="nobody")


class Users:
    """Synchronous code with one connection, which refuses any thread but the one that opened it."""

    def __init__(self) -> None:
        self.db = sqlite3.connect(":memory:")
        self.db.execute("CREATE TABLE user (name TEXT, token TEXT)")
        self.db.executemany("INSERT INTO user VALUES (?, ?)", [("ada", "a1"), ("grace", "g1")])

    def authenticate(self, token: str) -> str:
        row = self.db.execute("SELECT name FROM user WHERE token = ?", (token,)).fetchone()
        if row is None:
            raise PermissionError(f"no user has the token {token!r}")
        current_user.set(row[0])
        return str(row[0])


async def consumer(users: Users, token: str) -> str:
    """One WebSocket connection."""
    try:
        await bridge.sync_to_async(users.authenticate)(token)
    except PermissionError as error:
        return f"closed: {error}"
    await asyncio.sleep(0)  # other consumers run meanwhile, each with a user of its own
    return f"welcome, {current_user.get()}"


async def main() -> None:
    async with bridge:
        users = await bridge.run_sync(Users)
        welcomes = await asyncio.gather(*(consumer(users, token) for token in ("a1", "g1", "x1")))
        assert welcomes == ["welcome, ada", "welcome, grace", "closed: no user has the token 'x1'"]
        assert current_user.get() == "nobody"  # what a consumer's call sets is the consumer's
        await bridge.run_sync(users.db.close)


if __name__ == "__main__":
    asyncio.run(main())
    print("two users came in and a third did not")
