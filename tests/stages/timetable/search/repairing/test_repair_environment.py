import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env
from schoolbell.stages.search.compiling import kernel_of
from schoolbell.stages.timetable import (
    Course,
    Curriculum,
    Formulation,
    Instance,
    Room,
    Solution,
    evaluate,
)
from schoolbell.stages.timetable.repair_operators import OPERATORS
from schoolbell.stages.timetable.search import build_search_problem, build_timetable
from schoolbell.stages.timetable.search.repairing.episodes import openness as inner_openness
from schoolbell.stages.timetable.search.repairing.repair import KINDS
from schoolbell.stages.timetable.search.repairing.repair_agent import new_repair_agent
from schoolbell.stages.timetable.search.repairing.repair_environment import RepairEnvironment

openness = kernel_of(inner_openness)


def crowded(instance: Instance) -> tuple[np.ndarray, np.ndarray]:
    """Lectures put down in the order of their numbers, wherever a cell is free."""
    cells = [(p, r) for p in range(instance.n_periods) for r in range(instance.n_rooms)]
    places = np.array(cells[: instance.n_lectures])
    return places[:, 0].astype(np.int32), places[:, 1].astype(np.int32)


@pytest.fixture
def environment(instance: Instance) -> RepairEnvironment:
    problem = build_search_problem(instance, Formulation.UD2)
    return RepairEnvironment(problem, *crowded(instance))


@pytest.mark.filterwarnings("ignore:.*")
def test_it_keeps_gymnasiums_contract(environment: RepairEnvironment) -> None:
    check_env(environment, skip_render_check=True)


def test_the_start_has_violations_and_they_come_first(environment: RepairEnvironment) -> None:
    assert environment.rank[0] > 0
    observation, info = environment.reset(seed=1)
    assert KINDS[observation[0]] in ("conflict", "no place")
    assert info["violations"] == environment.rank[0]


def test_an_episode_ends_when_the_timetable_is_better_or_the_steps_are_used_up(
    environment: RepairEnvironment,
) -> None:
    environment.reset(seed=1)
    rng = np.random.default_rng(1)
    ends = set()
    for _ in range(60):
        start = environment.rank
        steps = 0
        while True:
            _, _, terminated, truncated, _ = environment.step(int(rng.integers(len(OPERATORS))))
            steps += 1
            if terminated or truncated:
                break
        # Once nothing is violated the cost counts.
        counts = 1 if start[0] else 2
        assert terminated == (environment.rank[:counts] < start[:counts])
        assert steps <= environment.steps
        ends.add(terminated)
        environment.reset()
    assert ends == {True, False}


def test_violations_never_grow_from_one_episode_to_the_next(environment: RepairEnvironment) -> None:
    environment.reset(seed=2)
    rng = np.random.default_rng(2)
    violations = [environment.rank[0]]
    for _ in range(40):
        done = False
        while not done:
            _, _, terminated, truncated, _ = environment.step(int(rng.integers(len(OPERATORS))))
            done = terminated or truncated
        environment.reset()
        violations.append(environment.rank[0])
    assert violations == sorted(violations, reverse=True)
    assert violations[-1] < violations[0]


def test_the_best_is_kept_and_is_what_the_reference_says(
    environment: RepairEnvironment, instance: Instance
) -> None:
    environment.reset(seed=3)
    rng = np.random.default_rng(3)
    for _ in range(200):
        _, _, terminated, truncated, _ = environment.step(int(rng.integers(len(OPERATORS))))
        if terminated or truncated:
            environment.reset()
    period, room = (a.astype(np.int32) for a in (environment.best_period, environment.best_room))
    evaluation = evaluate(Solution.of_lectures(instance, period, room), "UD2")
    assert environment.best_total.tolist() == [evaluation.violations, evaluation.cost]


def test_an_unknown_action_is_refused(environment: RepairEnvironment) -> None:
    environment.reset(seed=1)
    with pytest.raises(ValueError, match="action must be from 0 to 4"):
        environment.step(5)


def test_what_a_repair_has_come_to_can_be_carried_over(
    environment: RepairEnvironment, instance: Instance
) -> None:
    other = RepairEnvironment(environment.problem, *crowded(instance))
    agent = new_repair_agent()
    environment.play(agent, 12, epsilon=0.5)
    other.load_state_dict(environment.state_dict())
    again = agent.copy()
    ends = []
    for one, player in ((environment, agent), (other, again)):
        played = one.play(player, 20, epsilon=0.5)
        ends.append((played, one.rank, one.best_total.tolist(), one.best_period.tolist()))
    assert ends[0] == ends[1]


@pytest.mark.parametrize("name", ["period", "start_room", "best_period"])
def test_a_state_that_points_outside_is_refused(environment: RepairEnvironment, name: str) -> None:
    state = environment.state_dict()
    state[name][0] = 10_000
    with pytest.raises(ValueError, match="below"):
        environment.load_state_dict(state)


def test_openness_tells_whether_a_lecture_has_somewhere_to_go() -> None:
    courses = [Course(name, name, 1, 1, 1) for name in "abcdx"]
    conflict = [Curriculum(f"a{other}", ("a", other)) for other in "bcd"]
    rooms = [Room(f"r{i}", 5) for i in range(3)]
    instance = Instance("tiny", 1, 2, courses, rooms, conflict)
    problem = build_search_problem(instance, Formulation.UD2)
    ratings = []
    # Lecture a stands in period 0; how many of b, c and d, or of others, stand in period 1?
    for others in ([1, 1, 1, -1], [1, 1, -1, -1], [1, -1, -1, -1], [-1, -1, -1, 1]):
        period = np.array([0, *others])
        room = np.where(period < 0, -1, [0, 0, 1, 2, 0])
        ratings.append(openness(problem, build_timetable(problem, period, room), 0))
    assert ratings == [0, 1, 2, 4]


def test_a_period_whose_rooms_are_taken_is_open_but_for_the_room() -> None:
    instance = Instance("tiny", 1, 2, [Course(n, n, 1, 1, 1) for n in "ab"], [Room("r", 5)])
    problem = build_search_problem(instance, Formulation.UD2)
    timetable = build_timetable(problem, np.array([0, 1]), np.array([0, 0]))
    assert openness(problem, timetable, 0) == 3
