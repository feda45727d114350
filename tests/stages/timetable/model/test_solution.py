"""Solutions: building, comparing, reading and writing."""

import numpy as np
import pytest
from schoolbell.stages.timetable import (
    Course,
    FormatError,
    Instance,
    Room,
    Solution,
    TimetableError,
)

INSTANCE = Instance(
    "small",
    2,
    3,
    (Course("maths", "Noether", 2, 2, 30), Course("logic", "Frege", 1, 1, 10)),
    (Room("large", 40), Room("small", 15)),
)


def solution_file(tmp_path, text):
    file = tmp_path / "small.sol"
    file.write_text(text)
    return file


def test_a_solution_is_written_sorted_and_read_again(tmp_path):
    solution = Solution(INSTANCE, [1, 0, 0], [2, 5, 0], [1, 0, 1])
    solution.write(tmp_path / "small.sol")
    text = (tmp_path / "small.sol").read_text()
    assert text == "maths small 0 0\nmaths large 1 2\nlogic small 0 2\n"
    assert Solution.read(tmp_path / "small.sol", INSTANCE) == solution


def test_layout_of_a_file_does_not_count(tmp_path):
    file = solution_file(tmp_path, "\r\n maths\tlarge 1   2 \r\n\r\nlogic small 0 2")
    assert Solution.read(file, INSTANCE) == Solution(INSTANCE, [0, 1], [5, 2], [0, 1])


def test_an_empty_file_is_an_empty_timetable(tmp_path):
    assert len(Solution.read(solution_file(tmp_path, ""), INSTANCE)) == 0


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("art large 0 0", "unknown course 'art'"),
        ("maths attic 0 0", "unknown room 'attic'"),
        ("maths large 2 0", "day 2"),
        ("maths large -1 0", "day -1"),
        ("maths large 0 3", "timeslot 3"),
        ("maths large 0 x", "timeslot 'x'"),
        ("maths large 0", "'maths large 0'"),
        ("maths large 0 0 0", "'maths large 0 0 0'"),
    ],
)
def test_a_wrong_line_is_told(tmp_path, row, found):
    file = solution_file(tmp_path, f"maths large 0 0\n\n{row}\n")
    with pytest.raises(FormatError) as error:
        Solution.read(file, INSTANCE)
    assert found in error.value.found
    assert error.value.expected
    assert (error.value.path, error.value.line) == (str(file), 3)


def test_a_missing_file_is_told(tmp_path):
    with pytest.raises(FormatError, match="no such file"):
        Solution.read(tmp_path / "none.sol", INSTANCE)


def test_order_of_lectures_does_not_count():
    solution = Solution(INSTANCE, [0, 0, 1], [0, 5, 2], [1, 0, 1])
    other = Solution(INSTANCE, [1, 0, 0], [2, 5, 0], [1, 0, 1])
    assert solution == other
    assert hash(solution) == hash(other)
    assert solution != Solution(INSTANCE, [0, 0, 1], [0, 5, 2], [0, 1, 1])
    assert solution != Solution(INSTANCE, [0, 0], [0, 5], [1, 0])
    assert solution != "solution"


def test_solutions_of_different_instances_differ():
    other = Instance("other", 2, 3, INSTANCE.courses, INSTANCE.rooms)
    assert Solution(INSTANCE, [0], [0], [0]) != Solution(other, [0], [0], [0])


def test_lecture_arrays_and_back():
    periods, rooms = [4, -1, 2], [0, -1, 1]
    solution = Solution.of_lectures(INSTANCE, periods, rooms)
    assert len(solution) == 2
    again = solution.lecture_arrays()
    assert [array.tolist() for array in again] == [periods, rooms]
    assert all(array.dtype == np.int32 for array in again)


def test_placed_lectures_of_a_course_come_first_in_their_order():
    solution = Solution(INSTANCE, [1, 0, 0], [2, 5, 0], [1, 0, 1])
    periods, rooms = solution.lecture_arrays()
    assert periods.tolist() == [5, 0, 2]
    assert rooms.tolist() == [0, 1, 1]
    periods, _ = Solution.of_lectures(INSTANCE, [-1, 3, -1], [-1, 0, -1]).lecture_arrays()
    assert periods.tolist() == [3, -1, -1]


def test_too_many_lectures_have_no_lecture_arrays():
    solution = Solution(INSTANCE, [1, 1], [0, 1], [0, 0])
    with pytest.raises(TimetableError, match="logic has 2 lectures placed, expected at most 1"):
        solution.lecture_arrays()


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        (([0], [0], [2]), r"rooms\[0\] is 2, expected 0 to 1"),
        (([2], [0], [0]), r"courses\[0\] is 2"),
        (([0, 0], [0, 6], [0, 0]), r"periods\[1\] is 6"),
        (([-1], [0], [0]), r"courses\[0\] is -1"),
        (([0], [0, 1], [0]), "one length"),
        (([0.5], [0], [0]), "whole numbers"),
        (([[0]], [[0]], [[0]]), "flat array"),
    ],
)
def test_impossible_arrays_are_refused(arrays, message):
    with pytest.raises(TimetableError, match=message):
        Solution(INSTANCE, *arrays)


@pytest.mark.parametrize(
    ("periods", "rooms", "message"),
    [
        ([0, 1], [0, 0], r"shape \(3,\)"),
        ([0, 1, -1], [0, 0, 0], "lecture 2 has a period or a room but not both"),
        ([0, 1, -2], [0, 0, 0], "is -2"),
    ],
)
def test_impossible_lecture_arrays_are_refused(periods, rooms, message):
    with pytest.raises(TimetableError, match=message):
        Solution.of_lectures(INSTANCE, periods, rooms)


def test_a_solution_keeps_copies_that_cannot_be_written():
    periods = np.array([0, 1, 2])
    solution = Solution.of_lectures(INSTANCE, periods, np.zeros(3, int))
    periods[:] = 5
    assert solution.periods.tolist() == [0, 1, 2]
    with pytest.raises(ValueError, match="read-only"):
        solution.periods[0] = 1
