"""Where a run's best changed."""

from schoolbell.callbacks.recording.cost_curve import cost_curve


def row(elapsed, cost, violations=0):
    return {"elapsed": elapsed, "cost": cost, "violations": violations}


def test_only_changes_and_the_end_are_points():
    rows = [row(1, None), row(2, 9), row(3, 9), row(4, 5), row(5, 5), row(6, 5)]
    assert cost_curve(rows) == [(2, 9, 0), (4, 5, 0), (6, 5, 0)]


def test_fewer_violations_are_a_change_even_at_a_higher_cost():
    assert cost_curve([row(1, 5, 2), row(2, 8, 0)]) == [(1, 5, 2), (2, 8, 0)]


def test_rows_come_in_any_order_and_the_better_of_one_moment_is_the_later():
    assert cost_curve([row(3, 4), row(1, 6, 1), row(1, 9, 3)]) == [(1, 9, 3), (1, 6, 1), (3, 4, 0)]


def test_a_run_without_solutions_has_no_points():
    assert cost_curve([row(1, None), {"stage": "load"}]) == []
