"""Generated instances."""

import numpy as np
import pytest
from schoolbell.stages.timetable import (
    Instance,
    TimetableError,
    evaluate,
    generate,
    generate_with_timetable,
)


@pytest.mark.parametrize("courses", [1, 2, 3, 9, 30, 100, 400])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_hidden_timetable_breaks_no_hard_constraint(courses, seed):
    instance, timetable = generate_with_timetable(courses, seed)
    assert instance.n_courses == courses
    assert len(timetable) == instance.n_lectures
    # UD4 has the most hard constraints.
    assert evaluate(timetable, "UD4").violations == 0


@pytest.mark.parametrize("occupancy", [0.3, 0.9, 1.0])
def test_a_week_can_be_as_full_as_asked(occupancy):
    instance, timetable = generate_with_timetable(120, seed=4, occupancy=occupancy)
    assert evaluate(timetable, "UD4").violations == 0
    rooms = instance.n_lectures / (occupancy * instance.n_periods)
    assert rooms <= instance.n_rooms < rooms + 1


def test_the_same_seed_gives_the_same_instance():
    assert generate_with_timetable(60, seed=5) == generate_with_timetable(60, seed=5)
    assert generate(60, seed=5) == generate_with_timetable(60, seed=5)[0]
    assert generate(60, seed=5).dumps() != generate(60, seed=6).dumps()


def test_fifty_thousand_lectures_are_generated_with_a_proof():
    instance, timetable = generate_with_timetable(14_000, seed=1)
    assert 45_000 <= instance.n_lectures <= 55_000
    assert evaluate(timetable, "UD4").violations == 0


def test_generated_instances_are_written_and_read(tmp_path):
    instance = generate(50, seed=7)
    instance.write(tmp_path / "generated.ectt")
    assert Instance.read(tmp_path / "generated.ectt") == instance
    plain = instance.without_extensions()
    plain.write(tmp_path / "generated.ctt")
    assert Instance.read(tmp_path / "generated.ctt") == plain


def figures(instance: Instance) -> dict[str, float]:
    """What characterises an instance of the family."""
    sizes = np.diff(instance.curriculum_starts)
    away = np.count_nonzero(~instance.available, axis=1)
    fits = instance.course_students[:, None] <= instance.room_capacity
    cells = instance.n_rooms * instance.n_periods
    return {
        "lectures per course": instance.n_lectures / instance.n_courses,
        "lectures of a course": instance.course_lectures.max(),
        "curricula per course": instance.n_curricula / instance.n_courses,
        "courses of a curriculum": sizes.mean(),
        "smallest curriculum": sizes.min(),
        "largest curriculum": sizes.max(),
        "curricula of a course": np.diff(instance.course_curricula_starts).mean(),
        "courses in no curriculum": np.mean(np.diff(instance.course_curricula_starts) == 0),
        "conflicts of a course": np.diff(instance.conflict_starts).mean(),
        "courses per teacher": instance.n_courses / (instance.course_teacher.max() + 1),
        "room occupancy": instance.n_lectures / cells,
        "courses with unavailable periods": np.mean(away > 0),
        "share of unavailable periods": np.mean(away) / instance.n_periods,
        "median of students": np.median(instance.course_students),
        "courses that fit no room": np.mean(~fits.any(axis=1)),
        "rooms that a course fits": fits.mean(),
        "unsuitable rooms per course": np.mean(np.sum(~instance.suitable, axis=1)),
        "minimum of working days": np.mean(instance.course_min_days / instance.course_lectures),
        "courses with double lectures": instance.course_double.mean(),
    }


def test_generated_instances_lie_in_the_range_of_the_competition_ones(cbctt):
    family = [figures(Instance.read(file)) for file in sorted(cbctt.glob("comp*.ectt"))]
    for seed in range(12):
        generated = figures(generate(90, seed=seed))
        for name, value in generated.items():
            values = [each[name] for each in family]
            spread = max(values) - min(values)
            assert min(values) - 0.35 * spread <= value <= max(values) + 0.35 * spread, (
                seed,
                name,
            )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"courses": 0}, "courses 0"),
        ({"courses": 20_001}, "courses 20001"),
        ({"courses": 2.5}, "courses 2.5"),
        ({"courses": 5, "seed": -1}, "seed -1"),
        ({"courses": 5, "occupancy": 0}, "occupancy"),
        ({"courses": 5, "occupancy": 1.1}, "occupancy"),
        ({"courses": 5, "occupancy": float("nan")}, "occupancy"),
    ],
)
def test_impossible_parameters_are_refused(arguments, message):
    with pytest.raises(TimetableError, match=message):
        generate(**arguments)
