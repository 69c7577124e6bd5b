"""What `Local`, and the other namespaces where they promise the same, are as objects."""

import copy
import keyword
import pickle
import threading
from collections.abc import Callable
from contextvars import copy_context
from typing import Any, TypeAlias

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgikit.errors import LocalCopyError
from asgikit.local import Local, LocalNamespace, ThreadCriticalLocal, clear, snapshot

AnyNamespace: TypeAlias = Local | ThreadCriticalLocal


class Fields(LocalNamespace):
    """A namespace with a field."""

    x: int


@pytest.fixture(params=[Local, Fields, ThreadCriticalLocal])
def local(request: pytest.FixtureRequest) -> Any:
    return request.param()


def test_set_read_delete(local: AnyNamespace) -> None:
    local.x = 1
    assert local.x == 1
    local.x = None
    assert local.x is None
    del local.x
    assert not hasattr(local, "x")
    assert getattr(local, "x", "default") == "default"


NAMES = [
    *keyword.kwlist, "self", "name", "value", "get", "set", "clear", "snapshot", "copy", "key", "var", "side", "plain",
    "_key", "_sides", "_var", "_values", "_lock", "_storage", "__dict__", "__slots__", "__class__", "__reduce_ex__",
    "__anything__", "x y", "", "ünïcode",
]  # fmt: skip


@pytest.mark.parametrize("name", NAMES)
def test_any_name_is_free(local: AnyNamespace, name: str) -> None:
    """H3: also the names that the implementation uses, and those of the language."""
    setattr(local, name, "mine")
    assert getattr(local, name) == "mine"
    assert snapshot(local) == {name: "mine"}
    delattr(local, name)
    assert snapshot(local) == {}


@settings(deadline=None)
@given(st.dictionaries(st.text(), st.integers()))
def test_any_text_is_a_name(values: dict[str, int]) -> None:
    """H3: no name means anything to the implementation."""
    for make in (Local, Fields, ThreadCriticalLocal):
        local: Any = make()
        for name, value in values.items():
            setattr(local, name, value)
        assert snapshot(local) == values
        assert {name: getattr(local, name) for name in values} == values


@pytest.mark.parametrize("name", [name for name in NAMES if not name.startswith("__")])
def test_no_name_is_there_before_it_is_set(local: AnyNamespace, name: str) -> None:
    """H3: the implementation shows none of its own."""
    assert not hasattr(local, name)
    assert name not in dir(local)


@pytest.mark.parametrize("access", [getattr, delattr], ids=["read", "delete"])
def test_attribute_error_names_attribute_and_class(
    local: AnyNamespace, access: Callable[[object, str], object]
) -> None:
    with pytest.raises(AttributeError) as caught:
        access(local, "user_id")
    assert str(caught.value) == f"{type(local).__name__!r} object has no attribute 'user_id'"
    assert (caught.value.name, caught.value.obj) == ("user_id", local)
    assert caught.value.__context__ is None


def test_dir_shows_the_values_visible_here(local: AnyNamespace) -> None:
    local.shown = 1
    assert "shown" in dir(local)
    assert "__class__" in dir(local)
    assert copy_context().run(dir, local) == dir(local) == sorted(dir(local))
    assert "shown" not in run_in_thread(lambda: dir(local))


def test_repr_shows_the_values_visible_here(local: AnyNamespace) -> None:
    name = type(local).__name__
    assert repr(local) == f"{name}()"
    local.x, local.y = 1, "two"
    assert repr(local) == f"{name}(x=1, y='two')"
    assert run_in_thread(lambda: repr(local)) == f"{name}()"


def test_repr_of_a_namespace_in_itself(local: AnyNamespace) -> None:
    local.me = local
    assert repr(local) == f"{type(local).__name__}(me=...)"
    del local.me


@pytest.mark.parametrize("copier", [copy.copy, copy.deepcopy, pickle.dumps])
def test_copying_is_refused(local: AnyNamespace, copier: Callable[[object], object]) -> None:
    with pytest.raises(LocalCopyError, match=rf"^{type(local).__name__} objects cannot be copied.*snapshot") as caught:
        copier(local)
    assert isinstance(caught.value, TypeError)


def test_snapshot_is_the_callers(local: AnyNamespace) -> None:
    local.x = 1
    values = snapshot(local)
    values["x"] = values["y"] = 2
    assert snapshot(local) == {"x": 1}


def test_clear_drops_what_is_visible_here(local: AnyNamespace) -> None:
    other = type(local)()
    local.x = local.y = other.x = 1
    clear(local)
    assert (snapshot(local), snapshot(other)) == ({}, {"x": 1})
    clear(local)
    assert snapshot(local) == {}


def test_clear_is_not_seen_outside() -> None:
    """H2: clearing is a deletion, and stays where it was done."""
    local = Local()
    local.x = 1
    copy_context().run(clear, local)
    assert local.x == 1


def test_two_of_a_class_have_nothing_in_common(local: AnyNamespace) -> None:
    other = type(local)()
    local.x, other.x = 1, 2
    assert (local.x, other.x) == (1, 2)
    assert local != other
    assert len({local, other}) == 2


def test_writes_of_many_namespaces_in_turn() -> None:
    """More namespaces than shards, so that they share: each still has its own values."""
    locals_ = [Local() for _ in range(500)]
    for step in range(3):
        for number, local in enumerate(locals_):
            local.number, local.step = number, step
    assert [snapshot(local) for local in locals_] == [{"number": number, "step": 2} for number in range(500)]
    for local in locals_[::2]:
        del local.number
    assert [hasattr(local, "number") for local in locals_] == [False, True] * 250


@pytest.mark.parametrize("final", [Local, ThreadCriticalLocal])
def test_subclassing_is_refused(final: type) -> None:
    """H4: there is a class to subclass, and it has typed fields."""
    with pytest.raises(TypeError, match="cannot be subclassed"):
        type("Sub", (final,), {})


def test_no_arguments() -> None:
    for make in (Local, Fields, ThreadCriticalLocal):
        with pytest.raises(TypeError):
            make(1)  # type: ignore[call-arg]


def run_in_thread(function: Callable[[], Any]) -> Any:
    """Return what `function` does on a new thread, in an empty context on every Python."""
    from contextvars import Context

    results: list[Any] = []
    thread = threading.Thread(target=lambda: results.append(Context().run(function)))
    thread.start()
    thread.join(10)
    return results[0]
