"""A small shop in plain synchronous code: it knows SQLite and nothing of asyncio.

Connections refuse every thread but the one that opened them (`check_same_thread`): whoever calls this code
on the wrong thread gets an error, not an answer.
"""

import hashlib
import sqlite3
from collections.abc import Callable
from pathlib import Path


class Shop:
    """The items, the orders, and the one connection that everything goes through."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection: sqlite3.Connection | None = None

    @property
    def db(self) -> sqlite3.Connection:
        assert self._connection is not None, "open the shop first"
        return self._connection

    def open(self) -> None:
        self._connection = connect(self.path)
        with self.db:
            self.db.execute("PRAGMA journal_mode = WAL")
            self.db.execute("CREATE TABLE item (number INTEGER PRIMARY KEY, name TEXT)")
            self.db.execute(
                "CREATE TABLE placed (number INTEGER PRIMARY KEY, item INTEGER, announced INTEGER DEFAULT 0)"
            )
            self.db.executemany("INSERT INTO item (name) VALUES (?)", [(f"item {n}",) for n in range(100)])

    def open_again(self) -> None:
        self._connection = connect(self.path)

    def close(self) -> None:
        self.db.close()

    def find_item(self, number: int) -> str:
        (name,) = self.db.execute("SELECT name FROM item WHERE number = ?", (number,)).fetchone()
        return str(name)

    def place_order(self, item: int, announce: Callable[[int], None]) -> int:
        """Write an order and announce it, in one transaction. `announce` looks like any other function."""
        with self.db:
            order = self.db.execute("INSERT INTO placed (item) VALUES (?)", (item,)).lastrowid
            assert order is not None
            announce(order)
        return order

    def mark_announced(self, order: int) -> None:
        self.db.execute("UPDATE placed SET announced = 1 WHERE number = ?", (order,))

    def announced_orders(self) -> int:
        (count,) = self.db.execute("SELECT count(*) FROM placed WHERE announced").fetchone()
        return int(count)


def connect(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path, check_same_thread=True)


def count_items(connection: sqlite3.Connection) -> int:
    (count,) = connection.execute("SELECT count(*) FROM item").fetchone()
    return int(count)


def disconnect(connection: sqlite3.Connection) -> None:
    connection.close()


def digest(text: str) -> str:
    """Any thread will do for this one."""
    return hashlib.pbkdf2_hmac("sha256", text.encode(), b"salt", 200).hex()


def count_primes(below: int) -> int:
    """Nothing but work for the processor: in a thread it would hold up everybody else."""
    sieve = bytearray([1]) * below
    sieve[:2] = bytes(2)
    for n in range(2, int(below**0.5) + 1):
        if sieve[n]:
            sieve[n * n :: n] = bytes(len(range(n * n, below, n)))
    return sum(sieve)
