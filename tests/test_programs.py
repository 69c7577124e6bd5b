import pytest

from tests.support.programs import require_program


def test_a_program_that_is_there_is_found() -> None:
    assert require_program("sh", package="dash").endswith("/sh")


def test_a_missing_program_skips_the_test_and_names_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "")
    with pytest.raises(pytest.skip.Exception, match="apt-get install some-package"):
        require_program("no-such-program", package="some-package")


def test_under_ci_a_missing_program_fails_the_test(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="apt-get install some-package"):
        require_program("no-such-program", package="some-package")
