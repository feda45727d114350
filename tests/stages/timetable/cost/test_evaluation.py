"""What timetables cost, by the definitions."""

import re
from itertools import combinations

import numpy as np
import pytest
from schoolbell.stages.timetable import (
    Course,
    Curriculum,
    Formulation,
    Instance,
    Room,
    Solution,
    TimetableError,
    evaluate,
    generate,
)
from schoolbell.stages.timetable.model.formulation import HARD_CONSTRAINTS, SOFT_CONSTRAINTS

ALL = Formulation("all", dict.fromkeys(SOFT_CONSTRAINTS, 1))
# Those of UD1 to UD5, whatever others there are.
WEIGHED = {name for number in range(1, 6) for name in Formulation.of(f"UD{number}").weights}
PUBLISHED = Formulation("published", {name: 1 for name in SOFT_CONSTRAINTS if name in WEIGHED})

# Days 0 and 1 of four timeslots; A, B and C share curriculum q, A and D a teacher.
INSTANCE = Instance(
    "small",
    2,
    4,
    (
        Course("A", "Ada", 3, 2, 30, double_lectures=True),
        Course("B", "Bohr", 2, 1, 20),
        Course("C", "Curie", 1, 1, 10),
        Course("D", "Ada", 1, 1, 50),
    ),
    (Room("r40", 40, "N"), Room("r15", 15, "S"), Room("r60", 60, "N")),
    (Curriculum("q", ("A", "B", "C")),),
    unavailability=(("B", 0, 3),),
    room_constraints=(("C", "r60"),),
    min_daily_lectures=2,
    max_daily_lectures=3,
)


def units_of(*rows: str) -> dict[str, int]:
    """Units of every constraint that is broken, for rows ``course room day timeslot``."""
    columns = [row.split() for row in rows]
    courses = [INSTANCE.course_positions[row[0]] for row in columns]
    rooms = [INSTANCE.room_positions[row[1]] for row in columns]
    periods = [int(row[2]) * 4 + int(row[3]) for row in columns]
    evaluation = evaluate(Solution(INSTANCE, courses, periods, rooms), PUBLISHED)
    return {name: units for name, units in evaluation.units.items() if units}


GOOD = {
    "A1": "A r40 0 0",
    "A2": "A r40 0 1",
    "A3": "A r40 1 0",
    "B1": "B r40 1 1",
    "B2": "B r40 1 2",
    "C": "C r40 0 2",
    "D": "D r60 1 3",
}


def changed(**rows: str | None) -> dict[str, int]:
    return units_of(*[row for row in (GOOD | rows).values() if row])


def test_a_perfect_timetable_costs_nothing():
    assert changed() == {}


def test_a_missing_lecture_is_one_violation():
    assert changed(D=None) == {"Lectures": 1, "MinWorkingDays": 1}


def test_a_lecture_too_many_is_one_violation():
    assert changed(D2="D r60 0 3") == {"Lectures": 1}


def test_two_lectures_of_a_course_in_a_period_leave_one_missing():
    # In another room, so that it is no other violation; each counts in the soft constraints.
    assert changed(B2="B r60 1 1") == {"Lectures": 1, "RoomStability": 1}


def test_a_lecture_that_is_there_twice_also_shares_its_room():
    assert changed(B2="B r40 1 1") == {"Lectures": 1, "RoomOccupancy": 1}


def test_lectures_beyond_the_wanted_ones_in_one_period_are_not_too_many():
    assert "Lectures" not in changed(B3="B r60 1 1")


def test_courses_of_a_curriculum_conflict():
    assert changed(B2="B r60 1 0") == {"Conflicts": 1, "RoomStability": 1}


def test_courses_of_a_teacher_conflict_without_a_common_curriculum():
    assert changed(D="D r60 1 0") == {"Conflicts": 1}


def test_a_pair_of_courses_conflicts_once_a_period_whatever_the_number_of_lectures():
    both = {"B1": "B r60 1 0", "B2": "B r15 1 0"}
    assert changed(**both)["Conflicts"] == 1


def test_each_pair_in_a_period_is_a_conflict():
    three = {"B1": "B r60 0 0", "C": "C r15 0 0"}
    assert changed(**three)["Conflicts"] == 3


def test_an_unavailable_period_is_one_violation():
    moved = changed(B2="B r40 0 3")
    assert moved["Availability"] == 1


def test_each_lecture_beyond_the_first_in_a_room_is_one_violation():
    rows = ("B r40 0 0", "D r40 0 0", "C r40 0 0")
    assert units_of(*rows)["RoomOccupancy"] == 2


