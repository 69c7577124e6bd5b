"""Tests of what does not hold yet: strict, so that the mend makes them fail until the mark is taken off."""

import pytest

__all__ = ("broken",)


def broken(number: int) -> pytest.MarkDecorator:
    """Mark a test that shows the known bug `number`."""
    return pytest.mark.xfail(strict=True, reason=f"bridge bug {number}")
