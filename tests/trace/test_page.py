"""The page, in a real browser: it draws, and a bar that is pointed at says what it is.

The browser is Chromium without a window and without a network. What a test wants to know, a script at the end of
the page writes into its title; the browser prints the page as it stands then.
"""

import html
import json
import re
import struct
import subprocess
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from asgikit.trace._page import as_page
from tests.support.programs import require_program
from tests.trace.spans import FEW, span

Browse = Callable[..., str]


@pytest.fixture
def browse(tmp_path: Path) -> Browse:
    """Open a page, run a script in it, and return what the browser prints."""
    chromium = require_program("chromium", package="chromium")

    def open_page(page: str, script: str = "", *options: str) -> str:
        file = tmp_path / "trace.html"
        file.write_text(page.replace("</html>", f"<script>{script}</script></html>"), encoding="utf-8")
        command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--hide-scrollbars", "--no-first-run"]
        command += [f"--user-data-dir={tmp_path / 'profile'}", "--window-size=1000,600", *options]
        done = subprocess.run([*command, file.as_uri()], capture_output=True, text=True, timeout=50, check=True)
        return done.stdout

    return open_page


def told(dump: str) -> str:
    """Return the title of a page that was printed."""
    found = re.search(r"<title>(.*?)</title>", dump, re.DOTALL)
    assert found is not None
    return html.unescape(found[1])


def pixels(path: Path) -> list[list[str]]:
    """Return the colours of a PNG, row by row, as `#rrggbb` (8 bits a channel, not interlaced: Chromium's kind)."""
    data = path.read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert depth == 8
    body, at = b"", 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        if data[at + 4 : at + 8] == b"IDAT":
            body += data[at + 8 : at + 8 + length]
        at += length + 12
    raw, step = zlib.decompress(body), {2: 3, 6: 4}[kind]
    wide, rows, above = width * step, list[list[str]](), bytes(width * step)
    for start in range(0, height * (wide + 1), wide + 1):
        above = unfiltered(raw[start], raw[start + 1 : start + 1 + wide], above, step)
        rows.append([f"#{above[x : x + 3].hex()}" for x in range(0, wide, step)])
    return rows


