import numpy as np
import pytest
from schoolbell.stages.timetable import Instance, Solution, evaluate, generate_with_timetable
from schoolbell.stages.timetable.generation.crowding import crowd, scatter


@pytest.fixture(scope="module")
def generated() -> tuple[Instance, Solution]:
    return generate_with_timetable(40, seed=3, occupancy=0.9)


def conflicts(instance: Instance) -> int:
    return len(instance.conflict_courses)


def test_a_crowded_instance_has_less_room_and_the_same_feasible_timetable(generated) -> None:
    instance, solution = generated
    crowded = crowd(instance, solution, 0.5, 0.2, np.random.default_rng(1))
    assert crowded.available.sum() < 0.8 * instance.available.sum()
    assert conflicts(crowded) > 1.2 * conflicts(instance)
    again = Solution(crowded, solution.courses, solution.periods, solution.rooms)
    assert evaluate(again, "UD2").violations == 0


def test_nothing_barred_or_linked_leaves_the_constraints_as_they_are(generated) -> None:
    instance, solution = generated
    crowded = crowd(instance, solution, 0.0, 0.0, np.random.default_rng(1))
    np.testing.assert_array_equal(crowded.available, instance.available)
    assert conflicts(crowded) == conflicts(instance)


@pytest.mark.parametrize("part", [0.0, 0.4, 1.0])
def test_the_part_that_is_thrown_conflicts_and_the_rest_stays(generated, part: float) -> None:
    instance, solution = generated
    before, _ = solution.lecture_arrays()
    periods, rooms = scatter(instance, solution, part, np.random.default_rng(2))
    placed = periods >= 0
    cells = periods[placed] * instance.n_rooms + rooms[placed]
    assert len(np.unique(cells)) == len(cells)
    assert instance.available[instance.lecture_course[placed], periods[placed]].all()
    stayed = np.mean(periods == before)
    assert stayed == pytest.approx(1.0 - part, abs=0.15)
    violations = evaluate(Solution.of_lectures(instance, periods, rooms), "UD2").violations
    assert (violations > 0) == (part > 0)


def test_lectures_without_a_place_are_thrown_too(generated) -> None:
    instance, solution = generated
    half = Solution(instance, solution.courses[::2], solution.periods[::2], solution.rooms[::2])
    periods, _ = scatter(instance, half, 0.0, np.random.default_rng(2))
    assert (periods >= 0).sum() > 0.7 * instance.n_lectures
