"""Repair by reinforcement learning, driven without a runner."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from schoolbell.stages import Batch, Budget, Load, Pulse, RLRepair, State
from schoolbell.stages.errors import FormatError
from schoolbell.stages.repair import rl_repair
from schoolbell.stages.repair.q_learner import QLearner
from schoolbell.stages.timetable import Formulation, Instance, Solution, evaluate
from schoolbell.stages.timetable.search.repairing.repair_agent import (
    new_repair_agent,
    shipped_repair_agent,
)
from schoolbell.stages.timetable.search.repairing.repair_environment import RepairEnvironment
from schoolbell.stages.timetable.timetable_problem import TimetableProblem


def make_state(instance: Instance, shuffle: int = 0) -> State:
    """A state with a timetable in which lectures stand anywhere."""
    state = State(instance, seed=1, executor=ThreadPoolExecutor(1), workers=1)
    state.instance = instance
    state.formulation = Formulation.UD2
    state.prepared = TimetableProblem(instance, Formulation.UD2)
    state.search = state.prepared.search
    rng = np.random.default_rng(shuffle)
    cells = rng.permutation(instance.n_periods * instance.n_rooms)[: instance.n_lectures]
    periods, rooms = np.divmod(cells.astype(np.int32), np.int32(instance.n_rooms))
    allowed = instance.available[instance.lecture_course, periods]
    solution = Solution.of_lectures(
        instance, np.where(allowed, periods, -1), np.where(allowed, rooms, -1)
    )
    evaluation = evaluate(solution, "UD2")
    state.offer(solution, evaluation.cost, evaluation.violations)
    return state


def run(stage: RLRepair, state: State, budget: Budget | None = None) -> list[Batch]:
    return [item for item in stage.run(state, budget or Budget()) if isinstance(item, Batch)]


def test_it_removes_violations_and_says_what_is_left(instance: Instance) -> None:
    state = make_state(instance)
    before = state.violations
    batches = run(RLRepair(), state)
    assert before is not None
    assert before > 5
    assert state.violations == 0
    evaluation = evaluate(state.solution, "UD2")
    assert (evaluation.violations, evaluation.cost) == (state.violations, state.cost)
    assert batches[-1].done <= (batches[-1].total or 0)
    assert all(set(batch.logs) == {"epsilon", "reward"} for batch in batches)


def test_epsilon_falls_to_its_end(instance: Instance) -> None:
    stage = RLRepair(episodes=40, batch_size=5, epsilon=0.5, final_epsilon=0.1)
    batches = run(stage, make_state(instance))
    epsilons = [batch.logs["epsilon"] for batch in batches]
    assert epsilons == sorted(epsilons, reverse=True)
    assert epsilons[-1] == pytest.approx(0.1)


def test_no_episodes_leave_the_timetable_alone(instance: Instance) -> None:
    state = make_state(instance)
    solution = state.solution
    assert run(RLRepair(episodes=0), state) == []
    assert state.solution is solution


def test_it_ends_when_nothing_is_violated_and_nothing_helps(instance: Instance) -> None:
    state = make_state(instance)
    batches = run(RLRepair(patience=40, batch_size=10), state, Budget(3600.0))
    assert state.violations == 0
    assert state.cost is not None
    assert state.cost > 0
    assert all(batch.total > batch.done for batch in batches[:-1] if batch.total is not None)


def test_the_same_seed_gives_the_same_timetable(instance: Instance) -> None:
    found = []
    for _ in range(2):
        state = make_state(instance)
        run(RLRepair(), state)
        found.append(state.solution)
    assert found[0] == found[1]


@pytest.mark.parametrize("policy", ["random", "move", "eject"])
def test_without_the_agent_operators_are_drawn_or_always_the_same(
    instance: Instance, policy: str
) -> None:
    agent = new_repair_agent()
    state = make_state(instance)
    before = state.violations
    run(RLRepair(episodes=30, agent=agent, policy=policy), state)
    assert state.violations is not None
    assert before is not None
    assert state.violations < before
    assert not agent.state_dict()["values"].any()


def test_compiled_episodes_are_those_that_step_by_step_would_be(instance: Instance) -> None:
    found = []
    for agent in (None, OnlyKempe()):
        state = make_state(instance)
        run(RLRepair(episodes=40, agent=agent, policy="learned" if agent else "kempe"), state)
        found.append(state.solution)
    assert found[0] == found[1]


def test_an_agent_from_a_file_plays_like_the_one_that_was_saved(
    instance: Instance, tmp_path: Path
) -> None:
    agent = new_repair_agent()
    run(RLRepair(episodes=60, epsilon=0.5, agent=agent), make_state(instance, shuffle=5))
    path = tmp_path / "agent.npz"
    agent.save(path)
    found = []
    for one in (agent, path, str(path)):
        state = make_state(instance)
        run(RLRepair(agent=one), state)
        found.append(state.solution)
    assert found[0] == found[1] == found[2]


def test_the_packages_agent_stays_as_it_came(instance: Instance) -> None:
    before = shipped_repair_agent().state_dict()["values"]
    run(RLRepair(), make_state(instance))
    np.testing.assert_array_equal(shipped_repair_agent().state_dict()["values"], before)


def test_an_agent_for_something_else_is_refused(instance: Instance, tmp_path: Path) -> None:
    QLearner((2, 2), ("left", "right")).save(tmp_path / "walker.npz")
    with pytest.raises(FormatError, match="left, right"):
        run(RLRepair(agent=tmp_path / "walker.npz"), make_state(instance))


def test_an_agents_file_is_looked_at_before_the_run(tmp_path: Path) -> None:
    QLearner((2, 2), ("left", "right")).save(tmp_path / "walker.npz")
    with pytest.raises(FormatError, match=r"absent\.npz"):
        RLRepair(agent=tmp_path / "absent.npz").check()
    walker = RLRepair(agent=tmp_path / "walker.npz")
    with pytest.raises(FormatError, match=r"walker\.npz"):
        walker.check_beside([Load(), walker])
    for stage in (RLRepair(), RLRepair(policy="swap")):
        stage.check()
        stage.check_beside([Load(), stage])


def test_an_operator_that_the_problem_lacks_is_refused_before_the_run(instance: Instance) -> None:
    stage = RLRepair(policy="swop")
    with pytest.raises(ValueError, match=r"policy must be one of .*'swop'.*swap"):
        stage.check_beside([Load(), stage])
    for problem in (TimetableProblem(instance, Formulation.UD2), make_state(instance).prepared):
        with pytest.raises(ValueError, match="policy"):
            stage.check_problem(problem, None)
    stage.check_problem("a path", None)
    with pytest.raises(ValueError, match="policy"):
        run(stage, make_state(instance))


def test_a_run_that_was_broken_off_goes_on_where_it_was(instance: Instance) -> None:
    whole = make_state(instance)
    batches = run(RLRepair(episodes=60, batch_size=2, epsilon=0.5), whole)
    stage = RLRepair(episodes=60, batch_size=2, epsilon=0.5)
    broken = make_state(instance)
    stream = stage.run(broken, Budget())
    for _ in range(4):
        while not isinstance(next(stream), Batch):
            pass
    saved = stage.state_dict()
    stream.close()
    later = RLRepair(episodes=60, batch_size=2, epsilon=0.5)
    later.load_state_dict(saved)
    rest = run(later, broken)
    assert [(b.done, b.logs) for b in rest] == [(b.done, b.logs) for b in batches[4:]]
    assert broken.solution == whole.solution


class OnlyKempe:
    """An agent of somebody else's."""

    def __init__(self) -> None:
        self.learned = 0

    def act(self, observation: np.ndarray, epsilon: float, rng: np.random.Generator) -> int:
        assert observation.shape == (6,)
        return 2

    def learn(self, observation, action, reward, following, ended) -> None:
        assert action == 2
        self.learned += 1


