"""Pipelines whose cost is to rise."""

import pytest
from schoolbell.callbacks import (
    ArgumentError,
    BackupAndRestore,
    CSVLogger,
    EarlyStopping,
    SolutionCheckpoint,
    TerminateOnTarget,
)
from schoolbell.runner import BackupError, Pipeline, replay
from schoolbell.stages import Batch, Stage

COSTS = (3, 5, 4, 8, 8, 8, 8, 9)


class Climb(Stage):
    name = "climb"

    def __init__(self, costs=COSTS, broken=None):
        self.costs = costs
        self.broken = broken

    def run(self, state, budget):
        for done, cost in enumerate(self.costs, 1):
            more = () if self.broken is None else (self.broken[done - 1],)
            state.offer(Found(cost), cost, *more)
            yield Batch(done, len(self.costs))


class Found:
    def __init__(self, cost):
        self.cost = cost

    def write(self, path):
        path.write_text(str(self.cost))


class Numbers(Climb):
    """Finds what a backup can hold."""

    brief = True

    def run(self, state, budget):
        for batch in super().run(state, budget):
            state.solution = state.cost
            yield batch


class Proof(Climb):
    name = "proof"
    only_improves = True

    def run(self, state, budget):
        state.prove(20)
        state.prove(8)
        state.prove(12)
        yield from super().run(state, budget)


def climb(*callbacks, stage=None, goal="max", **options):
    pipeline = Pipeline([stage or Climb()], goal=goal)
    return pipeline.fit(callbacks=callbacks, verbose=False, **options)


def test_the_best_is_the_one_of_the_highest_cost():
    run = climb()
    assert (run.cost, run.solution.cost, run.goal) == (9, 9, "max")
    assert run.history["cost"] == [3, 5, 5, 8, 8, 8, 8, 9]
    assert [point.cost for point in run.history.curve()][:4] == [3, 5, 8, 9]
    assert climb(goal="min").cost == 3


def test_fewer_violations_come_first_whatever_the_goal():
    run = climb(stage=Climb((9, 3, 5, 7), (2, 1, 1, 4)))
    assert (run.cost, run.violations) == (5, 1)


@pytest.mark.parametrize("goal", ["maximum", "MAX", None, 1, ["max"]])
def test_another_goal_is_refused(goal):
    with pytest.raises(ArgumentError, match=r'^goal must be "min" or "max", got '):
        Pipeline([Climb()], goal=goal)


def test_callbacks_follow_the_goal(tmp_path):
    stopping = EarlyStopping(patience=3)
    run = climb(stopping)
    assert (run.stages[0].done, stopping.best) == (7, 8)
    assert run.stages[0].stopped_by == "EarlyStopping"
    run = climb(TerminateOnTarget(cost=5))
    assert (run.cost, run.stopped_by) == (5, "TerminateOnTarget")
    climb(SolutionCheckpoint(tmp_path / "{cost}.txt", save_best_only=True))
    assert sorted(path.stem for path in tmp_path.iterdir()) == ["3", "5", "8", "9"]


def test_a_bound_from_above_that_is_reached_ends_the_stage():
    run = climb(stage=Proof())
    assert (run.bound, run.cost, run.stages[0].ended_by) == (8, 8, "optimal")
    assert run.optimal
    assert run.best == "cost 8, proven optimal"
    run = climb(stage=Proof((1, 2)))
    assert (run.stages[0].ended_by, run.best) == ("finished", "cost 2, upper bound 8")


def test_a_replay_knows_the_goal(tmp_path):
    log = tmp_path / "log.csv"
    climb(CSVLogger(log))
    stopping = EarlyStopping(patience=3)
    run = replay(log, stopping)
    assert (run.goal, stopping.best, stopping.stopped_batch) == ("max", 8, 6)


def test_a_backup_is_of_one_goal(tmp_path):
    def backup():
        return BackupAndRestore(tmp_path, delete_checkpoint=False)

    assert climb(backup(), stage=Numbers()).cost == 9
    assert climb(backup(), stage=Numbers()).cost == 9
    with pytest.raises(BackupError, match="its goal is 'max', not 'min'"):
        climb(backup(), stage=Numbers(), goal="min")


def test_violations_that_no_stage_has_told_are_shown_nowhere(capsys):
    pipeline = Pipeline([Climb()], goal="max")
    run = pipeline.fit(verbose="plain")
    shown = capsys.readouterr()
    assert run.violations is None
    assert run.history["violations"] == [None] * 8
    for text in (shown.out + shown.err, run.summary(), repr(run.best), run._repr_html_()):
        assert "viol" not in text
        assert "bound" not in text


def test_violations_that_a_stage_has_told_are_shown_also_where_there_are_none():
    run = climb(stage=Climb((1, 2), (0, 0)))
    assert (run.violations, run.best) == (0, "cost 2, violations 0")
    assert "violations" in run.summary()
