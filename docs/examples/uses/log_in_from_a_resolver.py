"""Logging in from a synchronous resolver, where logging in is an async function that needs synchronous code itself.

Three layers: the async server calls a synchronous resolver, which calls the async `log_in`, which saves the session
in the database. The save runs on the resolver's own thread, in the transaction that the resolver has open.
"""

import asyncio
import sqlite3
import threading
from typing import Any

from asgikit import Bridge

bridge = Bridge()
Scope = dict[str, Any]


class Sessions:
    """Synchronous code with one connection, which refuses any thread but the one that opened it."""

    def __init__(self) -> None:
        self.db = sqlite3.connect(":memory:")
        self.db.execute("CREATE TABLE session (user TEXT)")
        self.saved_on: threading.Thread | None = None

    def save(self, user: str) -> None:
        assert self.db.in_transaction  # the resolver's
        self.db.execute("INSERT INTO session VALUES (?)", (user,))
        self.saved_on = threading.current_thread()

    def users(self) -> list[str]:
        return [user for (user,) in self.db.execute("SELECT user FROM session")]


async def log_in(scope: Scope, sessions: Sessions, user: str) -> None:
    """The framework's async function."""
    await bridge.run_sync(sessions.save, user)
    scope["user"] = user


def resolve_log_in(scope: Scope, sessions: Sessions, user: str, password: str) -> bool:
    """The resolver: all of it is one transaction."""
    sessions.db.execute("BEGIN")
    bridge.run_async(log_in, scope, sessions, user)
    if password == "wrong":  # noqa: S105 - an example
        sessions.db.rollback()
        return False
    assert sessions.saved_on is threading.current_thread()  # hosted: no second thread, no second connection
    sessions.db.commit()
    return True


async def main() -> None:
    async with bridge:
        sessions = await bridge.run_sync(Sessions)
        resolve = bridge.sync_to_async(resolve_log_in)
        scope: Scope = {"type": "websocket"}
        assert await resolve(scope, sessions, "ada", "right")
        assert scope["user"] == "ada"
        assert not await resolve({"type": "websocket"}, sessions, "eve", "wrong")
        assert await bridge.run_sync(sessions.users) == ["ada"]
        await bridge.run_sync(sessions.db.close)


if __name__ == "__main__":
    asyncio.run(main())
    print("logged in, inside the resolver's transaction")
