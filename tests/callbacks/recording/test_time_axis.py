"""The axis under the curve of a cost."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st
from schoolbell.callbacks.recording.cost_curve import CurvePoint
from schoolbell.callbacks.recording.time_axis import left_out, shown_from, spread


def test_a_long_wait_for_the_first_solution_is_left_out():
    points = [CurvePoint(33.0, 9, 0), CurvePoint(36.0, 3, 0)]
    assert 32 < shown_from(points, 36.0) < 33
    assert left_out([("load", 0.0, 31.0), ("ga", 31.0, 36.0)], 32.0) == ["load"]


def test_a_short_wait_is_shown():
    assert shown_from([CurvePoint(1.0, 9, 0), CurvePoint(36.0, 3, 0)], 36.0) == 0.0
    assert shown_from([], 5.0) == 0.0


def test_a_solution_at_the_very_end_leaves_an_axis():
    assert 0 < shown_from([CurvePoint(5.0, 9, 0)], 5.0) < 5.0


@given(
    st.lists(st.tuples(st.floats(0, 1), st.floats(0.01, 0.1)), min_size=1, max_size=10).map(sorted)
)
def test_labels_never_overlap_and_stay_within(labels):
    widths = [width for _, width in labels]
    places = spread([centre for centre, _ in labels], widths, 0.0, 1.0)
    edges = [(p - w / 2, p + w / 2) for p, w in zip(places, widths, strict=True)]
    assert all(right <= left + 1e-9 for (_, right), (left, _) in pairwise(edges))
    assert edges[0][0] >= -1e-9
    assert edges[-1][1] <= 1 + 1e-9


def test_a_label_with_room_stays_where_it_would_like_to_be():
    assert spread([0.2, 0.8], [0.1, 0.1], 0.0, 1.0) == [0.2, 0.8]