def test_each_student_beyond_the_seats_is_a_unit_for_each_lecture():
    assert changed(D="D r15 1 3") == {"RoomCapacity": 35}
    two = changed(B1="B r15 1 1", B2="B r15 1 2")
    assert two == {"RoomCapacity": 10, "TravelDistance": 1}


def test_each_working_day_below_the_minimum_is_a_unit():
    assert changed(A3="A r40 0 3")["MinWorkingDays"] == 1
    assert changed(A1=None, A2=None, A3=None)["MinWorkingDays"] == 2


def test_a_lecture_without_a_neighbour_is_isolated():
    assert changed(C="C r40 0 3") == {"IsolatedLectures": 1, "Windows": 1}


def test_the_end_of_a_day_is_no_neighbour_of_the_next_day():
    rows = ("C r40 0 3", "A r40 1 0")
    assert units_of(*rows)["IsolatedLectures"] == 2


def test_clashing_lectures_are_isolated_each():
    rows = ("A r40 0 0", "B r60 0 0", "C r40 0 2")
    assert units_of(*rows)["IsolatedLectures"] == 3


def test_each_empty_timeslot_between_lectures_is_a_window():
    rows = ("A r40 0 0", "B r40 0 3", "C r40 1 2")
    assert units_of(*rows)["Windows"] == 2


def test_clashing_lectures_make_no_window():
    rows = ("A r40 0 1", "B r60 0 1", "C r15 0 2")
    assert "Windows" not in units_of(*rows)


def test_each_room_beyond_the_first_is_a_unit():
    assert changed(A1="A r60 0 0")["RoomStability"] == 1
    assert changed(A1="A r60 0 0", A3="A r15 1 0")["RoomStability"] == 2


def test_lectures_below_the_daily_minimum_and_above_the_maximum_count():
    assert units_of("A r40 0 0")["StudentMinMaxLoad"] == 1
    rows = ("A r40 0 0", "A r40 0 1", "B r40 0 2", "C r40 0 3", "A r40 1 1", "B r40 1 2")
    assert units_of(*rows)["StudentMinMaxLoad"] == 1


def test_clashing_lectures_count_in_the_daily_load():
    rows = ("A r40 0 0", "B r60 0 0", "C r15 0 0", "A r40 0 1")
    assert units_of(*rows)["StudentMinMaxLoad"] == 1


def test_each_pair_of_adjacent_lectures_in_two_buildings_counts():
    assert changed(C="C r15 0 2") == {"TravelDistance": 1}
    clash = ("A r40 0 0", "B r15 0 1", "C r15 0 1")
    assert units_of(*clash)["TravelDistance"] == 2
    assert "TravelDistance" not in units_of("A r40 0 0", "B r60 0 1")
    assert "TravelDistance" not in units_of("A r40 0 0", "B r15 0 2")
    assert "TravelDistance" not in units_of("A r40 0 3", "B r15 1 0")


def test_a_lecture_in_an_unsuitable_room_is_a_unit():
    assert changed(C="C r60 0 2") == {"RoomSuitability": 1}


def test_lectures_of_a_day_that_are_no_doubles_count_each():
    assert changed(A2="A r40 0 2", C="C r40 0 1") == {"DoubleLectures": 2}
    other_room = changed(A2="A r60 0 1")
    assert other_room["DoubleLectures"] == 2
    third = units_of("A r40 0 0", "A r40 0 1", "A r40 0 3")
    assert third["DoubleLectures"] == 1


def test_courses_without_the_flag_need_no_doubles():
    assert "DoubleLectures" not in changed(B2="B r40 1 3", D="D r60 0 3")


def test_hard_suitability_is_a_violation_and_no_cost():
    positions = [INSTANCE.course_positions["C"]], [2], [INSTANCE.room_positions["r60"]]
    evaluation = evaluate(Solution(INSTANCE, *positions), "UD4")
    assert evaluation.hard["RoomSuitability"] == 1
    assert "RoomSuitability" not in evaluation.soft


