"""The verdict on two servers, and a client that notices what is wrong."""

import socket

import pytest

from tests.downstream import client
from tests.downstream.serve import JOBS, Outcome, Round, Turn, lines


def outcome(*ratios: float, threads: int = 0) -> Outcome:
    """Rounds in which asgikit is so many times as fast at the last job, and twice at the others."""
    slow = Turn(100, 0.001, 0.0001)
    rounds: list[Round] = []
    for ratio in ratios:
        factors = [2.0] * (len(JOBS) - 1) + [ratio]
        turns = zip(JOBS, factors, strict=True)
        rounds.append({job: {"asgiref": slow, "asgikit": Turn(100 * factor, 0.0005, 0.0001)} for job, factor in turns})
    return Outcome("server", rounds, {"asgiref": 1000, "asgikit": threads})


def test_the_median_of_the_ratios_decides() -> None:
    assert outcome(0.5, 1.01, 3).failures() == []
    assert outcome(0.99, 0.99, 3).failures() == [f"SLOWER  server: {JOBS[-1]}"]


def test_a_warm_server_starts_no_thread() -> None:
    assert outcome(2, 2, 2, threads=1).failures() == ["THREADS server: 1 started by warm rounds"]


def test_the_table() -> None:
    table = lines(outcome(0.5, 1.25, 3))
    assert [line.split()[0] for line in table[1:-2]] == [job.split()[0] for job in JOBS]
    assert "1.25" in table[-3]
    assert "2 of 3" in table[-3]


@pytest.mark.parametrize(("answer", "fine"), [(b"\x81\x035 5", True), (b"\x81\x034 5", False), (b"", False)])
def test_every_answer_is_compared(answer: bytes, fine: bool) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(answer)
        theirs.shutdown(socket.SHUT_WR)
        if fine:
            assert client.drive([client.echo(ours, "5", "5 5")], 1) == [None]
            assert theirs.recv(100) == b"\x81\x81\0\0\0\x005"
        else:
            with pytest.raises(client.WrongAnswerError):
                client.drive([client.echo(ours, "5", "5 5")], 1)
