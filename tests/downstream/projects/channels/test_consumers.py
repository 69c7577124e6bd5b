"""Consumers of every kind through Channels' communicators."""

import asyncio
import threading

import pytest
from asgiref.sync import async_to_sync
from channels.testing import HttpCommunicator, WebsocketCommunicator
from chat.asgi import application
from chat.consumers import Slow


def connect(path, **options):
    return WebsocketCommunicator(application, path, **options)


@pytest.mark.parametrize("path", ["/echo/", "/async-echo/"])
def test_echo(path):
    async def main():
        socket = connect(path)
        assert (await socket.connect())[0]
        await socket.send_to(text_data="hello")
        assert await socket.receive_from() == "hello"
        await socket.send_to(bytes_data=b"\x00\x01")
        assert await socket.receive_from() == b"\x00\x01"
        assert await socket.receive_nothing()
        await socket.disconnect()

    asyncio.run(main())


def test_subprotocol_and_close():
    async def main():
        socket = connect("/echo/", subprotocols=["chat.v1"])
        assert await socket.connect() == (True, "chat.v1")
        await socket.send_to(text_data="close")
        assert await socket.receive_output() == {"type": "websocket.close", "code": 4001}

    asyncio.run(main())


@pytest.mark.parametrize("path", ["/rooms/", "/async-rooms/", "/pubsub-rooms/"])
def test_groups_reach_everybody(path):
    async def main():
        sockets = [connect(path) for _ in range(5)]
        for socket in sockets:
            assert (await socket.connect(timeout=5))[0]
        await sockets[0].send_json_to({"text": "hi"})
        for socket in sockets:
            assert (await socket.receive_json_from(timeout=5))["said"] == {"text": "hi"}
        for socket in sockets:
            await socket.disconnect(timeout=5)

    asyncio.run(main())


def test_database():
    async def main():
        sockets = [connect("/users/") for _ in range(4)]
        for number, socket in enumerate(sockets):
            assert (await socket.connect())[0]
            await socket.send_json_to({"name": f"user{number}"})
        for socket in sockets:
            answer = await socket.receive_json_from(timeout=5)
            assert answer["one_thread"]
            assert answer["decorated"] >= 1
            assert answer["orm"] == len(answer["names"]) or answer["names"]
        for socket in sockets:
            await socket.disconnect()

    asyncio.run(main())


def test_a_client_that_leaves_during_a_query_harms_nobody():
    """Its call is abandoned on the one database thread; what others ask waits and is answered."""

    async def main():
        leaving, staying = connect("/slow/"), connect("/users/")
        assert (await leaving.connect())[0]
        assert (await staying.connect())[0]
        await leaving.send_to(text_data="hold")
        assert await asyncio.to_thread(Slow.holding.wait, 10)
        leaving.stop()
        await staying.send_json_to({"name": "patient"})
        assert await staying.receive_nothing(0.1)
        Slow.let_go.set()
        assert "patient" in (await staying.receive_json_from(timeout=5))["names"]
        await staying.disconnect()

    asyncio.run(main())


def test_sessions_and_auth():
    from django.contrib.auth.models import User

    User.objects.get_or_create(username="ada")

    async def main():
        socket = connect("/whoami/")
        assert (await socket.connect())[0]
        await socket.send_json_to("nothing")
        assert (await socket.receive_json_from())["user"] == ""
        await socket.send_json_to("login")
        answer = await socket.receive_json_from()
        assert answer["user"] == "ada"
        await socket.disconnect()

        again = connect("/whoami/", headers=[(b"cookie", b"sessionid=" + answer["key"].encode())])
        assert (await again.connect())[0]
        await again.send_json_to("nothing")
        assert (await again.receive_json_from())["user"] == "ada"
        await again.send_json_to("logout")
        assert (await again.receive_json_from())["user"] == ""
        await again.disconnect()

    asyncio.run(main())


def test_http():
    async def main():
        page = HttpCommunicator(application, "POST", "/page/", body=b"body")
        response = await page.get_response()
        assert response["status"] == 200
        assert response["body"].endswith(b" body")
        stream = HttpCommunicator(application, "GET", "/stream/")
        assert (await stream.get_response())["body"] == b"data: 0\n\ndata: 1\n\ndata: 2\n\n"

    asyncio.run(main())


def test_async_to_sync_from_plain_threads():
    from channels.layers import get_channel_layer

    async def main():
        socket = connect("/async-rooms/")
        assert (await socket.connect(timeout=5))[0]
        results = []

        def say(number):
            async_to_sync(get_channel_layer().group_send)("room", {"type": "room.said", "said": number})
            results.append(number)

        threads = [threading.Thread(target=say, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        said = {(await socket.receive_json_from(timeout=5))["said"] for _ in threads}
        for thread in threads:
            await asyncio.to_thread(thread.join)
        assert said == set(results) == {0, 1, 2, 3}
        await socket.disconnect()

    asyncio.run(main())


def test_a_refused_socket():
    async def main():
        socket = connect("/nowhere/")
        with pytest.raises(ValueError, match="No route found"):
            await socket.connect()

    asyncio.run(main())


def test_many_sockets_at_once():
    async def one(number):
        socket = connect("/echo/" if number % 2 else "/async-echo/")
        assert (await socket.connect(timeout=10))[0]
        for turn in range(5):
            await socket.send_to(text_data=f"{number}-{turn}")
            assert await socket.receive_from(timeout=10) == f"{number}-{turn}"
        await socket.disconnect(timeout=10)

    async def main():
        await asyncio.gather(*(one(number) for number in range(50)))

    asyncio.run(main())
