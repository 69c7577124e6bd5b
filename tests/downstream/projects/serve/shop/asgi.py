"""Django over HTTP and Channels over websockets."""

import os

import shop.counting  # noqa: F401 - first, so that it sees all

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")

from django.core.asgi import get_asgi_application

django_application = get_asgi_application()

from channels.routing import ProtocolTypeRouter, URLRouter
from django.urls import path

from shop import consumers

application = ProtocolTypeRouter(
    {
        "http": django_application,
        "websocket": URLRouter(
            [path("echo/", consumers.Echo.as_asgi()), path("async-echo/", consumers.AsyncEcho.as_asgi())]
        ),
    }
)