def naive(solution: Solution) -> dict[str, int]:
    """Count by loops over lectures, as the constraints are stated."""
    instance = solution.instance
    rows = list(
        zip(
            solution.courses.tolist(),
            *np.divmod(solution.periods, instance.periods_per_day),
            solution.rooms.tolist(),
            strict=True,
        )
    )
    units = dict.fromkeys(HARD_CONSTRAINTS + SOFT_CONSTRAINTS, 0)
    curricula = [set(curriculum.courses) for curriculum in instance.curricula]
    for c, course in enumerate(instance.courses):
        own = [(d, t, r) for k, d, t, r in rows if k == c]
        periods = {(d, t) for d, t, _ in own}
        units["Lectures"] += abs(course.lectures - len(periods))
        units["MinWorkingDays"] += max(0, course.min_working_days - len({d for d, _ in periods}))
        units["RoomStability"] += max(0, len({r for _, _, r in own}) - 1)
        for k, (d, t, r) in enumerate(own):
            room = instance.rooms[r]
            units["Availability"] += (course.id, d, t) in instance.unavailability
            units["RoomCapacity"] += max(0, course.students - room.capacity)
            units["RoomSuitability"] += (course.id, room.id) in instance.room_constraints
            others = own[:k] + own[k + 1 :]
            if course.double_lectures and any(day == d for day, _, _ in others):
                pairs = ((d, t - 1, r), (d, t + 1, r))
                units["DoubleLectures"] += not any(pair in others for pair in pairs)
        for e in range(c):
            other = instance.courses[e]
            if other.teacher == course.teacher or any(
                {course.id, other.id} <= courses for courses in curricula
            ):
                there = {(d, t) for k, d, t, _ in rows if k == e}
                units["Conflicts"] += len(periods & there)
    places = [(d, t, r) for _, d, t, r in rows]
    units["RoomOccupancy"] += len(places) - len(set(places))
    for courses in curricula:
        own = [(d, t, r) for c, d, t, r in rows if instance.courses[c].id in courses]
        for day in range(instance.days):
            today = [(t, instance.rooms[r].building) for d, t, r in own if d == day]
            slots = {t for t, _ in today}
            if not today:
                continue
            units["IsolatedLectures"] += sum(not {t - 1, t + 1} & slots for t, _ in today)
            units["Windows"] += len(set(range(min(slots), max(slots))) - slots)
            units["StudentMinMaxLoad"] += max(0, instance.min_load - len(today))
            units["StudentMinMaxLoad"] += max(0, len(today) - instance.max_load)
            units["TravelDistance"] += sum(
                abs(t - u) == 1 and b != a for (t, b), (u, a) in combinations(today, 2)
            )
    return units


def random_solution(instance: Instance, rng: np.random.Generator, share: float) -> Solution:
    """Lectures at random places, some missing, some too many, some twice in a period."""
    number = int(share * instance.n_lectures)
    courses = rng.choice(instance.lecture_course, number)
    periods = rng.integers(instance.n_periods, size=number)
    rooms = rng.integers(instance.n_rooms, size=number)
    return Solution(instance, courses, periods, rooms)


@pytest.mark.parametrize("seed", range(6))
def test_random_timetables_cost_what_plain_loops_count(seed):
    rng = np.random.default_rng(seed)
    instance = generate(int(rng.integers(5, 25)), seed=seed)
    for share in (0, 0.1, 0.5, 1.0, 2.0):
        solution = random_solution(instance, rng, share)
        assert dict(evaluate(solution, ALL).units) == naive(solution)


def test_random_timetables_of_real_instances_cost_what_plain_loops_count(cbctt):
    for name in ("toy", "comp01", "comp05", "DDS3"):
        instance = Instance.read(cbctt / f"{name}.ectt")
        solution = random_solution(instance, np.random.default_rng(1), 1.0)
        assert dict(evaluate(solution, ALL).units) == naive(solution)


@pytest.mark.parametrize("name", ["UD1", "UD2", "UD3", "UD4", "UD5"])
def test_cost_is_the_weighted_sum_and_violations_the_hard_units(name):
    solution = random_solution(generate(30, seed=1), np.random.default_rng(1), 1.2)
    evaluation = evaluate(solution, name)
    units, weights = naive(solution), Formulation.of(name).weights
    hard = HARD_CONSTRAINTS + Formulation.of(name).hard
    assert evaluation.formulation is Formulation.of(name)
    assert dict(evaluation.hard) == {constraint: units[constraint] for constraint in hard}
    assert evaluation.violations == sum(units[constraint] for constraint in hard)
    assert dict(evaluation.soft) == {key: weights[key] * units[key] for key in weights}
    assert evaluation.cost == sum(weights[key] * units[key] for key in weights)
    assert not evaluation.feasible


def test_the_default_is_ud2():
    solution = random_solution(generate(10), np.random.default_rng(1), 1.0)
    assert evaluate(solution) == evaluate(solution, "UD2")


