"""Channels' worker is a server of this shape: one written against StatelessServer processes its channel layers."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.packages import require_packages
from tests.support.redis import RedisProcess

EXPECTED = """\
mail to anna
mail to bert
thumbnail cat number 1
thumbnail dog number 2
started 3, failed 1, left 0
"""


@pytest.mark.parametrize("layer", ["memory", "default"], ids=["in memory", "channels_redis"])
def test_a_worker_of_channels_processes_its_layers_messages(layer: str, tmp_path: Path) -> None:
    """N2: the consumer that fails gets a new instance, and the others go on."""
    require_packages(("channels", "channels-redis"))
    with RedisProcess(tmp_path) as redis:
        command = [sys.executable, "-m", "tests.server.channels_project", layer, redis.url]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=50)
    assert done.stdout == EXPECTED, done.stderr
    assert "ValueError: no network" in done.stderr
