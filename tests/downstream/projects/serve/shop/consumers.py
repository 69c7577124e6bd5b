from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncWebsocketConsumer, WebsocketConsumer

from shop.models import Item


class Echo(WebsocketConsumer):
    def receive(self, text_data=None, bytes_data=None):
        self.send(text_data=f"{text_data} {Item.objects.count()}")


class AsyncEcho(AsyncWebsocketConsumer):
    async def receive(self, text_data=None, bytes_data=None):
        count = await database_sync_to_async(Item.objects.count)()
        await self.send(text_data=f"{text_data} {count}")
