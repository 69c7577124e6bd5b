"""Declared fields. The checkers read this file as well: an ignore that hides nothing is an error to them."""

import asyncio
from dataclasses import field
from typing import ClassVar, assert_type

import pytest

from asgikit.errors import MutableDefaultError
from asgikit.local import LocalNamespace, snapshot


class Request(LocalNamespace):
    """Every kind of field."""

    user: str
    retries: int = 0
    tags: list[str] = field(default_factory=list[str])
    path: str = field(default="/")
    bare: int = field()
    kinds: ClassVar[list[str]] = ["a", "b"]

    @property
    def title(self) -> str:
        return f"{self.path} x{self.retries}"

    @title.setter
    def title(self, value: str) -> None:
        self.path = value

    def retry(self) -> int:
        self.retries += 1
        return self.retries


def check_types(request: Request) -> None:
    assert_type(request.user, str)
    assert_type(request.retries, int)
    assert_type(request.tags, list[str])
    with pytest.raises(AttributeError):
        _ = request.nothing  # type: ignore[attr-defined]
    request.retries = "many"  # type: ignore[assignment]


def test_types_of_fields() -> None:
    """H4: mypy and pyright see each field, and nothing that was not declared."""
    request = Request()
    request.user = "ada"
    check_types(request)


def test_unset_without_default() -> None:
    """H4: a field without default is an AttributeError until it is set."""
    request = Request()
    for name in ("user", "bare"):
        with pytest.raises(AttributeError, match=f"^'Request' object has no attribute '{name}'$"):
            getattr(request, name)


def test_defaults_and_back_to_them() -> None:
    """H4: a default is seen wherever nothing was set, and again after `del`."""
    request = Request()
    assert (request.retries, request.path, request.kinds) == (0, "/", ["a", "b"])
    assert request.retry() == 1
    assert snapshot(request) == {"retries": 1}
    del request.retries
    assert request.retries == 0
    with pytest.raises(AttributeError, match="retries"):
        del request.retries


def test_what_a_factory_makes_stays_in_its_context() -> None:
    """H4, H2: made at the first read, kept there, shared with tasks started later, made anew by siblings."""
    request = Request()

    async def tags() -> list[str]:
        return request.tags

    async def main() -> None:
        first, second = await asyncio.gather(tags(), tags())
        assert first is not second
        mine = request.tags
        assert mine is request.tags
        assert await asyncio.create_task(tags()) is mine
        assert mine is not first
        assert mine is not second

    asyncio.run(main())


def test_properties_and_methods() -> None:
    """A property takes what is written to it; what it writes belongs to the context."""
    request = Request()
    request.title = "/home"
    assert (request.title, snapshot(request)) == ("/home x0", {"path": "/home"})
    with pytest.raises(AttributeError):
        delattr(request, "title")


def test_own_attribute_methods_of_a_class_with_properties_stay() -> None:
    written: list[str] = []

    class Watched(LocalNamespace):
        x: int

        @property
        def double(self) -> int:
            return self.x * 2

        def __setattr__(self, name: str, value: object) -> None:
            written.append(name)
            super().__setattr__(name, value)

        def __delattr__(self, name: str) -> None:
            written.append(f"del {name}")
            super().__delattr__(name)

    class Doubled(Watched):
        @property
        def fourfold(self) -> int:
            return self.double * 2

    watched = Doubled()
    watched.x = 2
    assert watched.fourfold == 8
    del watched.x
    assert written == ["x", "del x"]


def test_inheritance() -> None:
    class Admin(Request):
        rights: tuple[str, ...] = ()
        retries: int = 7

    admin = Admin()
    admin.title = "/admin"
    assert (admin.rights, admin.title, admin.tags) == ((), "/admin x7", [])
    assert Request().title == "/ x0"


@pytest.mark.parametrize("default", [[], {}, set[int]()], ids=["list", "dict", "set"])
def test_mutable_defaults_are_refused(default: object) -> None:
    """H4: one list for all tasks is never what was meant."""
    with pytest.raises(MutableDefaultError, match=r"Bad\.tags: .*default_factory") as caught:
        type("Bad", (LocalNamespace,), {"tags": default, "__annotations__": {"tags": "object"}})
    assert isinstance(caught.value, ValueError)


def test_constants_may_be_mutable() -> None:
    class Constants(LocalNamespace):
        plain = [1]  # noqa: RUF012

    assert Constants().plain == [1]


def test_a_subclass_with_eq_and_without_hash() -> None:
    """H6: how values are kept does not depend on users' methods."""

    class Equal(LocalNamespace):
        x: int

        __hash__ = None  # type: ignore[assignment]

        def __eq__(self, other: object) -> bool:
            raise AssertionError("asked")

    one, two = Equal(), Equal()
    one.x, two.x = 1, 2
    assert (one.x, two.x) == (1, 2)


def test_init_without_arguments() -> None:
    class Started(LocalNamespace):
        x: int

        def __init__(self) -> None:
            self.x = 3

    assert Started().x == 3


def test_the_class_shows_its_factory() -> None:
    assert "_MadeOnRead" in repr(vars(Request)["tags"])
    assert Request.tags is vars(Request)["tags"]
