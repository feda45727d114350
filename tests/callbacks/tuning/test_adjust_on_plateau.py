"""When a stage's parameter is changed because nothing improves."""

import random

import pytest
from schoolbell.callbacks import AdjustOnPlateau, CallbackError, LambdaCallback
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage


class Search(Stage):
    """Reports the losses given, and notes its temperature in each batch."""

    metrics = ("loss",)
    tunable = ("temperature", "moves", "label")

    def __init__(self, losses=(), temperature=8.0, moves=10, label="x", name="search"):
        if moves < 3:
            raise ValueError(f"moves must be 3 or more, got {moves}")
        self.losses, self.temperature, self.moves = losses, temperature, moves
        self.label, self.name = label, name

    def run(self, state, budget):
        self.seen = []
        for i, loss in enumerate(self.losses):
            self.seen.append((self.temperature, self.moves))
            yield Batch(i + 1, len(self.losses), {"loss": loss})


def fit(losses, parameter="temperature", stage=None, **options):
    search = stage or Search(losses)
    callback = AdjustOnPlateau(parameter, monitor="loss", **options)
    Pipeline([search]).fit(callbacks=callback, verbose=False)
    return search.seen


def test_the_running_stage_finds_the_new_value_in_its_next_batch():
    seen = fit([3, 3, 3, 3, 2, 2], factor=0.5, patience=2)
    assert [temperature for temperature, _ in seen] == [8, 8, 8, 4, 4, 4]


def test_a_factor_above_one_raises_the_value_up_to_its_end():
    seen = fit([3] * 6, factor=2, patience=1, max_value=20)
    assert [temperature for temperature, _ in seen] == [8, 8, 16, 20, 20, 20]


def test_a_whole_number_stays_whole_and_moves():
    seen = fit([3] * 6, "moves", factor=0.9, patience=1, min_value=7)
    assert [moves for _, moves in seen] == [10, 10, 9, 8, 7, 7]


def test_the_end_of_the_stages_own_range_is_warned_of_once():
    with pytest.warns(RuntimeWarning, match="search__moves stays 5: moves must be 3") as warned:
        seen = fit([3] * 6, "moves", factor=0.5, patience=1)
    assert [moves for _, moves in seen] == [10, 10, 5, 5, 5, 5]
    assert len(warned) == 1


def test_after_the_run_the_parameter_is_what_it_was():
    search = Search([3] * 6)
    first = fit([], stage=search, patience=1)
    assert first[-1] != first[0]
    assert search.temperature == 8.0
    assert fit([], stage=search, patience=1) == first


def test_the_state_goes_on_where_it_was_saved():
    saved = {}
    callback = AdjustOnPlateau("temperature", factor=0.5, patience=2, monitor="loss")
    save = LambdaCallback(on_stage_end=lambda *_: saved.update(callback.state_dict()))
    Pipeline([Search([3] * 4)]).fit(callbacks=[callback, save], verbose=False)
    search = Search([3] * 3)
    load = LambdaCallback(on_stage_begin=lambda *_: callback.load_state_dict(saved))
    Pipeline([search]).fit(callbacks=[callback, load], verbose=False)
    parts = [8, 8, 8, 4] + [temperature for temperature, _ in search.seen]
    assert parts == [temperature for temperature, _ in fit([3] * 7, factor=0.5, patience=2)]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"factor": 1}, "factor must be"),
        ({"factor": 0}, "factor must be"),
        ({"patience": -1}, "patience must be"),
        ({"cooldown": -1}, "cooldown must be"),
        ({"min_value": 3, "max_value": 2}, "min_value 3 is above"),
        ({"mode": "up"}, "mode must be"),
    ],
)
def test_impossible_arguments_are_refused_at_once(options, message):
    with pytest.raises(ValueError, match=message):
        AdjustOnPlateau("temperature", **options)


@pytest.mark.parametrize(
    ("parameter", "options", "message"),
    [
        ("speed", {}, "no stage has a parameter 'speed'"),
        ("speed", {"stage": "search"}, "'search' has losses, .* and not a parameter 'speed'"),
        ("moves", {"stage": "ga"}, "there is no stage 'ga'; there are search, other"),
        ("moves", {}, "several stages have a parameter 'moves': name one of search, other"),
        ("losses", {"stage": "search"}, "'losses' .* cannot change while it runs; .* temperature"),
        ("label", {"stage": "search"}, "search__label is 'x' and no number"),
    ],
)
def test_what_cannot_be_changed_is_told_before_the_first_stage(parameter, options, message):
    pipeline = Pipeline([Search([1]), Search([1], name="other")])
    callback = AdjustOnPlateau(parameter, monitor="loss", **options)
    with pytest.raises(CallbackError, match=message):
        pipeline.fit(callbacks=callback, verbose=False)
    assert pipeline.run is not None
    assert pipeline.run.stages == []


def test_it_decides_as_keras_does_on_random_sequences(with_keras, random_values):
    rng = random.Random(2)
    cases = []
    for _ in range(1000):
        options = {
            "factor": 0.5,
            "min_delta": rng.choice([0, 0.125, 2]),
            "patience": rng.choice([0, 1, 2, 5]),
            "mode": rng.choice(["auto", "min", "max"]),
            "cooldown": rng.choice([0, 0, 1, 3]),
        }
        cases.append((options, rng.choice([0.0, 1.0, 3.0]), random_values(rng)))
    keras = with_keras(
        {
            "kind": "plateau",
            "start": 64.0,
            "options": {**options, "min_lr": least},
            "values": values,
        }
        for options, least, values in cases
    )
    for (options, least, values), expected in zip(cases, keras, strict=True):
        callback = AdjustOnPlateau("temperature", monitor="loss", min_value=least, **options)
        search, seen = Search(values, temperature=64.0), []
        note = LambdaCallback(
            on_batch_end=lambda *_, c=callback, s=search, t=seen: t.append([c.wait, s.temperature])
        )
        Pipeline([search]).fit(callbacks=[callback, note], verbose=False)
        assert seen == expected
