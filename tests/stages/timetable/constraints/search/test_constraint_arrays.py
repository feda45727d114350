"""What the search knows of constraints, all in one room."""

import re
from dataclasses import fields
from pathlib import Path

import numpy as np
from schoolbell.stages.timetable import Formulation, generate
from schoolbell.stages.timetable.constraints.registry import SOFT
from schoolbell.stages.timetable.constraints.search.constraint_arrays import ConstraintArrays
from schoolbell.stages.timetable.search import build_search_problem, search_problem

SEARCH = Path(search_problem.__file__).parent
FIELDS = {one.name: re.sub(r"(?<!^)(?=[A-Z])", "_", one.name).lower() for one in SOFT}


def test_no_move_and_no_repair_knows_a_soft_constraint_by_name():
    weights = set(FIELDS.values()) & {field.name for field in fields(ConstraintArrays)}
    assert {"min_working_days", "room_stability", "travel_distance", "double_lectures"} <= weights
    used = re.compile(rf"problem\.({'|'.join(sorted(weights))})\b")
    sources = [*SEARCH.glob("*.py"), *(SEARCH / "repairing").glob("*.py")]
    assert not [path.name for path in sources if used.search(path.read_text(encoding="utf-8"))]


def test_a_formulation_has_the_weights_that_it_names_and_none_of_the_others():
    instance = generate(20, seed=1)
    for name in ("UD1", "UD2", "UD3", "UD4", "UD5"):
        formulation = Formulation.of(name)
        problem = build_search_problem(instance, formulation)
        weights = {
            one: getattr(problem, field) for one, field in FIELDS.items() if hasattr(problem, field)
        }
        assert len(weights) > 5
        assert {one: weight for one, weight in weights.items() if weight} == {
            one: weight for one, weight in formulation.weights.items() if one in weights
        }


def test_what_moving_a_lecture_can_win_grows_by_each_constraint_that_counts():
    instance = generate(20, seed=1)
    less = build_search_problem(instance, Formulation("less", {"Windows": 1}))
    for name, least in (("RoomStability", 7), ("MinWorkingDays", 7), ("DoubleLectures", 0)):
        more = build_search_problem(instance, Formulation("more", {"Windows": 1, name: 7}))
        assert np.all(more.gain - less.gain >= least)
    slack = more.slack - less.slack
    assert np.array_equal(slack, np.where(instance.course_double, 7 * instance.course_lectures, 0))