def test_another_agent_can_take_the_learners_place(instance: Instance) -> None:
    agent = OnlyKempe()
    run(RLRepair(episodes=10, agent=agent), make_state(instance))
    assert agent.learned >= 10


def conflicts_of(state: State) -> int:
    environment = RepairEnvironment(state.search, *state.solution.lecture_arrays())
    return environment.count_conflicts()


@pytest.mark.parametrize("seconds", [None, 3600.0])
def test_it_counts_three_episodes_a_conflict_and_then_says_that_it_goes_on(
    instance: Instance, seconds: float | None
) -> None:
    state = make_state(instance)
    total = min(200, 3 * conflicts_of(state))
    items = list(RLRepair(batch_size=10, patience=5_000).run(state, Budget(seconds)))
    batches = [item for item in items if isinstance(item, Batch)]
    assert {batch.total for batch in batches} == {total}
    assert batches[-1].done == total
    assert not any(isinstance(item, Batch) for item in items[items.index(batches[-1]) + 1 :])
    told = [item.message for item in items if isinstance(item, Pulse) and item.message]
    assert all(text.startswith("Repairing on, ") for text in told)
    counts = [int(text.split()[-2]) for text in told]
    # Without a limit the last of them are fewer, at the end of all.
    assert counts[:-1] == list(range(total + 10, total + 10 * len(counts), 10))
    assert len(counts) > 5
    assert state.violations == 0


def test_the_users_episodes_are_all_that_it_plays(instance: Instance) -> None:
    for seconds in (None, 3600.0):
        items = list(RLRepair(episodes=30).run(make_state(instance), Budget(seconds)))
        batches = [item for item in items if isinstance(item, Batch)]
        assert [(batch.done, batch.total) for batch in batches] == [(20, 30), (30, 30)]
        assert items[-1] is batches[-1]


def test_long_episodes_pulse_within_their_batch(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = [0.0]
    play = RepairEnvironment.play

    def slow(environment: RepairEnvironment, agent: QLearner, episodes: int, *rest, **more):
        now[0] += 0.04 * episodes
        return play(environment, agent, episodes, *rest, **more)

    monkeypatch.setattr(rl_repair.time, "monotonic", lambda: now[0])
    monkeypatch.setattr(RepairEnvironment, "play", slow)
    parts: list[float] = []
    last = 0.0
    for item in RLRepair(episodes=20).run(make_state(instance), Budget()):
        assert now[0] - last < 0.15
        last = now[0]
        if isinstance(item, Pulse) and item.part is not None:
            parts.append(item.part)
    assert parts == sorted(parts)
    assert len(parts) >= 9


def test_a_spent_budget_ends_it(instance: Instance) -> None:
    assert run(RLRepair(), make_state(instance), Budget(0.0)) == []


@pytest.mark.parametrize(
    ("parameter", "value"),
    [
        ("episodes", -1),
        ("batch_size", 0),
        ("steps", 0),
        ("patience", 0),
        ("epsilon", 2.0),
        ("policy", 3),
        ("agent", 3),
    ],
)
def test_impossible_parameters_are_refused_by_name(parameter: str, value: object) -> None:
    with pytest.raises(ValueError, match=parameter):
        RLRepair(**{parameter: value})
