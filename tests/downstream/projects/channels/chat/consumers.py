"""Consumers of every kind that Channels offers."""

import threading

from asgiref.sync import async_to_sync
from channels.consumer import AsyncConsumer, SyncConsumer
from channels.db import database_sync_to_async
from channels.generic.http import AsyncHttpConsumer
from channels.generic.websocket import (
    AsyncJsonWebsocketConsumer,
    AsyncWebsocketConsumer,
    JsonWebsocketConsumer,
    WebsocketConsumer,
)
from channels.layers import get_channel_layer
from django.contrib.auth.models import User


class Echo(WebsocketConsumer):
    def connect(self):
        self.accept(subprotocol=self.scope["subprotocols"][0] if self.scope["subprotocols"] else None)

    def receive(self, text_data=None, bytes_data=None):
        if text_data == "close":
            self.close(4001)
        else:
            self.send(text_data=text_data, bytes_data=bytes_data)


class AsyncEcho(AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        await self.send(text_data=text_data, bytes_data=bytes_data)


class Rooms(JsonWebsocketConsumer):
    """A synchronous consumer that talks to the channel layer through `async_to_sync`."""

    def connect(self):
        async_to_sync(self.channel_layer.group_add)("room", self.channel_name)
        self.accept()

    def disconnect(self, code):
        async_to_sync(self.channel_layer.group_discard)("room", self.channel_name)

    def receive_json(self, content):
        async_to_sync(self.channel_layer.group_send)("room", {"type": "room.said", "said": content})

    def room_said(self, event):
        self.send_json({"said": event["said"], "thread": threading.current_thread().name})


class AsyncRooms(AsyncJsonWebsocketConsumer):
    groups = ["room"]

    async def receive_json(self, content):
        await self.channel_layer.group_send("room", {"type": "room.said", "said": content})

    async def room_said(self, event):
        await self.send_json({"said": event["said"]})


class PubSubRooms(AsyncRooms):
    channel_layer_alias = "pubsub"


class Users(AsyncJsonWebsocketConsumer):
    """The database from an async consumer, in each of the ways that projects use."""

    async def receive_json(self, content):
        await database_sync_to_async(User.objects.get_or_create)(username=content["name"])
        thread = await database_sync_to_async(lambda: threading.current_thread().name)()
        await self.send_json(
            {
                "decorated": await self.count(),
                "orm": await User.objects.acount(),
                "names": [user.username async for user in User.objects.order_by("pk")],
                "one_thread": thread == await database_sync_to_async(lambda: threading.current_thread().name)(),
            }
        )

    @database_sync_to_async
    def count(self):
        return User.objects.count()


class Slow(AsyncWebsocketConsumer):
    """Holds the one database thread until the test lets it go."""

    holding = threading.Event()
    let_go = threading.Event()

    async def receive(self, text_data=None, bytes_data=None):
        await database_sync_to_async(self._hold)()
        await self.send(text_data="held")

    def _hold(self):
        User.objects.count()
        self.holding.set()
        assert self.let_go.wait(10)


class WhoAmI(AsyncJsonWebsocketConsumer):
    """Sessions and auth."""

    async def receive_json(self, content):
        from channels.auth import get_user, login, logout

        if content == "login":
            user = await User.objects.aget(username="ada")
            await login(self.scope, user, backend="django.contrib.auth.backends.ModelBackend")
            await database_sync_to_async(self.scope["session"].save)()
        elif content == "logout":
            await logout(self.scope)
        user = await get_user(self.scope)
        await self.send_json({"user": user.username, "key": self.scope["session"].session_key})


class Page(AsyncHttpConsumer):
    async def handle(self, body):
        count = await database_sync_to_async(User.objects.count)()
        await self.send_response(200, b"%d %b" % (count, body), headers=[(b"Content-Type", b"text/plain")])


class Stream(AsyncHttpConsumer):
    async def handle(self, body):
        await self.send_headers(headers=[(b"Content-Type", b"text/event-stream")])
        for number in range(3):
            await self.send_body(b"data: %d\n\n" % number, more_body=number < 2)


class Jobs(SyncConsumer):
    """Run by `runworker`: does its work on a thread, and tells a group."""

    def job_run(self, message):
        user, _ = User.objects.get_or_create(username=message["name"])
        async_to_sync(get_channel_layer().group_send)(
            message["answer"], {"type": "job.done", "name": user.username, "count": User.objects.count()}
        )


class AsyncJobs(AsyncConsumer):
    async def job_run(self, message):
        await self.channel_layer.group_send(
            message["answer"], {"type": "job.done", "name": message["name"], "count": 0}
        )
