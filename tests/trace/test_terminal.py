"""The picture in the terminal."""

import builtins
import io
import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest
from rich.console import Console

from asgikit.errors import MissingExtraError
from asgikit.trace import Trace
from asgikit.trace._terminal import as_svg, draw, duration
from tests.trace.spans import FEW, span


def drawn(spans: Any, width: int = 60) -> list[str]:
    console = Console(file=io.StringIO(), width=width, record=True)
    draw(spans, console=console)
    return [line.rstrip() for line in console.export_text().splitlines()]


def test_the_whole_picture() -> None:
    assert drawn(FEW)[:7] == [
        "5 crossings in 10.0 ms",
        "",
        "thread  0                                            10.0 ms",
        "loop    ░░░░░▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄▄",
        "worker            ░░░░░████████████████!!!!!!!!!!!",
        "other                             ░░░░░~~~~~~~~~~~~~~~~~~~~~",
        "",
    ]


def test_without_colours_the_marks_differ() -> None:
    """A picture in a file or a pipe has no colours; the key says what each mark means, on one line of 80 columns."""
    key = "█ function on a thread  ▄ coroutine on a loop  ! raised  ~ abandoned  ░ queued"
    assert key in drawn(FEW, width=80)


def test_the_functions_that_ran_longest_come_first() -> None:
    table = drawn(FEW, width=100)
    start = next(n for n, line in enumerate(table) if line.startswith("function "))
    assert [line.split() for line in table[start:]] == [
        ["function", "calls", "ran", "queued"],
        ["shop.checkout", "1", "9.0", "ms", "1.0", "ms"],
        ["shop.load", "1", "3.0", "ms", "1.0", "ms"],
        ["shop.charge", "1", "2.0", "ms", "2.0", "ms"],
    ]


def test_colours_say_what_became_of_a_crossing() -> None:
    console = Console(file=io.StringIO(), width=60, record=True, force_terminal=True, color_system="standard")
    draw(FEW, console=console)
    rows = console.export_text(styles=True).splitlines()[3:6]
    assert "\x1b[34m█" in rows[0]
    assert "\x1b[32m█" in rows[1]
    assert "\x1b[31m█" in rows[1]
    assert "\x1b[33m█" in rows[2]


@pytest.mark.parametrize("width", [30, 60, 200])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    spans = [span(n, f"a.function.with.a.long.name.{n}", f"thread-{n}", n / 10, n / 9, n / 8) for n in range(30)]
    bars = [line for line in drawn(spans, width) if line.startswith("thread-")]
    assert len(bars) == 30
    assert all(len(line) <= width for line in bars)


def test_a_long_name_leaves_room_for_the_time() -> None:
    picture = drawn([span(0, "f", "x" * 200, 0.0, 0.0, 1.0)], width=80)
    assert len(picture[3]) == 80
    assert picture[3].count("█") >= 38
    assert picture[3].startswith("xxx")
    assert "…" in picture[3]


@pytest.mark.parametrize("name", ["shop.Page[int]", "shop.odd[/x]"])
def test_a_name_is_no_markup(name: str) -> None:
    """Generic classes of pydantic are named like the first."""
    assert drawn([span(0, name, "worker[1]", 0.0, 0.0, 1.0)])[-1].startswith(name)


def test_of_many_rows_the_busiest_are_drawn_in_their_order() -> None:
    """What does not fit on a screen explains nothing: at most 40 rows, and a line says what is missing."""
    spans = [span(n, "f", f"thread-{n}", n, n, n + (50.0 if n % 2 else 1.0)) for n in range(100)]
    picture = drawn(spans, width=100)
    assert [line.split()[0] for line in picture[3:43]] == [f"thread-{n}" for n in range(1, 81, 2)]
    assert picture[43] == "… and 60 rows that were less busy; saved as .html, all are there"


def test_rows_of_one_thread_are_named_once() -> None:
    rows = drawn([span(0, "f", "a", 0, 1, 9), span(1, "g", "a", 0, 2, 3)])
    assert rows[3].startswith("a ")
    assert rows[4].startswith("  ")


def test_nothing_recorded() -> None:
    assert drawn([]) == ["no crossings were recorded: none began through this bridge while it was watched"]


def test_only_what_never_began() -> None:
    assert drawn([span(0, "f", None, 0.5)])[0] == "1 crossing in 500.0 ms"


def test_as_an_image() -> None:
    """The SVG is well-formed, shows the threads, and asks for nothing from elsewhere."""
    image = as_svg(FEW)
    assert not re.search(r"url\(.?http|@import|<script", image)
    assert ET.fromstring(image).tag.endswith("svg")
    assert "worker" in image


def test_the_colours_of_the_image_differ() -> None:
    """Five kinds of time, five colours that are in use."""
    image = as_svg(FEW)
    colours = set(re.findall(r"\.terminal-\d+-r\d+ \{ fill: (#\w{6})", image))
    assert {"#3aa671", "#528ce8", "#e25d52", "#f0b429"} <= colours


def test_show_prints_on_the_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    Trace().show()
    assert capsys.readouterr().out.startswith("no crossings were recorded: ")


def test_without_rich_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_rich(name: str, *args: Any, **kwargs: Any) -> Any:
        if name.startswith("rich"):
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", without_rich)
    with pytest.raises(MissingExtraError, match="pip install rich"):
        draw(FEW)
    with pytest.raises(MissingExtraError, match="pip install rich"):
        as_svg(FEW)


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0 us"), (2e-6, "2 us"), (9.99e-4, "999 us"), (1e-3, "1.0 ms"), (0.25, "250.0 ms"), (90.0, "90.0 s")],
)
def test_lengths_of_time(seconds: float, text: str) -> None:
    assert duration(seconds) == text
