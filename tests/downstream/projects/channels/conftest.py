"""A Channels project of ours: Channels 4.3 ships no tests. Runs in a copy of this folder, on asgiref and on asgikit."""

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
os.environ["DJANGO_SETTINGS_MODULE"] = "chat.settings"
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = ""

import django

django.setup()


@pytest.fixture(scope="session", autouse=True)
def _database() -> Iterator[None]:
    from django.core.management import call_command
    from django.db import connections

    Path("chat.sqlite3").unlink(missing_ok=True)
    call_command("migrate", verbosity=0)
    yield
    connections.close_all()


@pytest.fixture(autouse=True)
def _fresh_layers() -> Iterator[None]:
    from channels.layers import channel_layers

    channel_layers.backends = {}
    yield
    channel_layers.backends = {}