def test_an_unknown_formulation_is_told():
    with pytest.raises(TimetableError, match="unknown formulation 'UD9'"):
        evaluate(Solution(INSTANCE, [], [], []), "UD9")


@pytest.mark.parametrize("name", ["UD2", "UD4", PUBLISHED])
def test_details_add_up_to_the_evaluation(name):
    solution = random_solution(generate(30, seed=2), np.random.default_rng(2), 1.2)
    evaluation = evaluate(solution, name)
    totals = dict.fromkeys(evaluation.units, 0)
    for line in evaluation.details():
        kind, units, constraint = re.match(r"\[([HS])\((\d+)\)\] (\w+): ", line).groups()
        assert (kind == "H") == (constraint in evaluation.hard)
        totals[constraint] += int(units)
    assert totals == dict(evaluation.hard) | dict(evaluation.soft)


def test_details_tell_single_violations_in_words():
    rows = [("A", "r15", 0), ("A", "r40", 2), ("B", "r40", 2), ("B", "r40", 3), ("C", "r60", 5)]
    solution = Solution(
        INSTANCE,
        [INSTANCE.course_positions[course] for course, _, _ in rows],
        [period for _, _, period in rows],
        [INSTANCE.room_positions[room] for _, room, _ in rows],
    )
    assert evaluate(solution, PUBLISHED).details() == [
        "[H(1)] Lectures: course A is taught in 2 periods instead of 3",
        "[H(1)] Lectures: course D is taught in 0 periods instead of 1",
        "[H(1)] Conflicts: courses A and B meet on day 0, timeslot 2 and share curriculum q",
        "[H(1)] Availability: course B is unavailable on day 0, timeslot 3",
        "[H(1)] RoomOccupancy: room r40 has 2 lectures on day 0, timeslot 2: A, B",
        "[S(15)] RoomCapacity: room r15 has 15 seats for 30 students of course A "
        "on day 0, timeslot 0",
        "[S(1)] MinWorkingDays: course A has 1 working day instead of 2",
        "[S(1)] MinWorkingDays: course D has 0 working days instead of 1",
        "[S(1)] IsolatedLectures: curriculum q has an isolated lecture on day 0, timeslot 0",
        "[S(1)] IsolatedLectures: curriculum q has an isolated lecture on day 1, timeslot 1",
        "[S(1)] Windows: curriculum q has 1 empty timeslot between its lectures on day 0",
        "[S(1)] RoomStability: course A uses 2 rooms: r40, r15",
        "[S(1)] StudentMinMaxLoad: curriculum q has 4 lectures on day 0, at most 3 wanted",
        "[S(1)] StudentMinMaxLoad: curriculum q has 1 lecture on day 1, at least 2 wanted",
        "[S(1)] RoomSuitability: room r60 does not suit course C on day 1, timeslot 1",
        "[S(1)] DoubleLectures: course A has a lecture on day 0, timeslot 0 in room r15 "
        "beside no other of its lectures of that day",
        "[S(1)] DoubleLectures: course A has a lecture on day 0, timeslot 2 in room r40 "
        "beside no other of its lectures of that day",
    ]


def test_details_stop_at_the_number_asked_for_and_their_own_is_known():
    instance = generate(12, seed=2)
    periods = np.zeros(instance.n_lectures, np.int32)
    evaluation = evaluate(Solution.of_lectures(instance, periods, periods), "UD5")
    lines = evaluation.details()
    assert evaluation.n_details == len(lines) > 4
    assert evaluation.details(4) == lines[:4]


def test_details_name_a_common_teacher_and_a_change_of_buildings():
    solution = Solution(INSTANCE, [0, 3, 1], [1, 1, 2], [0, 2, 1])
    details = evaluate(solution, PUBLISHED).details()
    assert (
        "[H(1)] Conflicts: courses A and D meet on day 0, timeslot 1 and share teacher Ada"
        in details
    )
    assert (
        "[S(1)] TravelDistance: curriculum q changes buildings after day 0, timeslot 1 "
        "(1 pair of lectures)" in details
    )


def test_an_evaluation_prints_a_row_for_each_constraint():
    text = str(evaluate(Solution(INSTANCE, [3], [7], [1]), "UD2"))
    rows = {line.split()[0]: line.split()[1:] for line in text.splitlines() if line}
    assert rows["Lectures"] == ["6"]
    assert rows["RoomCapacity"] == ["35", "1", "35"]
    assert rows["MinWorkingDays"] == ["4", "5", "20"]
    assert "UD2" in text
    assert text.splitlines()[-1].split() == ["Total", "55"]
