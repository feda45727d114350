"""Anneals that are sent away, on an executor that copies as other processes do."""

import pickle
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from schoolbell.stages import Batch, Budget, GeneticAlgorithm, State
from schoolbell.stages.evolution import leg
from schoolbell.stages.evolution.far_anneals import FarAnneals
from schoolbell.stages.plain_data import copy_plain
from schoolbell.stages.tasks import task_group
from schoolbell.stages.timetable import Formulation, Instance, timetable_problem
from schoolbell.stages.timetable.breeding import timetable_breeding
from schoolbell.stages.timetable.timetable_problem import TimetableProblem

# Anneals of 14 chunks, 7 steps for the founders' generation of two and 4 for the children's.
LONG: dict[str, Any] = {
    "generations": 2,
    "population": 2,
    "founder_moves": 6_000,
    "child_moves": 3_000,
    "final_temperature": 0.5,
}


class Copying(Executor):
    """Threads that get copies and give copies, which counts as other processes."""

    def __init__(self, workers: int) -> None:
        self.pool = ThreadPoolExecutor(workers)
        self.called: list[Any] = []
        task_group._found_out[self] = True

    def submit(self, function: Any, /, *arguments: Any, **more: Any) -> Future[Any]:
        self.called.append(arguments[1])
        sent = pickle.dumps((function, arguments))
        return self.pool.submit(_call, sent)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        self.pool.shutdown(wait, cancel_futures=cancel_futures)


def _call(sent: bytes) -> Any:
    function, arguments = pickle.loads(sent)
    return pickle.loads(pickle.dumps(function(*arguments)))


@pytest.fixture(autouse=True)
def short_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(timetable_problem, "MOVES_PER_SECOND", 800_000)
    monkeypatch.setattr(timetable_breeding, "STEP_MOVES", 80_000)


@pytest.fixture
def whole_anneals(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let a leg lead to the end of its anneal, however long that takes on a busy machine."""
    for name in ("LEG_SECONDS", "BLIND_LEG_SECONDS"):
        monkeypatch.setattr(leg, name, 1e9)


@pytest.fixture(params=["seen", "unseen"])
def folder(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let workers see the folder in which they leave what they have, or be on another machine."""
    if request.param == "unseen":
        leave = leg.Path

        def elsewhere(path: Any) -> Any:
            return leave("/no/such/machine" + str(path))

        monkeypatch.setattr(leg, "Path", elsewhere)


def state_of(instance: Instance, executor: Executor, workers: int) -> State:
    state = State(instance, seed=1, executor=executor, workers=workers)
    state.instance = instance
    state.formulation = Formulation.UD2
    state.prepared = TimetableProblem(instance, Formulation.UD2)
    state.clusters = np.arange(instance.n_courses, dtype=np.int32) % 4
    state.cluster_count = 4
    state.bound = -1.0
    return state


def rows(batches: list[Batch]) -> list[tuple[int, Any, Any]]:
    return [(batch.done, batch.total, batch.logs) for batch in batches]


def evolve(state: State, tune_after: int = -1, stage: GeneticAlgorithm | None = None) -> list[Any]:
    """Run to the end; tune after so many batches."""
    batches = []
    stage = stage or GeneticAlgorithm(**LONG)
    for item in stage.run(state, Budget()):
        if isinstance(item, Batch):
            batches.append(item)
            if len(batches) == tune_after:
                stage.tune(final_temperature=0.25, kempe=0.3)
    return batches


@pytest.mark.usefixtures("folder", "whole_anneals")
@pytest.mark.parametrize(("workers", "tune_after"), [(2, -1), (1, 3)])
def test_the_same_is_found_and_told_as_in_threads_also_where_it_is_tuned(
    instance: Instance, workers: int, tune_after: int
) -> None:
    with ThreadPoolExecutor(2) as executor:
        near = state_of(instance, executor, 2)
        expected = rows(evolve(near, tune_after))
    with Copying(workers) as executor:
        far = state_of(instance, executor, workers)
        assert rows(evolve(far, tune_after)) == expected
        # A task leads over several of the batches, and nothing small is sent.
        assert set(executor.called) == {leg.run_leg}
        assert len(executor.called) == (6 if tune_after < 0 else 8)
    assert far.solution == near.solution


@pytest.mark.usefixtures("folder")
def test_a_run_that_was_broken_off_goes_on_in_threads_as_if_it_had_not(instance: Instance) -> None:
    saved, stage = [], GeneticAlgorithm(**LONG)
    with Copying(2) as executor:
        far = state_of(instance, executor, 2)
        batches = []
        for item in stage.run(far, Budget()):
            if isinstance(item, Batch):
                batches.append(item)
                best = far.solution, far.cost, far.violations
                saved.append((copy_plain(stage.state_dict()), best))
    state_dict, best = saved[3]
    assert state_dict["brood"] is not None
    with ThreadPoolExecutor(1) as executor:
        later, state = GeneticAlgorithm(**LONG), state_of(instance, executor, 1)
        state.offer(*best)
        later.load_state_dict(state_dict)
        assert rows(evolve(state, stage=later)) == rows(batches[4:])
    assert state.solution == far.solution


def test_a_leg_ends_when_it_has_taken_long_enough(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leg, "LEG_SECONDS", 0.0)
    with Copying(2) as executor:
        evolve(state_of(instance, executor, 2))
        # One for each of the chunks of two founders and four children.
        assert len(executor.called) == 2 * 14 + 4 * 7


def test_a_time_limit_is_kept_and_what_is_found_meanwhile_is_told(instance: Instance) -> None:
    with Copying(1) as executor:
        state, budget = state_of(instance, executor, 1), Budget(1.5)
        batches = [item for item in GeneticAlgorithm().run(state, budget) if item]
        assert 1.5 <= budget.elapsed < 3.0
    logs = {tuple(one.logs.values()) for one in batches if isinstance(one, Batch) and one.logs}
    assert len(logs) > 3
    assert len(executor.called) < 8


@pytest.mark.usefixtures("whole_anneals")
def test_what_was_sent_ends_soon_when_the_stage_does(instance: Instance) -> None:
    with Copying(1) as executor:
        stream = GeneticAlgorithm(founder_moves=10**12).run(
            state := state_of(instance, executor, 1), Budget()
        )
        while state.solution is None:
            next(stream)
        # The pool waits for the anneal, which would last for days.
        stream.close()


def test_an_anneal_that_cannot_be_sent_is_carried_on_chunk_by_chunk(
    instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(FarAnneals, "can_take", staticmethod(lambda job: False))
    with Copying(1) as executor:
        evolve(state_of(instance, executor, 1))
        assert leg.run_leg not in executor.called
