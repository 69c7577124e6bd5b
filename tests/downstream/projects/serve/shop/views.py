"""Views of every kind that a Django project has."""

import asyncio
import threading
import time

from asgiref.sync import async_to_sync, sync_to_async
from django.dispatch import Signal, receiver
from django.http import HttpResponse, JsonResponse, StreamingHttpResponse

from shop.counting import started
from shop.models import Item

bought = Signal()


@receiver(bought)
def remember(sender, **kwargs):
    return threading.current_thread().name


@receiver(bought)
async def remember_async(sender, **kwargs):
    await asyncio.sleep(0)
    return "async"


def sync_view(request):
    return HttpResponse("sync")


async def async_view(request):
    await asyncio.sleep(0)
    return HttpResponse("async")


def orm(request):
    item = Item.objects.order_by("pk").first()
    return HttpResponse(f"{item.name} of {Item.objects.count()}")


async def async_orm(request):
    item = await Item.objects.order_by("pk").afirst()
    return HttpResponse(f"{item.name} of {await Item.objects.acount()}")


async def stream(request):
    async def chunks():
        async for item in Item.objects.all()[:5]:
            yield f"{item.name}\n"

    return StreamingHttpResponse(chunks())


def sync_stream(request):
    return StreamingHttpResponse(f"{number}\n" for number in range(5))


async def signal(request):
    answers = await bought.asend(None)
    return HttpResponse(f"{len(answers)} heard")


def there_and_back(request):
    async def inside():
        return await sync_to_async(Item.objects.count)()

    return HttpResponse(f"{async_to_sync(inside)()} there and back")


async def state(request):
    return JsonResponse({"threads": len(started), "names": started[-5:], "cpu": time.process_time()})


class SyncMiddleware:
    """A middleware that knows only synchronous code, as many in the wild do."""

    sync_capable = True
    async_capable = False

    def __init__(self, get_response):
        self.get_response = get_response

    def __call__(self, request):
        response = self.get_response(request)
        response["X-Sync"] = "seen"
        return response
