"""The table of request headers: what becomes which CGI variable, and what is refused."""

import pytest

from asgikit.wsgi._request_headers import HeaderRules, RejectedRequestError, read_headers

Headers = list[tuple[bytes, bytes]]

VARIABLES: list[tuple[str, Headers, dict[str, str]]] = [
    ("none", [], {}),
    ("plain", [(b"host", b"a.example")], {"HTTP_HOST": "a.example"}),
    ("dashes", [(b"x-one-two", b"3")], {"HTTP_X_ONE_TWO": "3"}),
    ("upper case from a careless server", [(b"X-One", b"3")], {"HTTP_X_ONE": "3"}),
    ("latin-1 bytes", [(b"x-name", b"caf\xe9")], {"HTTP_X_NAME": "caf\xe9"}),
    ("repeated: joined with a comma", [(b"accept", b"a"), (b"accept", b"b")], {"HTTP_ACCEPT": "a,b"}),
    ("cookie crumbs (M4)", [(b"cookie", b"a=1"), (b"cookie", b"b=2")], {"HTTP_COOKIE": "a=1; b=2"}),
    ("content type", [(b"content-type", b"text/plain")], {"CONTENT_TYPE": "text/plain"}),
    ("length", [(b"content-length", b"12")], {"CONTENT_LENGTH": "12"}),
    ("length with leading zeros", [(b"content-length", b"012")], {"CONTENT_LENGTH": "12"}),
    ("equal lengths", [(b"content-length", b"5"), (b"content-length", b"5")], {"CONTENT_LENGTH": "5"}),
    ("equal lengths in one", [(b"content-length", b"5, 5")], {"CONTENT_LENGTH": "5"}),
    ("transfer coding: decoded already", [(b"transfer-encoding", b"chunked")], {}),
    ("underscore dropped (M9)", [(b"x_user", b"root"), (b"x-user", b"me")], {"HTTP_X_USER": "me"}),
    ("underscore alone dropped (M9)", [(b"content_length", b"5")], {}),
]


@pytest.mark.parametrize(("headers", "variables"), [pytest.param(h, v, id=name) for name, h, v in VARIABLES])
def test_variables(headers: Headers, variables: dict[str, str]) -> None:
    """M4, M9, M14: crumbs joined with "; ", underscore names dropped, equal lengths are one."""
    assert read_headers(headers, HeaderRules()).variables == variables


REFUSED: list[tuple[str, Headers, str]] = [
    ("two lengths", [(b"content-length", b"5"), (b"content-length", b"6")], "conflicting Content-Length"),
    ("two lengths in one", [(b"content-length", b"5,6")], "conflicting Content-Length"),
    ("signed", [(b"content-length", b"+5")], "not a number"),
    ("negative", [(b"content-length", b"-5")], "not a number"),
    ("words", [(b"content-length", b"five")], "not a number"),
    ("empty", [(b"content-length", b"")], "not a number"),
    ("digits of another script", [(b"content-length", "\u0665".encode())], "not a number"),
    ("endless", [(b"content-length", b"9" * 5000)], "not a number"),
    ("length and coding", [(b"content-length", b"5"), (b"transfer-encoding", b"chunked")], "both Content-Length and"),
    ("too many of one name", [(b"x-a", b"1")] * 101, "more than 100 headers with the name 'x-a'"),
]


@pytest.mark.parametrize(("headers", "reason"), [pytest.param(h, r, id=name) for name, h, r in REFUSED])
def test_refused(headers: Headers, reason: str) -> None:
    """M13, M14: 400, and the reason is the real one."""
    with pytest.raises(RejectedRequestError) as caught:
        read_headers(headers, HeaderRules())
    assert reason in caught.value.reason


def test_cookies_are_exempt_from_the_limit() -> None:
    """M14: 120 cookie crumbs are no attack."""
    found = read_headers([(b"cookie", b"a=%d" % n) for n in range(120)], HeaderRules())
    assert found.variables["HTTP_COOKIE"].count("; ") == 119


def test_limit_is_an_option() -> None:
    headers = [(b"x-a", b"1")] * 3
    with pytest.raises(RejectedRequestError):
        read_headers(headers, HeaderRules(duplicate_limit=2))
    assert read_headers(headers * 100, HeaderRules(duplicate_limit=None)).variables["HTTP_X_A"].count("1") == 300


def test_kept_underscores_meet_in_one_variable_but_never_a_length() -> None:
    """M9: the option passes them, and yet `content_length` is no CONTENT_LENGTH."""
    headers = [(b"x_a", b"1"), (b"x-a", b"2"), (b"content_length", b"5"), (b"content_type", b"text/html")]
    assert read_headers(headers, HeaderRules(keep_underscores=True)).variables == {
        "HTTP_X_A": "1,2",
        "HTTP_CONTENT_LENGTH": "5",
        "HTTP_CONTENT_TYPE": "text/html",
    }


@pytest.mark.parametrize(
    ("headers", "length", "announces", "expects"),
    [
        ([], None, False, False),
        ([(b"content-length", b"0")], 0, False, False),
        ([(b"content-length", b"7")], 7, True, False),
        ([(b"transfer-encoding", b"chunked")], None, True, False),
        ([(b"content-length", b"7"), (b"expect", b"100-continue")], 7, True, True),
    ],
)
def test_what_the_headers_say_about_the_body(
    headers: Headers, length: int | None, announces: bool, expects: bool
) -> None:
    """M10: the length is known, or it is not."""
    found = read_headers(headers, HeaderRules())
    assert (found.length, found.announces_body, found.expects_continue) == (length, announces, expects)


def test_many_headers_cost_linear_work() -> None:
    """M20: every value is looked at a bounded number of times, however many there are."""

    class Counted(bytes):
        looks = 0

        def decode(self, encoding: str = "utf-8", errors: str = "strict") -> str:
            Counted.looks += 1
            return super().decode(encoding, errors)

    headers: Headers = [(b"x-%d" % n, Counted(b"v")) for n in range(2000)]
    read_headers(headers, HeaderRules())
    assert Counted.looks == 2000
