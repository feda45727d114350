"""What a timetable breaks, in sentences with links."""

import pytest
from schoolbell.stages.university import Solution, evaluate, generate_with_solution
from schoolbell.stages.university.views.broken_rules import BrokenRules

from ..random_university import random_solution, random_university


@pytest.mark.parametrize("seed", range(12))
def test_every_violation_and_every_cost_of_the_evaluation_is_told(seed):
    instance = random_university(seed)
    evaluation = evaluate(random_solution(instance, seed))
    rules = BrokenRules(evaluation)
    count = {name: sum(one.units for one in found) for name, found in rules.hard.items()}
    assert count == evaluation.hard
    cost = {name: sum(one.units for one in found) for name, found in rules.soft.items()}
    assert cost == evaluation.units


def test_a_feasible_timetable_has_costs_only():
    _, solution = generate_with_solution(20, 30, seed=2)
    rules = BrokenRules(evaluate(solution))
    assert not any(rules.hard.values())
    assert rules.soft["time"]


def read(finding, instance):
    things = {
        "class": instance.classes,
        "room": instance.rooms,
        "course": instance.courses,
        "student": instance.students,
    }
    return "".join(
        word if isinstance(word, str) else f"<{word[0]} {things[word[0]][word[1]].id}>"
        for word in finding.words
    ).replace("\N{EN DASH}", "-")


def test_sentences_name_what_they_are_about(university):
    instance = university()
    # lecture, seminar1 and reading in the hall on Monday from 8, while it is closed from 9.
    attended = [(0, 0), (0, 1), (1, 1), (0, 3), (1, 3)]
    solution = Solution(instance, [0, 0, -1, 0, 1], [0, 0, -1, 0, -1], attended)
    rules = BrokenRules(evaluate(solution))
    told = {
        name: [read(one, instance) for one in found]
        for name, found in (rules.hard | rules.soft).items()
    }
    assert told["Times"] == ["<class seminar2> has no time"]
    assert told["Rooms"] == ["<class seminar1> has none of its rooms"]
    closed = "<class lecture> while <room hall> is closed, Mon 09:00-13:00, week 1"
    assert closed in told["ClosedRooms"]
    assert "<class lecture> overlaps <class seminar1> in <room hall>" in told["RoomConflicts"]
    assert told["Limits"] == ["<class seminar1> has 2 students, 1 at most"]
    assert "<student Bob>, course" not in "".join(told["Students"])
    assert any(text.startswith("<student Bob>, <course logic>: ") for text in told["Students"])
    assert "<class reading> and <class online>" not in "".join(told["student"])
    both = "1 student cannot attend both <class lecture> and <class seminar1>"
    assert both in told["student"]
    assert "the room of <class reading>" in told["room"]


def test_a_rule_over_many_classes_links_to_all_of_them(university):
    from schoolbell.stages.university import Distribution

    rule = Distribution("MaxDays(1)", ("lecture", "seminar1", "online"), 3)
    instance = university(distributions=(rule,))
    solution = Solution(instance, [0, 1, 0, 0, 1], [0, 1, -1, 0, -1])
    (found,) = BrokenRules(evaluate(solution)).soft["distribution"]
    assert found.units == 6
    assert found.classes == [0, 1, 4]
    assert read(found, instance) == (
        "MaxDays(1) of <class lecture>, <class seminar1>, <class online>: 2 too many"
    )
