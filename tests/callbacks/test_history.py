"""What a history keeps of a long run."""

from itertools import pairwise

import pytest
from schoolbell.callbacks import History
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage


class Steps(Stage):
    metrics = ("square",)

    def __init__(self, name="a", steps=3):
        self.name, self.steps = name, steps

    def run(self, state, budget):
        for step in range(self.steps):
            state.offer(step, -step, 0)
            yield Batch(step + 1, self.steps, {"square": step * step})


def test_a_short_run_is_kept_whole():
    history = Pipeline([Steps("a", 3), Steps("b", 2)]).fit(verbose=False).history
    assert history["stage"] == ["a", "a", "a", "b", "b"]
    assert history["batch"] == [0, 1, 2, 0, 1]
    assert history["square"] == [0, 1, 4, 0, 1]
    assert history.history["cost"] == history["cost"] == [0, -1, -2, -2, -2]
    assert len(history) == 5
    assert [row["cost"] for row in history.solutions] == [0, -1, -2]


@pytest.mark.parametrize("steps", [16, 17, 31, 32, 33, 1000, 4097])
def test_a_long_run_is_thinned_evenly_and_keeps_its_last_batch(steps):
    # As a callback of the user's, and as the run's own, which is asked only when it is due.
    given = History(rows_per_stage=16)
    own = Pipeline([Steps(steps=steps)]).fit(callbacks=[given], verbose=False).history
    assert own["batch"][-1] == given["batch"][-1] == steps - 1
    kept = given["batch"]
    assert len(kept) <= 17
    strides = {later - before for before, later in pairwise(kept[:-1])}
    assert len(strides) == 1
    assert len(kept) >= 8
    assert len(given.solutions) <= 16


def test_memory_stays_bounded_in_every_stage():
    stages = [Steps("a", 5000), Steps("b", 5000)]
    history = Pipeline(stages).fit(verbose=False).history
    for name in "ab":
        assert 500 < history["stage"].count(name) <= 1025
    assert len(history.solutions) <= 1024


def test_a_column_that_is_not_there_is_named():
    history = Pipeline([Steps()]).fit(verbose=False).history
    with pytest.raises(KeyError, match="no column 'speed'; there are batch, stage"):
        history["speed"]


def test_an_interrupted_stage_keeps_its_last_batch_too():
    class Interrupted(Steps):
        def run(self, state, budget):
            for step in range(3000):
                yield Batch(step + 1)
            raise KeyboardInterrupt

    run = Pipeline([Interrupted()]).fit(verbose=False)
    assert run.history["done"][-1] == 3000


def test_at_least_two_rows_must_be_kept():
    with pytest.raises(ValueError, match="2 or more"):
        History(rows_per_stage=1)
