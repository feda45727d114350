"""Instances: building, checking, reading, writing, and their arrays."""

import pickle
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from schoolbell.stages.timetable import (
    Course,
    Curriculum,
    FormatError,
    Instance,
    InstanceError,
    Room,
    TimetableError,
)

PUBLIC_INSTANCES = 48


def small(**changes):
    """Two days of three timeslots, three courses, two rooms, one curriculum."""
    arguments = {
        "name": "small",
        "days": 2,
        "periods_per_day": 3,
        "courses": [
            Course("maths", "Noether", 2, 2, 30),
            Course("physics", "Meitner", 1, 1, 20, double_lectures=True),
            Course("logic", "Noether", 3, 1, 10),
        ],
        "rooms": [Room("large", 40, 1), Room("small", 15, 2)],
        "curricula": [Curriculum("first", ("maths", "physics"))],
        "unavailability": [("physics", 1, 2), ("maths", 0, 0)],
        "room_constraints": [("maths", "small")],
        "min_daily_lectures": 1,
        "max_daily_lectures": 2,
    }
    return Instance(**arguments | changes)


def test_every_shared_file_is_the_same_after_writing_and_reading(cbctt, tmp_path):
    files = sorted(cbctt.glob("*.*tt"))
    assert len(files) == PUBLIC_INSTANCES
    for file in files:
        instance = Instance.read(file)
        target = tmp_path / file.name
        instance.write(target)
        again = Instance.read(target)
        assert again == instance
        assert hash(again) == hash(instance)


def test_a_ctt_file_survives_the_way_through_ectt(cbctt, tmp_path):
    for file in sorted(cbctt.glob("*.ctt")):
        instance = Instance.read(file)
        instance.write(tmp_path / "extended.ectt")
        extended = Instance.read(tmp_path / "extended.ectt")
        assert extended == instance
        extended.write(tmp_path / "again.ctt")
        assert Instance.read(tmp_path / "again.ctt") == instance


def test_without_extensions_an_ectt_instance_is_its_ctt_twin(cbctt):
    for file in sorted(cbctt.glob("*.ctt")):
        extended = Instance.read(file.with_suffix(".ectt"))
        assert extended != Instance.read(file)
        assert extended.without_extensions() == Instance.read(file)


def test_writing_ctt_refuses_to_lose_anything_and_names_it(tmp_path):
    target = tmp_path / "kept.ctt"
    target.write_text("as it was")
    with pytest.raises(TimetableError) as error:
        small().write(target)
    for lost in ("double-lecture flags", "buildings", "room constraints", "daily minimum"):
        assert lost in str(error.value)
    assert target.read_text() == "as it was"
    assert [path.name for path in tmp_path.iterdir()] == ["kept.ctt"]


@pytest.mark.parametrize(
    ("change", "lost"),
    [
        ({"room_constraints": [("logic", "small")]}, "room constraints"),
        ({"min_daily_lectures": 1}, "daily minimum"),
        ({"rooms": [Room("large", 40, "B")]}, "buildings"),
        ({"courses": [Course("logic", "Noether", 3, 1, 10, True)]}, "double-lecture flags"),
    ],
)
def test_writing_ctt_names_only_what_is_lost(tmp_path, change, lost):
    plain = {
        "courses": [Course("logic", "Noether", 3, 1, 10)],
        "rooms": [Room("small", 15)],
        "curricula": [],
        "unavailability": [],
        "room_constraints": [],
        "min_daily_lectures": None,
        "max_daily_lectures": None,
    }
    small(**plain).write(tmp_path / "plain.ctt")
    with pytest.raises(TimetableError, match=lost) as error:
        small(**plain | change).write(tmp_path / "plain.ctt")
    assert "," not in str(error.value).partition(";")[0]


def test_writing_needs_a_known_suffix(tmp_path):
    with pytest.raises(TimetableError, match=r"\.txt"):
        small().write(tmp_path / "instance.txt")


def test_text_and_file_are_the_same(tmp_path):
    small().write(tmp_path / "small.ectt")
    assert (tmp_path / "small.ectt").read_text() == small().dumps()
    assert Instance.loads(small().dumps()) == small()


def test_errors_of_a_text_name_no_file():
    with pytest.raises(FormatError, match=r"<text>:1"):
        Instance.loads("nonsense")


