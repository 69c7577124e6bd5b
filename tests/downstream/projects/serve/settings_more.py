# ruff: noqa: F821 - appended to the settings that `django-admin startproject` wrote
INSTALLED_APPS += ["channels", "shop"]
MIDDLEWARE += ["shop.views.SyncMiddleware"]
ROOT_URLCONF = "shop.urls"
ASGI_APPLICATION = "shop.asgi.application"
ALLOWED_HOSTS = ["*"]
DEBUG = False
CHANNEL_LAYERS = {"default": {"BACKEND": "channels.layers.InMemoryChannelLayer"}}