def unfiltered(kind: int, line: bytes, above: bytes, step: int) -> bytes:
    """Undo a row's filter. Source: the PNG specification, section 9."""
    done = bytearray(line)
    for n in range(len(done)):
        left, corner = (done[n - step], above[n - step]) if n >= step else (0, 0)
        done[n] = (done[n] + (0, left, above[n], (left + above[n]) // 2, paeth(left, above[n], corner))[kind]) & 255
    return bytes(done)


def paeth(left: int, above: int, corner: int) -> int:
    """Return the one of the three that is nearest to where they lead."""
    towards = left + above - corner
    return min((left, above, corner), key=lambda value: abs(towards - value))


GREEN, BLUE, RED, BROWN = "#1f7a52", "#2f66b5", "#b8433a", "#8a5a00"
WHERE = """document.title = JSON.stringify(data.spans.filter(span => row.has(span.number)).map(span => {
  const [left, top, wide, high] = box(span), at = canvas.getBoundingClientRect();
  return [at.left + left + wide - 4, at.top + top + high - 3]; }));"""


def test_the_page_is_drawn(browse: Browse, tmp_path: Path) -> None:
    """A screenshot: each bar is where it was said to be, in the colour of what it was; below the rows is paper."""
    page, picture = as_page(FEW), tmp_path / "page.png"
    places = json.loads(told(browse(page, WHERE, "--dump-dom")))
    browse(page, "", f"--screenshot={picture}")
    rows = pixels(picture)
    assert (len(rows[0]), len(rows)) == (1000, 600)
    assert [rows[round(y)][round(x)] for x, y in places] == [BLUE, GREEN, RED, BROWN]
    assert set(rows[-1]) == {"#fbfcfe"}


POINT = """{ const [left, top, wide, high] = box(data.spans[NUMBER]), at = canvas.getBoundingClientRect();
canvas.dispatchEvent(new PointerEvent("pointermove",
  { clientX: at.left + left + wide / 2, clientY: at.top + top + high / 2, bubbles: true }));
document.title = tip.style.display + ": " + tip.textContent; }
"""


def test_a_bar_that_is_pointed_at_says_what_it_is(browse: Browse) -> None:
    """Hover: the call, the thread, who asked, the times, what it was made in, and how it ended."""
    dump = browse(as_page(FEW), POINT.replace("NUMBER", "2"), "--dump-dom")
    assert told(dump).splitlines() == [
        "block: shop.charge",
        "function on thread worker",
        "asked for by loop at 4.00 ms",
        "queued 2.00 ms, ran 2.00 ms",
        "inside shop.checkout, which waited for it",
        "raised ValueError",
    ]


def test_what_was_abandoned_and_never_ended(browse: Browse) -> None:
    lines = told(browse(as_page(FEW), POINT.replace("NUMBER", "3"), "--dump-dom")).splitlines()
    assert lines[0] == "block: shop.notify"
    assert "queued 1.00 ms, ran on and on" in lines
    assert lines[-1] == "its caller stopped waiting"


def test_zooming_and_moving_stay_within_the_trace(browse: Browse) -> None:
    """The wheel keeps what is under the pointer; nothing leads beyond the beginning or the end."""
    script = """
    const wheel = by => canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: by, clientX: 600, cancelable: true }));
    const key = name => dispatchEvent(new KeyboardEvent("keydown", { key: name }));
    const said = [];
    wheel(-500); said.push(from > 0 && to < end); const wide = to - from;
    key("ArrowRight"); said.push(Math.abs(to - from - wide) < 1e-12);
    for (let n = 0; n < 50; n++) key("ArrowRight"); said.push(to === end);
    key("0"); said.push(from === 0 && to === end);
    for (let n = 0; n < 50; n++) wheel(-500); said.push(to - from > 0);
    canvas.dispatchEvent(new MouseEvent("dblclick")); said.push(from === 0 && to === end);
    document.title = JSON.stringify(said);
    """
    assert json.loads(told(browse(as_page(FEW), script, "--dump-dom"))) == [True] * 6


def test_names_cannot_break_out_of_the_page(browse: Browse) -> None:
    """A function's name is data, whatever stands in it."""
    name = "</script><script>document.title = 'broken'</script><b>&amp;"
    page = as_page([span(0, name, "<i>thread", 0.0, 0.1, 0.2)])
    lines = told(browse(page, POINT.replace("NUMBER", "0"), "--dump-dom")).splitlines()
    assert lines[0] == f"block: {name}"
    assert lines[1] == "function on thread <i>thread"


def test_a_page_of_nothing_and_a_page_of_much(browse: Browse) -> None:
    nothing = browse(as_page([]), "document.title = title.textContent + getComputedStyle(view).display", "--dump-dom")
    assert told(nothing) == "No crossings were recorded: none began through this bridge while it was watchednone"
    many = [span(n, f"f{n % 7}", f"thread-{n % 20}", n * 1e-4, n * 1e-4, n * 1e-4 + 3e-4) for n in range(20_000)]
    script = "document.title = document.querySelectorAll('#sums tr').length + ' ' + data.lanes.length"
    assert told(browse(as_page(many), script, "--dump-dom")) == "7 20"


def test_more_threads_than_a_screen_has_rows(browse: Browse) -> None:
    """The canvas stays as small as the window, since no browser has one for any height; the rows scroll below it."""
    many = [span(n, f"f{n}", f"thread-{n}", n * 1e-4, n * 1e-4, n * 1e-4 + 3e-4) for n in range(3000)]
    script = f"""
    const key = name => dispatchEvent(new KeyboardEvent("keydown", {{ key: name }}));
    const small = canvas.height < innerHeight * devicePixelRatio, before = view.scrollTop;
    key("ArrowDown"); const moved = view.scrollTop - before; view.scrollTop = 1e9; draw();
    {POINT.replace("NUMBER", "2999")}
    document.title = [small, moved, canvas.getBoundingClientRect().top === view.getBoundingClientRect().top + 1,
      tip.textContent.split("\\n")[0]].join();
    """
    assert told(browse(as_page(many), script, "--dump-dom")) == "true,26,true,f2999"


def test_what_is_in_sight_is_found_by_halving(browse: Browse) -> None:
    """Of a lane, the spans from the first that has not ended before the window to the last asked for in it."""
    lane = [span(n, f"f{n}", "worker", n, n + 0.25, n + 0.75) for n in range(100)]
    lane.append(span(100, "f100", "worker", 100.0, 100.25, None))
    script = """
    const seen = (start, until) => [...between(data.lanes[0], start, until)].map(span => span.number);
    const windows = [[10.5, 12.1], [10.75, 10.8], [10.8, 10.9], [200, 201], [-5, -4]];
    document.title = JSON.stringify(windows.map(([start, until]) => seen(start, until)));
    """
    found = [[10, 11, 12], [10], [], [], []]
    assert json.loads(told(browse(as_page(lane), script, "--dump-dom"))) == found


def test_of_many_bars_in_one_place_each_colour_is_drawn(browse: Browse) -> None:
    """Bars too narrow to be told apart are drawn once, but one that raised is not hidden by its neighbours."""
    many = [span(n, "f", "worker", n, n, n + 1, error="KeyError" if n == 5000 else None) for n in range(10_000)]
    script = """
    const drawn = []; ink.fill = () => drawn.push(ink.fillStyle); draw();
    document.title = [drawn.length < 3000, drawn.filter(paint => paint === "#b8433a").length].join();
    """
    assert told(browse(as_page(many), script, "--dump-dom")) == "true,1"


def test_dragging_moves_and_two_fingers_zoom(browse: Browse) -> None:
    """What is under a finger stays under it."""
    script = """
    const said = [], rect = canvas.getBoundingClientRect();
    const touch = (type, id, x) => canvas.dispatchEvent(new PointerEvent(type, {
      pointerId: id, pointerType: "touch", clientX: rect.left + x, clientY: rect.top + 60, bubbles: true }));
    look(end * .25, end * .75); const there = time(400);
    touch("pointerdown", 1, 400); touch("pointermove", 1, 500); said.push(Math.abs(time(500) - there) < 1e-9);
    const wide = to - from; touch("pointerdown", 2, 700); touch("pointermove", 2, 900);
    said.push(to - from < wide * .6); touch("pointerup", 1, 500); touch("pointerup", 2, 900);
    const rest = from; touch("pointermove", 1, 600); said.push(from === rest, drag === null);
    document.title = JSON.stringify(said);
    """
    assert json.loads(told(browse(as_page(FEW), script, "--dump-dom"))) == [True] * 4


def test_a_long_name_leaves_room_for_the_time(browse: Browse) -> None:
    """A thread's name has a third of the width at most; its end is kept, where the threads of a pool differ."""
    page = as_page([span(0, "f", "pool-with-a-name-of-many-words" * 9 + "-17", 0.0, 0.0, 1.0)])
    script = "const name = clip(data.lanes[0].thread, gutter - 14); document.title = [gutter <= 334, name].join()"
    fits, _, name = told(browse(page, script, "--dump-dom")).partition(",")
    assert fits == "true"
    assert name.startswith("…")
    assert name.endswith("-17")


def test_nothing_is_asked_for_from_elsewhere() -> None:
    """The page is self-contained: no address, no import, no style sheet of others."""
    page = as_page(FEW)
    assert not re.search(r"""https?://|src=|<link|@import|url\(|fetch\(|XMLHttp""", page)
