"""The typed forms of local values: declared fields are checked, a Local takes anything, a LocalVar has one type."""

from contextvars import Token
from dataclasses import field
from typing import Any, assert_type

from asgikit.local import Local, LocalNamespace, LocalVar, ThreadCriticalLocal, clear, snapshot
from asgikit.protocols import LocalLike


class Session(LocalNamespace):
    user: str
    retries: int = 0
    seen: list[str] = field(default_factory=list[str])

    @property
    def anonymous(self) -> bool:
        return self.retries == 0

    def retry(self, times: int) -> int:
        self.retries += times
        return self.retries


class Admin(Session):
    rights: tuple[str, ...] = ()


number: int = 1
text: str = "a"
counter = LocalVar[int]("counter")


# case: fields have the types they were declared with
def fields(session: Session) -> None:
    assert_type(session.user, str)
    assert_type(session.retries, int)
    assert_type(session.seen, list[str])


# case: fields, properties and methods of a subclass and its base
def inherited(admin: Admin) -> None:
    assert_type(admin.user, str)
    assert_type(admin.rights, tuple[str, ...])
    assert_type(admin.anonymous, bool)
    assert_type(admin.retry(number), int)


# case: a value of another type is refused
def wrong_type(session: Session) -> None:
    session.user = text
    session.user = number  # E
    session.retries = text  # E
    session.seen.append(number)  # E


# case: a name that was not declared cannot be read
def undeclared_read(session: Session) -> None:
    print(session.usr)  # E


# case: a name that was not declared cannot be written
def undeclared_write(session: Session) -> None:
    session.usr = text  # E


# case: fields can be deleted, properties not written
def deletion(session: Session) -> None:
    del session.retries
    session.anonymous = True  # E


# case: a namespace is made without arguments
def arguments() -> None:
    assert_type(Session(), Session)
    Session(text)  # E
    Local(text)  # E
    ThreadCriticalLocal(text)  # E


# case: a Local gives anything
def dynamic_read(local: Local, critical: ThreadCriticalLocal) -> None:
    assert_type(local.anything, Any)
    assert_type(critical.anything, Any)


# case: a Local takes anything
def dynamic_write(local: Local, critical: ThreadCriticalLocal) -> None:
    local.anything = text
    local.anything = number
    del local.anything
    critical.anything = text
    critical.anything = number
    del critical.anything


# case: a Local and a ThreadCriticalLocal are LocalLike
def local_like(local: Local, critical: ThreadCriticalLocal) -> None:
    either: LocalLike = local
    either = critical
    either.anything = text


# case: a namespace with declared fields is not LocalLike
def not_local_like(session: Session) -> None:
    either: LocalLike = session  # E
    print(either)


# case: neither of the two can be subclassed
class Sub(Local):  # E
    pass


class CriticalSub(ThreadCriticalLocal):  # E
    pass


# case: helpers take every namespace
def helpers(local: Local, critical: ThreadCriticalLocal, session: Session) -> None:
    assert_type(snapshot(local), dict[str, Any])
    assert_type(snapshot(critical), dict[str, Any])
    assert_type(snapshot(session), dict[str, Any])
    clear(local)
    clear(critical)
    clear(session)
    snapshot(text)  # E
    clear(text)  # E


# case: get, set and reset of a LocalVar
def local_var() -> None:
    assert_type(counter.get(), int)
    assert_type(counter.get(None), int | None)
    assert_type(counter.set(number), Token[int])
    counter.reset(counter.set(number))
    counter.set(text)  # E


# case: the default gives a LocalVar its type
def default() -> None:
    with_default = LocalVar("counter", default=number)
    assert_type(with_default, LocalVar[int])
    assert_type(with_default.get(), int)


# case: a token of another type is refused
def token(other: Token[str]) -> None:
    counter.reset(other)  # E
