"""The two examples of docs/examples, as processes of their own, against a real ngircd and a real Redis."""

import asyncio
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from asgikit.server.redis import StreamLayout, connect
from tests.support.ports import free_port, wait_until_open
from tests.support.programs import require_program
from tests.support.redis import RedisProcess

LAYOUT = StreamLayout(prefix="rooms", partitions=8)
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"

CONFIGURATION = """
[Global]
Name = irc.example.test
Info = a test
Listen = 127.0.0.1
Ports = {port}
ServerUID = nobody
ServerGID = nogroup
[Limits]
MaxConnectionsIP = 0
MaxPenaltyTime = 0
[Options]
DNS = no
Ident = no
PAM = no
"""


@pytest.fixture
def irc_port(tmp_path: Path) -> Iterator[int]:
    """Start an ngircd of one's own."""
    program = require_program("ngircd", package="ngircd")
    port = free_port()
    configuration = tmp_path / "ngircd.conf"
    configuration.write_text(CONFIGURATION.format(port=port))
    tmp_path.chmod(0o755)
    with subprocess.Popen(
        [program, "--nodaemon", "--config", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        wait_until_open(port, process)
        yield port
        process.terminate()


class Person:
    """Somebody on IRC."""

    def __init__(self, nick: str, port: int) -> None:
        self.nick = nick
        self.port = port

    async def join(self, channel: str) -> None:
        self.reader, self.writer = await asyncio.open_connection("127.0.0.1", self.port)
        self.say(f"NICK {self.nick}", f"USER {self.nick} 0 * :{self.nick}", f"JOIN {channel}")
        await self.hear("366")

    def say(self, *lines: str) -> None:
        for line in lines:
            self.writer.write(f"{line}\r\n".encode())

    async def hear(self, *parts: str) -> str:
        """Read on until a line with all of these parts comes."""
        while True:
            line = (await self.reader.readline()).decode().strip()
            assert line, f"the connection ended before {parts}"
            if line.startswith("PING"):
                self.say(line.replace("PING", "PONG"))
            if all(part in line for part in parts):
                return line

    async def leave(self) -> None:
        self.writer.close()
        await self.writer.wait_closed()


def test_the_irc_bot_keeps_karma_per_room(irc_port: int) -> None:
    """N8: the bot drains and says good night when it is told to stop."""

    async def main() -> None:
        anna, bert = Person("anna", irc_port), Person("bert", irc_port)
        await anna.join("#tea")
        await bert.join("#work")
        bot = await asyncio.create_subprocess_exec(
            *(sys.executable, str(EXAMPLES / "irc_bot.py"), "127.0.0.1", str(irc_port), "karma", "#tea", "#work"),
            stdout=subprocess.PIPE,
        )
        await anna.hear(":karma!", "JOIN")
        await bert.hear(":karma!", "JOIN")
        anna.say("PRIVMSG #tea :tea++ and tea++", "PRIVMSG #tea :?tea please")
        assert (await anna.hear("PRIVMSG #tea", ":anna:")).endswith(":anna: tea has 2 in #tea")
        bert.say("PRIVMSG #work :tea-- ?tea")
        assert (await bert.hear("PRIVMSG #work", ":bert:")).endswith(":bert: tea has -1 in #work")
        bert.say("PRIVMSG karma :?tea")
        assert (await bert.hear("PRIVMSG bert")).endswith(":bert: tea has 0 in bert")
        bot.send_signal(signal.SIGTERM)
        await anna.hear(":karma!", "good night")
        output, _ = await bot.communicate()
        assert (bot.returncode, output) == (0, b"handled 4 messages in 3 rooms\n")
        await anna.leave()
        await bert.leave()

    asyncio.run(asyncio.wait_for(main(), 40))


def holders(redis: RedisProcess, *, workers: int) -> list[int]:
    """Return the process id of the worker of each partition (part of its name), once they share them fairly."""

    async def ask() -> list[int]:
        client = connect(redis.url)
        found: list[int] = []
        while [found.count(worker) for worker in set(found)] != [LAYOUT.partitions // workers] * workers:
            leases = [LAYOUT.keys(partition).lease for partition in range(LAYOUT.partitions)]
            values: list[bytes | None] = await client.execute_command("MGET", *leases)
            found = [int(value.rsplit(b"-", 2)[1]) for value in values if value is not None]
        await client.aclose()
        return found

    return asyncio.run(asyncio.wait_for(ask(), 30))


def test_redis_workers_share_rooms(tmp_path: Path) -> None:
    """Two workers; the one that serves the room is killed, and the other one goes on with it."""
    script = str(EXAMPLES / "redis_worker.py")
    with RedisProcess(tmp_path) as redis:
        workers = [
            subprocess.Popen([sys.executable, script, redis.url], stdout=subprocess.PIPE, text=True) for _ in range(2)
        ]

        def say(room: str, text: str) -> str:
            command = [sys.executable, script, redis.url, room, text]
            return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, timeout=40).stdout.strip()

        try:
            kitchen = LAYOUT.partition_of("kitchen")
            serving_id = holders(redis, workers=2)[kitchen]
            assert say("kitchen", "tea?") == "tea? (number 1 in kitchen)"
            assert say("kitchen", "milk?") == "milk? (number 2 in kitchen)"
            assert say("garden", "rain?") == "rain? (number 1 in garden)"
            (serving,) = (worker for worker in workers if worker.pid == serving_id)
            serving.kill()
            assert say("kitchen", "and now?") == "and now? (number 1 in kitchen)"
            (other,) = (worker for worker in workers if worker is not serving)
            assert holders(redis, workers=1)[kitchen] == other.pid
            other.terminate()
            assert "handled " in other.communicate(timeout=20)[0]
            assert other.returncode == 0
        finally:
            for worker in workers:
                worker.kill()
                worker.communicate()
