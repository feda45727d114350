"""Kinds of faculties that generated instances consist of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Faculty:
    """How the courses of a faculty are distributed, as in the ITC-2007 instances.

    Attributes
    ----------
    share
        How often it occurs.
    weeks
        Probability of each number of days and of timeslots a day.
    lectures
        Probability of each number of lectures a week.
    group_size
        Fewest and most courses of a year of a programme.
    curricula_per_course
        Curricula of a year, relative to its courses.
    curriculum_size
        Fewest and most courses of a curriculum.
    from_other_years
        Probability that a curriculum has a course of another year, and, if so,
        that it has one more.
    cohort
        Median of the students of a year.
    unavailable_share
        Share of the teachers who are not always there.
    unavailable_periods
        Mean share of the week in which those are not there.
    """

    share: float
    weeks: dict[tuple[int, int], float]
    lectures: dict[int, float]
    group_size: tuple[int, int]
    curricula_per_course: float
    curriculum_size: tuple[int, int]
    from_other_years: float
    cohort: float
    unavailable_share: float
    unavailable_periods: float


ENGINEERING = Faculty(
    share=0.7,
    weeks={(5, 5): 0.9, (5, 6): 0.1},
    lectures={1: 0.01, 2: 0.02, 3: 0.79, 4: 0.01, 5: 0.08, 6: 0.02, 7: 0.07},
    group_size=(4, 9),
    curricula_per_course=0.55,
    curriculum_size=(3, 6),
    from_other_years=0.15,
    cohort=85.0,
    unavailable_share=0.67,
    unavailable_periods=0.36,
)
SCIENCES = Faculty(
    share=0.12,
    weeks={(5, 6): 0.5, (5, 9): 0.5},
    lectures={1: 0.05, 2: 0.07, 3: 0.06, 4: 0.05, 5: 0.22, 6: 0.42, 7: 0.06, 8: 0.04, 9: 0.03},
    group_size=(4, 6),
    curricula_per_course=0.3,
    curriculum_size=(2, 5),
    from_other_years=0.2,
    cohort=45.0,
    unavailable_share=0.25,
    unavailable_periods=0.3,
)
LETTERS = Faculty(
    share=0.18,
    weeks={(6, 6): 0.8, (5, 6): 0.2},
    lectures={1: 0.03, 2: 0.3, 3: 0.67},
    group_size=(7, 14),
    curricula_per_course=1.8,
    curriculum_size=(2, 6),
    from_other_years=0.65,
    cohort=60.0,
    unavailable_share=0.95,
    unavailable_periods=0.42,
)

FACULTIES = (ENGINEERING, SCIENCES, LETTERS)
"""The kinds; their shares add up to 1."""
