"""A stage's parameter as a function of its batches."""

import pytest
from schoolbell.callbacks import BatchScheduler, CallbackError
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage


class Search(Stage):
    tunable = ("width",)

    def __init__(self, width=1, steps=4, name="search"):
        if width < 0:
            raise ValueError(f"width must be 0 or more, got {width}")
        self.width, self.steps, self.name = width, steps, name

    def run(self, state, budget):
        self.seen = []
        for step in range(self.steps):
            self.seen.append(self.width)
            yield Batch(step + 1, self.steps)


def fit(schedule, parameter="width", **options):
    search, other = Search(), Search(name="other")
    callback = BatchScheduler(parameter, schedule, stage="search", **options)
    Pipeline([search, other]).fit(callbacks=callback, verbose=False)
    return search, other


def test_every_batch_of_the_stage_runs_with_what_the_schedule_says():
    search, other = fit(lambda batch: 10 * batch)
    assert search.seen == [0, 10, 20, 30]
    assert other.seen == [1, 1, 1, 1]


def test_a_schedule_of_two_arguments_gets_the_present_value():
    assert fit(lambda batch, width: 2 * width)[0].seen == [2, 4, 8, 16]


def test_after_the_run_the_parameter_is_what_it_was():
    search, _ = fit(lambda batch: 5)
    assert search.width == 1


def test_a_value_that_the_stage_refuses_ends_the_run_with_its_reason():
    with pytest.raises(CallbackError, match=r"BatchScheduler .* width must be 0 or more, got -1"):
        fit(lambda batch: -1)


def test_what_cannot_be_scheduled_is_refused():
    with pytest.raises(TypeError, match=r"schedule must be callable, got 0.1"):
        BatchScheduler("width", 0.1)
    with pytest.raises(CallbackError, match=r"'steps' .* cannot change while it runs; .* width"):
        fit(lambda batch: 5, parameter="steps")
