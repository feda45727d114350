import csv

import pytest
from schoolbell.stages.university import Solution, TimetableError


def test_classes_are_a_table(good_solution):
    frame = good_solution.to_frame()
    assert frame["class"].tolist() == ["lecture", "seminar1", "seminar2", "reading", "online"]
    assert frame.iloc[1].to_dict() == {
        "course": "logic",
        "configuration": "taught",
        "subpart": "seminars",
        "class": "seminar1",
        "days": "Mon",
        "start": "08:00",
        "end": "10:00",
        "weeks": "1-4",
        "room": "lab",
        "students": 1,
        "limit": 1,
        "time_penalty": 1,
        "room_penalty": 0,
    }
    assert frame["students"].tolist() == [2, 1, 1, 0, 1]


def test_enrolments_are_a_table(good_solution):
    rows = good_solution.to_frame("enrolments").to_numpy().tolist()
    assert rows[0] == ["Ann", "logic", "lecture"]
    assert ["Ann", "art", "online"] in rows
    assert len(rows) == len(good_solution.enrolments)


def test_what_is_in_each_room_is_a_table_by_day_and_start(good_solution):
    frame = good_solution.to_frame("rooms")
    assert frame[["room", "class"]].to_numpy().tolist() == [
        ["hall", "reading"],
        ["lab", "seminar1"],
        ["lab", "lecture"],
    ]
    assert frame.iloc[2].to_dict() == {
        "room": "lab",
        "capacity": 20,
        "days": "Tue",
        "start": "08:00",
        "end": "10:00",
        "weeks": "1-4",
        "class": "lecture",
        "course": "logic",
        "students": 2,
    }


def test_the_weeks_of_the_students_are_a_table_by_day_and_start(good_solution):
    frame = good_solution.to_frame("students")
    assert frame[["student", "class", "days"]].to_numpy().tolist() == [
        ["Ann", "seminar1", "Mon"],
        ["Ann", "lecture", "Tue"],
        ["Ann", "online", "Tue"],
        ["Bob", "seminar2", "Mon"],
        ["Bob", "lecture", "Tue"],
    ]
    assert frame["room"].isna().tolist() == [False, False, True, True, False]


def test_the_same_tables_are_written_as_csv(good_solution, tmp_path):
    for of in ("classes", "rooms", "enrolments", "students"):
        file = tmp_path / f"{of}.csv"
        good_solution.write_csv(file, of)
        with file.open(newline="") as lines:
            rows = list(csv.DictReader(lines))
        frame = good_solution.to_frame(of)
        assert list(rows[0]) == list(frame)
        assert [row["class"] for row in rows] == frame["class"].tolist()


def test_what_a_class_lacks_is_left_empty(university, tmp_path):
    empty = Solution(university(), [-1] * 5, [-1] * 5)
    assert empty.to_frame()["days"].isna().all()
    empty.write_csv(tmp_path / "empty.csv")
    assert "logic,taught,lectures,lecture,,,,,,0,30,," in (tmp_path / "empty.csv").read_text()


def test_another_table_is_refused(good_solution):
    with pytest.raises(TimetableError, match="of is 'room', expected one of 'classes', 'rooms', "):
        good_solution.to_frame("room")
