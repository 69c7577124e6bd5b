"""Asks a server for pages and echoes, and prints what came of it as JSON. Runs in the environment of the suites."""

import asyncio
import json
import sys
import time

from websockets.asyncio.client import connect

REQUESTS = 500
AT_A_TIME = 50
SOCKETS = 100
TURNS = 5

PAGES = {
    "/sync/": b"sync",
    "/async/": b"async",
    "/orm/": b"item0 of 5",
    "/async-orm/": b"item0 of 5",
    "/stream/": b"item4",
    "/sync-stream/": b"4\n",
    "/signal/": b"2 heard",
    "/there-and-back/": b"5 there and back",
}


async def get(port, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode())
        answer = await asyncio.wait_for(reader.read(), 30)
    finally:
        writer.close()
    head, _, body = answer.partition(b"\r\n\r\n")
    return head.split(b" ", 2)[1] == b"200" and b"x-sync: seen" in head.lower(), body


async def requests(port):
    wanted = [(path, PAGES[path]) for path in list(PAGES) * (REQUESTS // len(PAGES) + 1)][:REQUESTS]
    bad = []

    async def client():
        while wanted:
            path, expected = wanted.pop()
            fine, body = await get(port, path)
            if not fine or expected not in body:
                bad.append((path, body[-200:].decode(errors="replace")))

    began = time.perf_counter()
    await asyncio.gather(*(client() for _ in range(AT_A_TIME)))
    return REQUESTS / (time.perf_counter() - began), bad


async def sockets(port):
    bad = []

    async def one(number):
        path = "echo" if number % 2 else "async-echo"
        async with connect(f"ws://127.0.0.1:{port}/{path}/", open_timeout=30) as socket:
            for turn in range(TURNS):
                await socket.send(f"{number}-{turn}")
                answer = await asyncio.wait_for(socket.recv(), 30)
                if answer != f"{number}-{turn} 5":
                    bad.append(answer)

    began = time.perf_counter()
    await asyncio.gather(*(one(number) for number in range(SOCKETS)))
    return SOCKETS * TURNS / (time.perf_counter() - began), bad


async def state(port):
    _, body = await get(port, "/state/")
    return json.loads(body)


async def main(port):
    before = await state(port)
    per_second, bad = await requests(port)
    between = await state(port)
    echoes, bad_echoes = await sockets(port)
    after = await state(port)
    print(
        json.dumps(
            {
                "requests": per_second,
                "echoes": echoes,
                "request_cpu": (between["cpu"] - before["cpu"]) / REQUESTS * 1000,
                "echo_cpu": (after["cpu"] - between["cpu"]) / (SOCKETS * TURNS) * 1000,
                "threads": after["threads"] - before["threads"],
                "bad": bad + bad_echoes,
            }
        )
    )


asyncio.run(main(int(sys.argv[1])))
