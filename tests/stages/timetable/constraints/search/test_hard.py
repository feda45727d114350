"""What moving one lecture changes."""

import numpy as np
import pytest
from schoolbell.stages.search.compiling import kernel
from schoolbell.stages.timetable import Formulation, generate
from schoolbell.stages.timetable.constraints.search.hard import in_conflict
from schoolbell.stages.timetable.search import build_search_problem, search_problem


@kernel
def all_pairs(problem, table):
    for c in range(len(table)):
        for d in range(len(table)):
            table[c, d] = in_conflict(problem, c, d)


@pytest.mark.parametrize("columns", [64, 4096])
def test_conflicts_are_exact_also_where_courses_share_columns(monkeypatch, columns):
    monkeypatch.setattr(search_problem, "MAX_COLUMNS", columns)
    instance = generate(150, seed=3)
    problem = build_search_problem(instance, Formulation.UD2)
    assert problem.conflict_bits.shape[1] == min(columns, 256) // 64
    expected = np.zeros((150, 150), np.int64)
    rows = np.repeat(np.arange(150), np.diff(instance.conflict_starts))
    expected[rows, instance.conflict_courses] = 1
    found = np.full((150, 150), -1, np.int64)
    all_pairs(problem, found)
    assert np.array_equal(found, expected)
