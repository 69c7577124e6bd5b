"""A chat bot over IRC that keeps karma: `tea++` and `queues--` count, `?tea` asks.

    python irc_bot.py irc.example.org 6667 karma '#kitchen' '#workshop'

IRC has no requests and no connections per user: lines come in from everybody. The server below gives each
channel, and each person who writes to the bot alone, an application instance of its own, so the application
remembers in plain local variables. An instance that hears nothing for an hour ends.
"""

import asyncio
import contextlib
import re
import signal
import sys
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Literal, TypedDict

from asgikit.server import StatelessServer


class ChatScope(TypedDict):
    type: Literal["chat"]
    room: str


class Heard(TypedDict):
    type: Literal["chat.heard"]
    who: str
    text: str


class Say(TypedDict):
    type: Literal["chat.say"]
    text: str


async def karma(
    scope: ChatScope, receive: Callable[[], Awaitable[Heard]], send: Callable[[Say], Awaitable[None]]
) -> None:
    """The application: one of these runs per room."""
    counts: Counter[str] = Counter()
    while True:
        message = await receive()
        for name, change in re.findall(r"(\w+)(\+\+|--)", message["text"]):
            counts[name] += 1 if change == "++" else -1
        for name in re.findall(r"\?(\w+)", message["text"]):
            text = f"{message['who']}: {name} has {counts[name]} in {scope['room']}"
            await send({"type": "chat.say", "text": text})


class IRCServer(StatelessServer[ChatScope, Heard, Say]):
    """Speaks IRC on one side and ASGI on the other."""

    def __init__(
        self,
        application: Callable[
            [ChatScope, Callable[[], Awaitable[Heard]], Callable[[Say], Awaitable[None]]], Awaitable[object]
        ],
        *,
        host: str,
        port: int,
        nick: str,
        channels: list[str],
    ) -> None:
        super().__init__(application, max_applications=500, idle_timeout=3600)
        self.host, self.port, self.nick, self.channels = host, port, nick, channels

    async def startup(self) -> None:
        self.reader, self.writer = await asyncio.open_connection(self.host, self.port)
        await self.say("NICK", self.nick)
        await self.say("USER", self.nick, "0", "*", f":{self.nick}")

    async def handle(self) -> None:
        while line := await self.reader.readline():
            found = re.match(
                r"(?::([^\s!]+)\S* )?(\S+) ?([^:\s]\S*)?(?:.*? :(.*))?", line.decode(errors="replace").strip()
            )
            if found is None:
                continue
            who, command, target, text = found.groups(default="")
            if command == "PING":
                await self.say("PONG", f":{text or target}")
            elif command == "001":
                await self.say("JOIN", ",".join(self.channels))
            elif command == "PRIVMSG":
                room = who if target == self.nick else target
                await self.deliver(
                    room, {"type": "chat", "room": room}, {"type": "chat.heard", "who": who, "text": text}
                )

    async def application_send(self, scope: ChatScope, message: Say, /) -> None:
        await self.say("PRIVMSG", scope["room"], ":" + message["text"])

    async def cleanup(self) -> None:
        with contextlib.suppress(ConnectionError):
            await self.say("QUIT", ":good night")
            self.writer.close()
            await self.writer.wait_closed()

    async def say(self, *words: str) -> None:
        """Send one line; what an application says cannot smuggle in a second one."""
        line = re.sub(r"[\r\n\0]+", " ", " ".join(words))
        self.writer.write(line.encode()[:510] + b"\r\n")
        await self.writer.drain()


async def main(host: str, port: str, nick: str, *channels: str) -> None:
    server = IRCServer(karma, host=host, port=int(port), nick=nick, channels=list(channels))
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, server.stop)
    await server.arun()
    print(f"handled {server.counters.handled} messages in {server.counters.started} rooms")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
