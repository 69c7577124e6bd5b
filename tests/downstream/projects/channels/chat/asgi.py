import os

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "chat.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from channels.auth import AuthMiddlewareStack
from channels.routing import ChannelNameRouter, ProtocolTypeRouter, URLRouter
from django.urls import path

from chat import consumers

application = ProtocolTypeRouter(
    {
        "http": URLRouter([path("page/", consumers.Page.as_asgi()), path("stream/", consumers.Stream.as_asgi())]),
        "websocket": AuthMiddlewareStack(
            URLRouter(
                [
                    path("echo/", consumers.Echo.as_asgi()),
                    path("async-echo/", consumers.AsyncEcho.as_asgi()),
                    path("rooms/", consumers.Rooms.as_asgi()),
                    path("async-rooms/", consumers.AsyncRooms.as_asgi()),
                    path("pubsub-rooms/", consumers.PubSubRooms.as_asgi()),
                    path("users/", consumers.Users.as_asgi()),
                    path("slow/", consumers.Slow.as_asgi()),
                    path("whoami/", consumers.WhoAmI.as_asgi()),
                ]
            )
        ),
        "channel": ChannelNameRouter({"jobs": consumers.Jobs.as_asgi(), "async-jobs": consumers.AsyncJobs.as_asgi()}),
    }
)