def test_equality_is_by_content():
    assert small() == small()
    assert hash(small()) == hash(small())
    assert small() != small(name="other")
    assert small() != small(rooms=small().rooms[::-1])
    assert small() != small(min_daily_lectures=0)
    assert small() != small(unavailability=[])


def test_order_and_repetition_of_constraints_do_not_count():
    periods = [("maths", 0, 0), ("physics", 1, 2), ("maths", 0, 0)]
    assert small(unavailability=periods) == small()
    pairs = [("maths", "small")] * 3
    assert small(room_constraints=pairs) == small()


def test_no_daily_bounds_bound_nothing():
    instance = small(min_daily_lectures=None, max_daily_lectures=None)
    assert (instance.min_load, instance.max_load) == (0, 3)


def test_arrays_describe_the_instance():
    instance = small()
    sizes = (instance.n_courses, instance.n_rooms, instance.n_curricula)
    assert sizes == (3, 2, 1)
    assert (instance.n_lectures, instance.n_periods) == (6, 6)
    expected = {
        "course_lectures": [2, 1, 3],
        "course_min_days": [2, 1, 1],
        "course_students": [30, 20, 10],
        "course_teacher": [0, 1, 0],
        "course_starts": [0, 2, 3, 6],
        "lecture_course": [0, 0, 1, 2, 2, 2],
        "room_capacity": [40, 15],
        "room_building": [0, 1],
        "curriculum_starts": [0, 2],
        "curriculum_courses": [0, 1],
        "course_curricula_starts": [0, 1, 2, 2],
        "course_curricula": [0, 0],
        "conflict_starts": [0, 2, 3, 4],
        "conflict_courses": [1, 2, 0, 0],
    }
    for name, values in expected.items():
        array = getattr(instance, name)
        assert array.dtype == np.int32, name
        assert array.tolist() == values, name
    assert instance.course_double.tolist() == [False, True, False]
    assert np.argwhere(~instance.available).tolist() == [[0, 0], [1, 5]]
    assert np.argwhere(~instance.suitable).tolist() == [[0, 1]]
    assert (instance.min_load, instance.max_load) == (1, 2)


def test_conflicts_are_the_pairs_with_a_common_teacher_or_curriculum(cbctt):
    instance = Instance.read(cbctt / "comp05.ectt")
    groups = [set(curriculum.courses) for curriculum in instance.curricula]
    for c, course in enumerate(instance.courses):
        expected = [
            d
            for d, other in enumerate(instance.courses)
            if d != c
            and (
                other.teacher == course.teacher
                or any({course.id, other.id} <= group for group in groups)
            )
        ]
        first, last = instance.conflict_starts[c : c + 2]
        assert instance.conflict_courses[first:last].tolist() == expected


def test_curricula_of_courses_are_the_transpose(cbctt):
    instance = Instance.read(cbctt / "comp05.ectt")
    for c, (first, last) in enumerate(pairwise(instance.course_curricula_starts)):
        expected = [
            q
            for q, curriculum in enumerate(instance.curricula)
            if instance.courses[c].id in curriculum.courses
        ]
        assert instance.course_curricula[first:last].tolist() == expected


def test_an_instance_without_curricula_and_constraints_has_arrays():
    instance = small(curricula=[], unavailability=[], room_constraints=[])
    assert instance.curriculum_starts.tolist() == [0]
    assert instance.course_curricula_starts.tolist() == [0, 0, 0, 0]
    assert instance.conflict_courses.tolist() == [2, 0]
    assert instance.available.all()
    assert instance.suitable.all()


def test_arrays_cannot_be_written():
    instance = small()
    for array in (instance.available, instance.course_lectures, instance.conflict_courses):
        with pytest.raises(ValueError, match="read-only"):
            array[:] = 0


def test_a_pickled_instance_is_the_same_and_still_cannot_be_written():
    instance = small()
    assert instance.conflict_courses.size
    again = pickle.loads(pickle.dumps(instance))
    assert again == instance
    assert not again.conflict_courses.flags.writeable


def test_real_files_may_ask_for_more_days_than_there_are():
    courses = [Course("maths", "Noether", 1, 9, 30)]
    instance = small(courses=courses, curricula=[], unavailability=[], room_constraints=[])
    assert instance.course_min_days.tolist() == [9]


