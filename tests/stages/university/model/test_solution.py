import copy
import pickle

import numpy as np
import pytest
from schoolbell.stages.university import FormatError, Solution, TimetableError


def test_what_is_written_is_read_again(good_solution, tmp_path):
    instance = good_solution.instance
    for suffix in (".xml", ".xml.gz"):
        file = tmp_path / f"solution{suffix}"
        good_solution.write(file)
        assert Solution.read(file, instance) == good_solution
    partial = Solution(instance, [-1, 0, -1, 2, 1], [0, -1, -1, 1, 0], [(1, 3)], {"author": "<me>"})
    again = Solution.loads(partial.dumps(), instance)
    assert again == partial
    assert again.about == {"author": "<me>"}


def test_a_solution_is_copied_and_pickled(good_solution):
    assert copy.deepcopy(good_solution) == good_solution
    assert pickle.loads(pickle.dumps(good_solution)) == good_solution
    assert len({good_solution, copy.copy(good_solution)}) == 1


def test_the_order_of_enrolments_does_not_matter(good_solution):
    other = Solution(
        good_solution.instance,
        good_solution.times,
        good_solution.rooms,
        good_solution.enrolments[::-1],
    )
    assert other == good_solution


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (([0, 0, 0, 0], [0] * 5), r"times must be whole numbers of shape \(5,\)"),
        (([0, 2, 0, 0, 0], [0] * 5), r"times\[1\] is 2, expected -1 to 1"),
        (([0] * 5, [0, 0, 2, 0, 0]), r"rooms\[2\] is 2, expected -1 to 1"),
        (([0.0] * 5, [0] * 5), "got float64"),
        (([0] * 5, [0] * 5, [(0, 5)]), r"enrolments\[0, 1\] is 5, expected 0 to 4"),
        (([0] * 5, [0] * 5, [(0, 1), (0, 1)]), "a student twice in a class"),
    ],
)
def test_what_stands_for_nothing_is_refused(university, arguments, words):
    with pytest.raises(TimetableError, match=words):
        Solution(university(), *arguments)


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('<class id="lectur"/>', "unknown class 'lectur', expected .* did you mean 'lecture'"),
        ('<class id="lecture" room="attic"/>', "unknown room 'attic'"),
        ('<class id="lecture" days="001" start="8" weeks="1111"/>', "expected one of its times"),
        ('<class id="lecture" start="8"/>', "found no attribute 'days'"),
        ('<class id="online"/><class id="online"/>', "class online again"),
        ('<class id="online"><student id="Eve"/></class>', "unknown student 'Eve'"),
        ('<class id="online"><student id="Ann"/><student id="Ann"/></class>', "Ann again"),
    ],
)
def test_a_wrong_line_of_a_file_is_told(university, line, words):
    instance = university()
    text = f'<solution name="small &amp; &lt;whole&gt;">\n{line}\n</solution>'
    with pytest.raises(FormatError, match=words) as error:
        Solution.loads(text, instance)
    assert error.value.line == 2


def test_a_solution_of_another_instance_is_refused(university):
    with pytest.raises(FormatError, match="found a solution of 'big'"):
        Solution.loads('<solution name="big"/>', university())


def test_rows_of_times_point_into_the_tables(good_solution):
    assert good_solution.time_rows.tolist() == [1, 3, 5, 9, 11]
    assert not np.shares_memory(good_solution.times, good_solution.rooms)
