"""Training of repair agents, driven without a runner and from the command line."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from schoolbell.runner.cli.main import main
from schoolbell.stages import Batch, Budget, State, TrainAgent
from schoolbell.stages.timetable import FormatError, Formulation, Instance, generate
from schoolbell.stages.timetable.generation.crowding import scatter
from schoolbell.stages.timetable.search import build_search_problem
from schoolbell.stages.timetable.search.repairing.repair_agent import load_repair_agent
from schoolbell.stages.timetable.search.repairing.repair_environment import RepairEnvironment
from schoolbell.stages.timetable.steps.train_agent import crowded_instance


def train(problem, seed: int = 1, **parameters) -> tuple[State, list[Batch]]:
    state = State(problem, seed=seed, executor=ThreadPoolExecutor(1), workers=1)
    stream = TrainAgent(**{"episodes": 60, "visit": 20, "instances": 2} | parameters)
    batches = [batch for batch in stream.run(state, Budget()) if isinstance(batch, Batch)]
    return state, batches


def values(state: State) -> np.ndarray:
    return state.agent.state_dict()["values"]


def test_it_plays_the_episodes_and_tells_how_they_went(instance: Instance) -> None:
    state, batches = train([instance], batch_size=7)
    assert batches[-1].done == batches[-1].total == 60
    assert all(set(batch.logs) == {"reward", "left"} for batch in batches)
    assert 0 < max(batch.logs["reward"] for batch in batches) <= 1
    assert values(state).any()


def test_the_same_seed_trains_the_same_agent() -> None:
    first, second, other = (train(None, seed=seed)[0] for seed in (1, 1, 2))
    np.testing.assert_array_equal(values(first), values(second))
    assert not np.array_equal(values(first), values(other))


def test_every_instance_is_visited(instance: Instance) -> None:
    both, _ = train([instance, generate(30, seed=1)])
    one, _ = train([instance])
    assert not np.array_equal(values(both), values(one))


def test_training_goes_on_from_an_agents_file(instance: Instance, tmp_path: Path) -> None:
    path = tmp_path / "agent.npz"
    first, _ = train([instance])
    first.agent.save(path)
    state, _ = train([instance], agent=path, episodes=1, batch_size=1)
    assert np.count_nonzero(values(state) != values(first)) < np.count_nonzero(values(first))


def test_a_trained_agent_leaves_fewer_violations_than_chance() -> None:
    state, _ = train(None, episodes=3000, instances=6, visit=200)
    rng = np.random.default_rng(5)
    instance, solution = crowded_instance(rng)
    problem = build_search_problem(instance, Formulation.UD2)
    places = scatter(instance, solution, 0.5, rng)
    left = []
    for epsilon in (0.0, 1.0):
        environment = RepairEnvironment(problem, *places)
        for seed in range(10):
            environment.restart(np.random.SeedSequence(seed))
            while environment.best_total[0] and environment.steps_taken < 100:
                environment.play(state.agent, 1, epsilon, learning=False)
            left.append(int(environment.best_total[0]))
    assert 0 < sum(left[:10]) < 0.8 * sum(left[10:])


def test_no_instances_are_refused() -> None:
    with pytest.raises(ValueError, match="no instances"):
        train([])


@pytest.mark.parametrize("name", ["episodes", "visit", "instances", "batch_size", "epsilon"])
def test_impossible_parameters_are_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        TrainAgent(**{name: -1})


def test_the_command_writes_an_agent(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path, out = tmp_path / "small.ectt", tmp_path / "agent.npz"
    generate(30, seed=1).write(path)
    options = ["--out", str(out), "--episodes", "40", "--seed", "3", "--quiet"]
    assert main(["train-agent", str(path), *options]) == 0
    told = capsys.readouterr().out
    assert "40 episodes on 1 instances" in told
    first = out.read_bytes()
    assert main(["train-agent", str(path), *options]) == 0
    assert out.read_bytes() == first
    assert load_repair_agent(out).state_dict()["values"].any()


def test_the_command_refuses_a_file_that_is_no_agent(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    start, out = tmp_path / "start.npz", tmp_path / "agent.npz"
    start.write_text("comp01")
    assert main(["train-agent", "--start", str(start), "--out", str(out), "--quiet"]) == 2
    error = capsys.readouterr().err
    assert "start.npz" in error
    assert error.count("\n") == 1
    assert not out.exists()


def test_a_damaged_agent_is_told_from_a_missing_one(tmp_path: Path) -> None:
    with pytest.raises(FormatError, match="No such file"):
        load_repair_agent(tmp_path / "none.npz")
