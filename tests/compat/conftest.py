"""The one default bridge is made anew for every test, so that no worker of it outlives one."""

from collections.abc import Iterator

import pytest

from asgikit.compat.asgiref import _default


@pytest.fixture(autouse=True)
def _own_default_bridge() -> Iterator[None]:
    yield
    made = _default.made.pop(None, None)
    if made is not None:
        made.bridge.close()
        made.pool.close()