@pytest.mark.parametrize(
    ("change", "found"),
    [
        ({"days": 0}, "days 0"),
        ({"days": 10**9}, "days 1000000000"),
        ({"periods_per_day": -1}, "periods_per_day -1"),
        ({"periods_per_day": 2.5}, "periods_per_day 2.5"),
        ({"courses": []}, "number of courses 0"),
        ({"rooms": []}, "number of rooms 0"),
        ({"rooms": 3}, "rooms 3"),
        ({"rooms": ["large"]}, "'large' in rooms"),
        ({"rooms": [Room("small", 1), Room("small", 2)]}, "id small twice in rooms"),
        ({"courses": small().courses * 2}, "id maths twice in courses"),
        ({"curricula": small().curricula * 2}, "id first twice in curricula"),
        ({"courses": [Course("maths", "Noether", 7, 1, 5)]}, "7 lectures of course maths"),
        ({"curricula": [Curriculum("q", ("maths", "art"))]}, "unknown course 'art'"),
        ({"unavailability": [("art", 0, 0)]}, "unknown course 'art'"),
        ({"unavailability": [("maths", 2, 0)]}, "day 2"),
        ({"unavailability": [("maths", 0, 3)]}, "timeslot 3"),
        ({"unavailability": [("maths", -1, 0)]}, "day -1"),
        ({"unavailability": [("maths", 0)]}, "('maths', 0)"),
        ({"unavailability": "maths"}, "'maths'"),
        ({"room_constraints": [("maths", "attic")]}, "unknown room 'attic'"),
        ({"room_constraints": [("art", "small")]}, "unknown course 'art'"),
        ({"min_daily_lectures": 3}, "daily minimum of 3"),
        ({"max_daily_lectures": -1}, "max_daily_lectures -1"),
        ({"name": "two\nlines"}, "name"),
        ({"name": " padded"}, "name"),
    ],
)
def test_impossible_parts_are_refused(change, found):
    with pytest.raises(InstanceError) as error:
        small(**change)
    assert found in error.value.found
    assert error.value.expected


@pytest.mark.parametrize(
    ("build", "found"),
    [
        (lambda: Course("", "t", 1, 1, 1), "course id ''"),
        (lambda: Course("a b", "t", 1, 1, 1), "course id 'a b'"),
        (lambda: Course("a\u2028b", "t", 1, 1, 1), "course id"),
        (lambda: Course(3, "t", 1, 1, 1), "course id 3"),
        (lambda: Course("c", "", 1, 1, 1), "teacher"),
        (lambda: Course("c", "t", 0, 1, 1), "lectures of course c 0"),
        (lambda: Course("c", "t", 1, -1, 1), "min_working_days of course c -1"),
        (lambda: Course("c", "t", 1, 1, -1), "students of course c -1"),
        (lambda: Course("c", "t", 1, 1, 1, 2), "double_lectures of course c 2"),
        (lambda: Room("r", -1), "capacity of room r -1"),
        (lambda: Room("r", 10**12), "capacity of room r"),
        (lambda: Room("r", 1, "A B"), "building"),
        (lambda: Curriculum("q", ()), "no course"),
        (lambda: Curriculum("q", ("a", "b", "a")), "course a twice"),
        (lambda: Curriculum("q", "abc"), "'abc'"),
    ],
)
def test_impossible_values_are_refused(build, found):
    with pytest.raises(InstanceError) as error:
        build()
    assert found in error.value.found


def test_numpy_numbers_become_plain_ones():
    course = Course("c", "t", np.int64(2), np.int32(1), np.int64(9), np.bool_(True))
    assert course == Course("c", "t", 2, 1, 9, True)
    assert type(course.lectures) is int
    assert type(course.double_lectures) is bool


def test_tables_beyond_memory_are_refused_at_once():
    courses = [Course(f"c{k}", f"t{k}", 1, 1, 1) for k in range(10_000)]
    with pytest.raises(InstanceError, match="courses by periods"):
        Instance("large", 366, 288, courses, [Room("r", 1)])


def test_more_conflicts_than_memory_takes_are_refused_at_once():
    courses = [Course(f"c{k}", "t", 1, 1, 1) for k in range(10_000)]
    with pytest.raises(InstanceError, match="pairs of courses"):
        Instance("large", 5, 5, courses, [Room("r", 1)])


def test_a_changed_copy_is_checked_again():
    assert replace(small(), name="other").name == "other"
    with pytest.raises(InstanceError):
        replace(small(), days=0)
