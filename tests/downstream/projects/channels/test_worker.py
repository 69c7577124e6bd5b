"""The worker command, as a process of its own, fed over Redis."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import pytest
from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer

HERE = Path(__file__).parent


@pytest.mark.parametrize("channel", ["jobs", "async-jobs"])
def test_runworker(channel):
    environ = os.environ | {"PYTHONPATH": os.pathsep.join((str(HERE), os.environ.get("PYTHONPATH", "")))}
    command = [sys.executable, "-m", "django", "runworker", channel]
    worker = subprocess.Popen(command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        answer = asyncio.run(ask(channel))
    finally:
        worker.terminate()
        output = worker.communicate(timeout=10)[0].decode()
    assert answer["name"] == "worker", output


async def ask(channel):
    layer = get_channel_layer()
    mine = await layer.new_channel()
    await layer.group_add("answers", mine)
    await layer.send(channel, {"type": "job.run", "name": "worker", "answer": "answers"})
    return await asyncio.wait_for(layer.receive(mine), 20)


def test_send_from_sync_code_and_receive():
    layer = get_channel_layer()
    async_to_sync(layer.send)("plain", {"type": "hello"})
    assert async_to_sync(layer.receive)("plain") == {"type": "hello"}
