"""Spans in lanes: a table of layouts, and the rule that holds for all."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from asgikit.trace import Span
from asgikit.trace._lanes import end_of, lay_out
from tests.trace.spans import FEW, span

Lanes = list[tuple[str, list[int]]]


@pytest.mark.parametrize(
    ("spans", "lanes"),
    [
        ([], []),
        ([span(0, "f", None, 0.0)], []),
        ([span(0, "f", "a", 0, 1, 2), span(1, "g", "a", 0, 2, 3)], [("a", [0, 1])]),
        ([span(0, "f", "a", 0, 1, 3), span(1, "g", "a", 0, 2, 3)], [("a", [0]), ("a", [1])]),
        ([span(0, "f", "a", 0, 1, None), span(1, "g", "a", 0, 2, 3)], [("a", [0]), ("a", [1])]),
        ([span(0, "f", "b", 0, 2, 3), span(1, "g", "a", 0, 1, 3)], [("a", [1]), ("b", [0])]),
        (
            [span(0, "f", "a", 0, 1, 9), span(1, "g", "a", 0, 2, 3), span(2, "h", "a", 0, 4, 5)],
            [("a", [0]), ("a", [1, 2])],
        ),
        (FEW, [("loop", [0]), ("worker", [1, 2]), ("other", [3])]),
    ],
    ids=["nothing", "never begun", "in turn", "nested", "unfinished", "by first start", "first free lane", "a few"],
)
def test_layouts(spans: list[Span], lanes: Lanes) -> None:
    assert [(lane.thread, [span.number for span in lane.spans]) for lane in lay_out(spans)] == lanes


def test_the_end_is_the_last_moment_and_never_nothing() -> None:
    assert end_of([]) == 1e-6
    assert end_of([span(0, "f", None, 5.0)]) == 5.0
    assert end_of(FEW) == 0.010


times = st.integers(0, 20).map(float)


@given(st.lists(st.tuples(times, times, st.one_of(st.none(), times), st.sampled_from("ab")), max_size=20))
def test_no_two_spans_of_a_lane_overlap(drawn: list[tuple[float, float, float | None, str]]) -> None:
    spans = [
        span(n, "f", thread, queued, queued + wait, None if ran is None else queued + wait + ran)
        for n, (queued, wait, ran, thread) in enumerate(drawn)
    ]
    lanes = lay_out(spans)
    assert sorted(span.number for lane in lanes for span in lane.spans) == list(range(len(spans)))
    for lane in lanes:
        assert {span.thread for span in lane.spans} == {lane.thread}
        for one, following in zip(lane.spans, lane.spans[1:], strict=False):
            assert following.started is not None
            assert (end_of(spans) if one.finished is None else one.finished) <= following.started
