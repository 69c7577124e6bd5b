"""Talks HTTP and websockets to a server with next to no work of its own, so that what is measured is the server.

A conversation is a generator that yields the socket on which it waits for an answer. Every answer is compared with the
one that is due, byte by byte for websockets.
"""

import selectors
import socket
from collections.abc import Generator, Iterable
from typing import TypeAlias, TypeVar

__all__ = ("Talk", "WrongAnswerError", "close", "drive", "echo", "get", "open_websocket")

_T = TypeVar("_T")
Talk: TypeAlias = Generator[socket.socket, None, _T]

PATIENCE = 30.0
"""Seconds without any answer after which a server counts as hung."""

CLOSE = b"\x88\x80\0\0\0\0"
_SOME_KEY = "AAAAAAAAAAAAAAAAAAAAAA=="


class WrongAnswerError(Exception):
    """The server answered something else."""


def drive(talks: Iterable[Talk[_T]], at_a_time: int) -> list[_T]:
    """Hold the conversations, so many at a time, and return what they return."""
    waiting = iter(talks)
    results: list[_T] = []
    with selectors.DefaultSelector() as selector:

        def begin() -> None:
            talk = next(waiting, None)
            if talk is not None:
                selector.register(next(talk), selectors.EVENT_READ, talk)

        for _ in range(at_a_time):
            begin()
        while selector.get_map():
            ready = selector.select(PATIENCE)
            if not ready:
                raise WrongAnswerError(f"{len(selector.get_map())} conversations wait in vain")
            for key, _ in ready:
                try:
                    next(key.data)
                except StopIteration as end:
                    selector.unregister(key.fileobj)
                    results.append(end.value)
                    begin()
    return results


def get(port: int, path: str) -> Talk[tuple[bytes, bytes]]:
    """Ask for a page on a connection of its own; return the head and the body of the answer."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        pieces: list[bytes] = []
        while True:
            yield connection
            piece = connection.recv(65536)
            if not piece:
                break
            pieces.append(piece)
    head, _, body = b"".join(pieces).partition(b"\r\n\r\n")
    return head, body


def open_websocket(port: int, path: str) -> Talk[socket.socket]:
    """Open a websocket and return it."""
    connection = socket.create_connection(("127.0.0.1", port))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    connection.sendall(
        f"GET {path} HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Key: {_SOME_KEY}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    answer = b""
    while not answer.endswith(b"\r\n\r\n"):
        yield connection
        answer += _some(connection)
    if not answer.startswith(b"HTTP/1.1 101 "):
        raise WrongAnswerError(answer.decode())
    return connection


def echo(connection: socket.socket, text: str, expected: str) -> Talk[None]:
    """Send a short text and wait for the answer."""
    message, due = text.encode(), expected.encode()
    connection.sendall(bytes((0x81, 0x80 | len(message), 0, 0, 0, 0)) + message)  # masked with zeros
    due = bytes((0x81, len(due))) + due
    answer = b""
    while len(answer) < len(due):
        yield connection
        answer += _some(connection)
    if answer != due:
        raise WrongAnswerError(f"{due!r} was due; {answer!r} came")


def close(connection: socket.socket) -> Talk[None]:
    """Say goodbye, and wait until the server has hung up."""
    connection.sendall(CLOSE)
    while True:
        yield connection
        if not connection.recv(65536):
            connection.close()
            return


def _some(connection: socket.socket) -> bytes:
    data = connection.recv(65536)
    if not data:
        raise WrongAnswerError("the server hung up")
    return data
