"""When a stage or a run is ended because nothing improves."""

import json
import random

import pytest
from schoolbell.callbacks import CallbackError, EarlyStopping
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage


class Values(Stage):
    """Reports the values given, one in each batch."""

    metrics = ("loss",)

    def __init__(self, values=(), name="values"):
        self.values, self.name = values, name

    def run(self, state, budget):
        for i, value in enumerate(self.values):
            yield Batch(i + 1, len(self.values), {"loss": value})


def batches(run):
    return [stage.done for stage in run.stages]


def fit(*stages, **options):
    stopping = EarlyStopping("loss", **options)
    return Pipeline(stages).fit(callbacks=stopping, verbose=False), stopping


def test_a_stage_ends_when_its_patience_is_spent_and_the_next_one_goes_on():
    run, stopping = fit(Values([3, 2, 2, 2, 1], "a"), Values([5, 4, 3], "b"), patience=2)
    assert batches(run) == [4, 3]
    assert [stage.ended_by for stage in run.stages] == ["skipped", "finished"]
    assert (stopping.stopped_stage, stopping.stopped_batch) == ("a", 3)
    assert run.status == "finished"


def test_each_stage_is_watched_anew():
    run, stopping = fit(Values([1, 0], "a"), Values([9, 8, 7, 7], "b"))
    assert batches(run) == [2, 4]
    assert (stopping.stopped_stage, stopping.best, stopping.best_batch) == ("b", 7, 2)


def test_in_the_scope_of_the_pipeline_all_batches_are_one_sequence_and_the_run_ends():
    run, _ = fit(
        Values([3, 2], "a"), Values([2, 2, 1], "b"), Values([1], "c"), patience=2, scope="pipeline"
    )
    assert batches(run) == [2, 2]
    assert run.outcome == "stopped by EarlyStopping"


def test_only_the_stages_named_are_watched():
    flat = [1, 1, 1, 1]
    run, _ = fit(Values(flat, "a"), Values(flat, "b"), Values(flat, "c"), stages=["b"])
    assert batches(run) == [4, 2, 4]
    assert fit(Values(flat, "a"), Values(flat, "b"), stages="a")[0].stages[0].done == 2


def test_the_state_goes_on_where_it_was_saved():
    class Remembered(EarlyStopping):
        def on_stage_begin(self, stage, logs=None):
            self.load_state_dict(json.loads(json.dumps(saved)))
            super().on_stage_begin(stage, logs)

    values = [5, 4, 4, 4, 4]
    first, stopping = fit(Values(values[:3]), patience=3)
    assert batches(first) == [3]
    saved = stopping.state_dict()
    run = Pipeline([Values(values[3:])]).fit(callbacks=Remembered("loss", patience=3), verbose=0)
    # One batch without improvement before and two after: as in one go.
    assert batches(run) == [2]
    assert fit(Values(values), patience=3)[1].stopped_batch == 4


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mode": "down"}, "mode must be"),
        ({"patience": -1}, "patience must be"),
        ({"scope": "run"}, "scope must be"),
        ({"start_from_batch": -1}, "start_from_batch must be"),
        ({"monitor": "beauty"}, "cannot tell whether 'beauty' is to fall or to rise"),
    ],
)
def test_impossible_arguments_are_refused_at_once(options, message):
    with pytest.raises(ValueError, match=message):
        EarlyStopping(**options)


def test_what_the_run_does_not_have_is_told_before_its_first_stage():
    for options, message in [
        ({"stages": "ga"}, "there is no stage 'ga'; there are values"),
        ({"monitor": "beauty", "mode": "max"}, "no stage reports 'beauty'; they report .*loss"),
    ]:
        pipeline = Pipeline([Values([1])])
        with pytest.raises(CallbackError, match=message):
            pipeline.fit(callbacks=EarlyStopping(**options), verbose=False)
        assert pipeline.run is not None
        assert pipeline.run.stages == []


def test_a_stage_that_all_others_need_is_not_skipped():
    class Needed(Values):
        skippable = False

    run, _ = fit(Needed([1, 1, 1], "load"), Values([1, 1, 1], "b"))
    assert batches(run) == [3, 2]


def decisions(callback, values):
    """Wait and best after each value, up to the end that the callback asks for."""

    class Pipe:
        ended = False

        def skip_stage(self):
            self.ended = True

    pipe = Pipe()
    callback.set_pipeline(pipe)
    callback.set_params({"stages": [{"name": "a", "metrics": ("loss",)}]})
    callback.on_pipeline_begin({})
    callback.on_stage_begin("a", {})
    seen = []
    for i, value in enumerate(values):
        callback.on_batch_end(i, {"stage": "a", "loss": value})
        seen.append([callback.wait, repr(float(callback.best or 0))])
        if pipe.ended:
            break
    return seen


def test_it_decides_as_keras_does_on_random_sequences(with_keras, random_values):
    rng = random.Random(1)
    cases = []
    for _ in range(2000):
        options = {
            "min_delta": rng.choice([0, 0, 0.125, -0.5, 2]),
            "patience": rng.choice([0, 1, 2, 5]),
            "mode": rng.choice(["auto", "min", "max"]),
            "baseline": rng.choice([None, None, 5.0, -3.0]),
        }
        start = rng.choice([0, 0, 1, 4])
        cases.append((options, start, random_values(rng)))
    keras = with_keras(
        {"kind": "stop", "options": {**options, "start_from_epoch": start}, "values": values}
        for options, start, values in cases
    )
    ours = [
        decisions(EarlyStopping("loss", **options, start_from_batch=start), values)
        for options, start, values in cases
    ]
    assert ours == keras
    # The sequences end for both reasons, so the comparison says something.
    ended = sum(len(seen) < len(case[2]) for seen, case in zip(ours, cases, strict=True))
    assert 500 < ended < 1750
