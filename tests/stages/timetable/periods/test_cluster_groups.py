"""Which clusters can be solved at the same time."""

import numpy as np
from schoolbell.stages.timetable import Course, Curriculum, Instance, Room
from schoolbell.stages.timetable.periods.cluster_groups import independent_groups


def chain():
    """Courses 0 to 5, each in conflict with the next."""
    courses = tuple(Course(f"c{i}", f"t{i}", 1, 1, 10) for i in range(6))
    curricula = tuple(Curriculum(f"q{i}", (f"c{i}", f"c{i + 1}")) for i in range(5))
    return Instance("chain", 1, 4, courses, (Room("r", 10),), curricula)


def test_no_two_of_a_group_conflict_and_all_have_a_group():
    groups = independent_groups(chain(), [np.array([i]) for i in range(6)], most=8)
    assert sorted(cluster for group in groups for cluster in group) == list(range(6))
    for group in groups:
        assert all(b - a > 1 for a, b in zip(sorted(group), sorted(group)[1:], strict=False))
    assert len(groups) == 2


def test_a_group_is_no_larger_than_asked():
    groups = independent_groups(chain(), [np.array([i]) for i in range(6)], most=2)
    assert max(map(len, groups)) == 2
    assert sum(map(len, groups)) == 6
