"""A timetable by course and period."""

import numpy as np
from schoolbell.stages.timetable import Solution
from schoolbell.stages.timetable.periods.draft import Draft
from schoolbell.stages.timetable.search.building.greedy import greedy_timetable


def test_a_solution_goes_through_unchanged(instance):
    arrays = greedy_timetable(instance, np.random.default_rng(0))
    draft = Draft.of_lectures(instance, *arrays)
    assert draft.solution() == Solution.of_lectures(instance, *arrays)
    assert draft.missing == (arrays[0] < 0).sum()


def test_only_lectures_that_stay_keep_their_rooms(instance):
    draft = Draft.of_lectures(instance, *greedy_timetable(instance, np.random.default_rng(0)))
    course = int(np.flatnonzero(draft.placed.any(axis=1))[0])
    moved = np.roll(draft.placed[[course]], 1, axis=1)
    changed = draft.change(np.array([course]), moved)
    others = np.arange(instance.n_courses) != course
    assert (changed.rooms[others] == draft.rooms[others]).all()
    new = moved[0] & ~draft.placed[course]
    assert (changed.rooms[course][new] == -1).all()
    assert changed.missing == draft.missing + new.sum()
