import pickle

import numpy as np
import pytest
from schoolbell.stages.university import (
    Configuration,
    Course,
    CourseClass,
    Distribution,
    Instance,
    InstanceError,
    Room,
    RoomOption,
    Student,
    Subpart,
    Time,
    TimetableError,
    Weights,
)


def test_what_is_written_is_read_again(university, tmp_path):
    instance = university()
    assert Instance.loads(instance.dumps()) == instance
    for suffix in (".xml", ".xml.gz"):
        file = tmp_path / f"small{suffix}"
        instance.write(file)
        assert Instance.read(file) == instance
    assert file.read_bytes()[:2] == b"\x1f\x8b"


def test_another_suffix_is_refused(university, tmp_path):
    with pytest.raises(TimetableError, match=r"expected \.xml or \.xml\.gz"):
        university().write(tmp_path / "small.json")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["muni-fi-spr17", "tg-fal17"])
def test_a_real_instance_is_read_written_and_read_the_same(itc2019, tmp_path, name):
    instance = Instance.read(itc2019 / f"{name}.xml.gz")
    instance.write(tmp_path / "copy.xml")
    assert Instance.read(tmp_path / "copy.xml") == instance
    assert instance.name == name


def test_progress_is_told_while_a_file_is_read(itc2019):
    parts = []
    Instance.read(itc2019 / "yach-fal17.xml.gz", parts.append)
    assert len(parts) > 3
    assert parts == sorted(parts)
    assert parts[-1] == 1.0


def test_tables_hold_the_options_class_by_class(university):
    tables = university().tables
    assert tables.time_starts.tolist() == [0, 3, 5, 8, 11, 13]
    assert tables.days[:3].tolist() == [0b001, 0b010, 0b101]
    assert tables.weeks[2] == 0b0101
    assert (tables.start[2], tables.end[2], tables.time_penalty[2]) == (10, 13, 4)
    assert tables.room.tolist() == [0, 1, 1, 0]
    assert tables.room_penalty.tolist() == [2, 0, 0, 5]
    assert tables.parent.tolist() == [-1, 0, 0, -1, -1]
    assert tables.subpart.tolist() == [0, 1, 1, 2, 3]
    assert tables.configuration.tolist() == [0, 0, 1, 2]
    assert tables.course.tolist() == [0, 1, 1]
    assert tables.closed_start.tolist() == [9]
    assert tables.travel.tolist() == [[0, 1, 0], [1, 0, 0], [0, 0, 0]]
    with pytest.raises(ValueError, match="read-only"):
        tables.days[0] = 1


def test_an_instance_is_pickled_without_its_tables(university):
    instance = university()
    _ = instance.tables
    copy = pickle.loads(pickle.dumps(instance))
    assert copy == instance
    assert "tables" not in vars(copy)
    assert np.array_equal(copy.tables.days, instance.tables.days)


def test_travel_may_be_said_on_both_sides_but_not_differently(university):
    assert university(travel=(("hall", "lab", 1), ("lab", "hall", 1))) == university()
    with pytest.raises(InstanceError, match="found travel 2 between rooms lab and hall"):
        university(travel=(("hall", "lab", 1), ("lab", "hall", 2)))


def test_travel_may_come_one_by_one(university):
    rows = [("hall", "lab", 1), ("lab", "hall", 1)]
    assert university(travel=iter(rows)) == university()
    with pytest.raises(InstanceError, match="found travel 2 between rooms lab and hall"):
        university(travel=iter([rows[0], ("lab", "hall", 2)]))


def test_a_time_is_made_from_numbers():
    assert Time.on([0, 2], 96, 12, range(0, 6, 2), 6, penalty=3) == Time(
        "1010000", 96, 12, "101010", 3
    )
    with pytest.raises(InstanceError, match="found week 6, expected 0 to 5"):
        Time.on([0], 96, 12, [6], 6)


def test_a_room_of_a_class_may_be_a_pair():
    time = Time("1000000", 1, 1, "1")
    assert CourseClass("a", 1, (time,), (("r", 3),)).rooms == (RoomOption("r", 3),)


