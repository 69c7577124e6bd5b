"""The one default bridge is made anew for every test, so that no worker of it outlives one."""

from collections.abc import Iterator

import pytest

from asgikit.compat.asgiref import _default


@pytest.fixture(autouse=True)
def _own_default_bridge() -> Iterator[None]:
    made = _default._Default
    yield
    if made.bridge is not None and made.pool is not None:
        made.bridge.close()
        made.pool.close()
        made.bridge = made.pool = made.call = None
