"""Where values live: dynamic namespaces, declared ones, single typed variables."""

from contextvars import Token
from dataclasses import field
from typing import Any, assert_type

from asgikit.local import Local, LocalNamespace, LocalVar, ThreadCriticalLocal, clear, snapshot

number: int = 1
text: str = "a"


# case: any name of a Local may be set and read
def any_name(local: Local) -> None:
    local.user = text
    assert_type(local.group, Any)
    del local.user


# case: names that a namespace might want for itself
def wanted_names(local: Local) -> None:
    local.get = number
    local.values = number
    local.name = number
    print(local.set, local.clear)


# case: a Local takes no arguments
Local(text)  # E

# case: a Local has no type parameters
typed: Local[int]  # E


# case: a Local cannot be subclassed
def subclassed() -> None:
    class Mine(Local):  # E
        pass

    print(Mine)  # E?


# case: any name of a ThreadCriticalLocal
def any_critical_name(critical: ThreadCriticalLocal) -> None:
    critical.connection = number
    assert_type(critical.cursor, Any)


class Request(LocalNamespace):
    """A declared namespace."""

    user: str
    retries: int = 0
    tags: list[str] = field(default_factory=list[str])
    parent: "Request | None" = None

    @property
    def label(self) -> str:
        return f"{self.user} {self.retries}"

    def bump(self, by: int = 1) -> int:
        self.retries += by
        return self.retries


request = Request()

# case: declared fields have their types
assert_type(request.user, str)
assert_type(request.retries, int)
assert_type(request.tags, list[str])
assert_type(request.parent, Request | None)

# case: setting a declared field
request.user = text
request.retries += 1
request.tags.append(text)

# case: setting a declared field to something else
request.retries = text  # E

# case: a field that is not declared
print(request.users)  # E

# case: setting a field that is not declared
request.users = text  # E

# case: methods and properties of a namespace
assert_type(request.bump(2), int)
assert_type(request.label, str)
request.bump(text)  # E

# case: a declared namespace takes no arguments
Request(user=text)  # E

# case: an optional field must be narrowed


def narrowed() -> None:
    request.parent.bump()  # E
    if request.parent is not None:
        assert_type(request.parent.retries, int)


# case: a namespace that extends another
class Detailed(Request):
    path: str = "/"


assert_type(Detailed().retries, int)
assert_type(Detailed().path, str)

# case: a variable without a default
user: LocalVar[str] = LocalVar("user")
assert_type(user.get(), str)

# case: a variable with a default
retries = LocalVar("retries", default=number)
assert_type(retries, LocalVar[int])
assert_type(retries.get(), int)


# case: a default at the call
def with_default(other: int) -> None:
    assert_type(user.get(None), str | None)
    assert_type(user.get(other), str | int)


# case: setting and resetting
token = user.set(text)
assert_type(token, Token[str])
user.reset(token)

# case: setting something else
user.set(number)  # E

# case: a token of another type
user.reset(retries.set(number))  # E

# case: a variable needs a name
LocalVar()  # E

# case: a name is text
LocalVar(number)  # E

# case: a default of another type
wrong: LocalVar[str] = LocalVar("wrong", default=number)  # E

# case: a variable of an optional
maybe: LocalVar[str | None] = LocalVar("maybe", default=None)
assert_type(maybe.get(), str | None)

# case: a variable of a generic type
names: LocalVar[dict[str, int]] = LocalVar("names")
assert_type(names.get()[text], int)

# case: a variable's value must be narrowed
maybe.get().upper()  # E

# case: a snapshot of any of them
assert_type(snapshot(Local()), dict[str, Any])
snapshot(ThreadCriticalLocal())
snapshot(request)

# case: clearing any of them
clear(Local())
clear(ThreadCriticalLocal())
clear(request)

# case: a dictionary is no namespace
snapshot({"user": text})  # E