def test_statistics_count_the_parts(university):
    statistics = university().statistics()
    assert statistics["classes"] == 5
    assert statistics["classes_without_room"] == 2
    assert statistics["demands"] == 3
    assert statistics["options_per_class"] == pytest.approx((6 + 2 + 3 + 3 + 2) / 5)
    # 2 + 2 + 2 slots, 4 weeks, of 2 rooms, 4 weeks, 3 days of the slots 8 to 12.
    assert statistics["utilisation"] == pytest.approx(6 * 4 / (2 * 4 * 3 * 5))


TIME = Time("100", 8, 2, "1111")


def course(*classes, name="c"):
    subparts = tuple(Subpart(f"s{k}", (one,)) for k, one in enumerate(classes))
    return Course(name, (Configuration("k", subparts),))


WRONG = {
    "found week": lambda u: u(weeks=0),
    "found 5 characters": lambda u: u(weeks=5),
    "weights": lambda u: u(weights=(1, 2, 3, 4)),
    "no courses": lambda u: u(courses=()),
    "unknown class 'lectur' of SameDays, expected the id of a class; did you mean 'lecture'": (
        lambda u: u(distributions=(Distribution("SameDays", ("lectur",)),))
    ),
    "unknown course": lambda u: u(students=(Student("x", ("maths",)),)),
    "unknown room": lambda u: u(rooms=(Room("hall"),)),
    "a second student 'x'": lambda u: u(students=(Student("x", ()), Student("x", ()))),
    "a second class 'a'": lambda u: u(
        courses=(course(CourseClass("a", 1, (TIME,)), CourseClass("a", 1, (TIME,))),),
        distributions=(),
        students=(),
    ),
    "class a as a parent of itself": lambda u: u(
        courses=(
            course(
                CourseClass("a", 1, (TIME,), parent="b"), CourseClass("b", 1, (TIME,), parent="a")
            ),
        ),
        distributions=(),
        students=(),
    ),
    "parent 'z' of class a": lambda u: u(
        courses=(course(CourseClass("a", 1, (TIME,), parent="z")),), distributions=(), students=()
    ),
    "found distribution 'SameDay'": lambda u: Distribution("SameDay", ()),
    "found 0 parameters": lambda u: Distribution("WorkDay", ()),
    "found 2 parameters": lambda u: Distribution("WorkDay(1,2)", ()),
    "a class of SameRoom twice": lambda u: Distribution("SameRoom", ("a", "a")),
    "a course of student x twice": lambda u: Student("x", ("a", "a")),
    "0 times": lambda u: CourseClass("a", 1, ()),
    "a second time of class a": lambda u: CourseClass("a", 1, (TIME, Time("100", 8, 3, "1111"))),
    "a room of class a twice": lambda u: CourseClass("a", 1, (TIME,), (("r", 1), ("r", 2))),
    "without a day": lambda u: CourseClass("a", 1, (Time("000", 8, 2, "1111"),)),
    "limit of class a -1": lambda u: CourseClass("a", -1, (TIME,)),
    "days '102'": lambda u: Time("102", 8, 2, "1111"),
    "length 0": lambda u: Time("100", 8, 0, "1111"),
    "class id 'a b'": lambda u: CourseClass("a b", 1, (TIME,)),
    "a penalty at which room r is closed": lambda u: Room("r", 1, (Time("100", 8, 2, "1", 3),)),
    "student weight -1": lambda u: Weights(student=-1),
    "travel 5, expected rooms' ids": lambda u: u(travel=5),
    "travel 3 from room hall to itself": lambda u: u(travel=(("hall", "hall", 3),)),
}


@pytest.mark.parametrize("words", WRONG)
def test_what_cannot_be_is_refused_in_words(university, words):
    expected = {"found week": "weeks 0", "found 5 characters": "expected 5 characters"}
    expected["no courses"] = "0 courses"
    with pytest.raises(InstanceError) as error:
        WRONG[words](university)
    assert expected.get(words, words) in str(error.value)
