import runpy
from pathlib import Path

import pytest

EXAMPLES = sorted((Path(__file__).parents[2] / "docs" / "examples" / "uses").glob("*.py"))


def test_the_five_uses_from_real_projects_are_here() -> None:
    assert {path.stem for path in EXAMPLES} >= {
        "authenticate_in_a_consumer",
        "log_in_from_a_resolver",
        "publish_from_sync_code",
        "register_a_subscription",
        "results_from_a_pool_thread",
    }


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_does_what_it_claims_and_leaves_nothing_running(
    path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The claims are the asserts in the file; that nothing stays is the guard's to see."""
    runpy.run_path(str(path), run_name="__main__")
    assert capsys.readouterr().out
