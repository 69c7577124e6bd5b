import asyncio
from contextvars import Token
from typing import assert_type

import pytest

from asgikit.local import LocalVar


def test_get_set_reset() -> None:
    """H4: one typed value with a typed token."""
    var = LocalVar[int]("answer")
    token = var.set(1)
    assert_type(token, Token[int])
    assert_type(var.get(), int)
    assert_type(var.get(None), int | None)
    inner = var.set(2)
    assert var.get() == 2
    var.reset(inner)
    assert var.get() == 1
    var.reset(token)
    assert var.get("unset") == "unset"


def test_types_are_checked() -> None:
    """H4: mypy and pyright refuse a value of another type."""
    var = LocalVar("answer", default=1)
    assert_type(var, LocalVar[int])
    var.set("two")  # type: ignore[arg-type]


def test_unset_without_default() -> None:
    with pytest.raises(LookupError):
        LocalVar[int]("answer").get()


def test_default_of_the_variable_and_of_the_call() -> None:
    assert LocalVar("answer", default=1).get() == 1
    assert LocalVar("answer", default=1).get(2) == 2
    assert LocalVar[int | None]("answer", default=None).get() is None


def test_a_token_serves_once_and_its_own_variable_and_context() -> None:
    var, other = LocalVar[int]("one"), LocalVar[int]("other")
    token = var.set(1)
    with pytest.raises(ValueError, match="different ContextVar"):
        other.reset(token)

    async def reset() -> None:
        with pytest.raises(ValueError, match="different Context"):
            var.reset(token)

    asyncio.run(reset())
    var.reset(token)
    with pytest.raises(RuntimeError):
        var.reset(token)


def test_name_and_repr() -> None:
    var = LocalVar[str]("user")
    assert var.name == "user"
    assert repr(var) == "LocalVar('user')"
    var.set("ada")
    assert repr(var) == "LocalVar('user': 'ada')"
