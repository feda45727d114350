"""Timings of stages: kept in a file, used by the next run."""

import json
import math

import pytest
from schoolbell.callbacks import LambdaCallback
from schoolbell.runner import Pipeline
from schoolbell.runner.progress.timings import Timings
from schoolbell.stages import Batch, FormatError, Stage


class Steps(Stage):
    def __init__(self, name="steps", steps=4, ending=None):
        self.name, self.steps, self.ending = name, steps, ending

    def run(self, state, budget):
        for step in range(self.steps):
            yield Batch(step + 1, self.steps)
        if self.ending is not None:
            raise self.ending


def fit(*stages, **options):
    return Pipeline(stages).fit(verbose=False, **options)


def test_a_run_leaves_its_timings_in_the_file(tmp_path):
    path = tmp_path / "timings.json"
    run = fit(Steps("a"), Steps("b", 7), timings=path)
    timings = Timings.read(path).of_stages(limited=False)
    assert {name: timing.units for name, timing in timings.items()} == {"a": 4, "b": 7}
    assert timings["b"].seconds == pytest.approx(run.stages[1].seconds, abs=1e-3)
    assert not Timings.read(path).of_stages(limited=True)


def test_a_stage_that_ends_early_leaves_what_it_meant_to_do_as_well(tmp_path):
    class Patient(Steps):
        def run(self, state, budget):
            yield Batch(3, 50)

    path = tmp_path / "timings.json"
    fit(Patient("a"), timings=path)
    timing = Timings.read(path).of_stages(limited=False)["a"]
    assert (timing.units, timing.total) == (3, 50)


def test_the_file_lets_the_next_run_tell_its_time_at_once(tmp_path):
    path = tmp_path / "timings.json"
    curve = [5.0 * i for i in range(21)]
    stage = {"units": 4, "budget": None, "curve": curve}
    content = {"format": "schoolbell timings 1", "with_time_limit": {}}
    path.write_text(json.dumps(content | {"without_time_limit": {"b": stage}}))
    told = []
    pipeline = Pipeline([Steps("a"), Steps("b")])
    look = LambdaCallback(on_stage_begin=lambda stage, logs: told.append(pipeline.tracker.eta()))
    pipeline.fit(callbacks=look, verbose=False, timings=str(path))
    assert told[1] == pytest.approx(100, rel=0.05)
    assert Timings.read(path).of_stages(limited=False)["b"].seconds < 1


def test_an_earlier_run_does_as_well_as_a_file():
    told = []
    earlier = fit(Steps("a"))
    earlier.stages[0] = type(earlier.stages[0])("a", "batch", 4, 4, 50.0, None, None, "finished")
    pipeline = Pipeline([Steps("a")])
    look = LambdaCallback(on_stage_begin=lambda stage, logs: told.append(pipeline.tracker.eta()))
    pipeline.fit(callbacks=look, verbose=False, timings=earlier)
    assert told == [pytest.approx(50, rel=0.05)]


def test_runs_with_and_without_a_limit_are_kept_apart(tmp_path):
    path = tmp_path / "timings.json"
    fit(Steps("a", 4), timings=path)
    fit(Steps("a", 9), timings=path, time_limit=50)
    timings = Timings.read(path)
    assert timings.of_stages(limited=False)["a"].units == 4
    assert timings.of_stages(limited=True)["a"].units == 9
    assert timings.of_stages(limited=True)["a"].budget == pytest.approx(50, abs=5)


def test_a_stage_that_did_not_come_to_its_end_leaves_the_older_timing(tmp_path):
    path = tmp_path / "timings.json"
    fit(Steps("a", 4), Steps("b", 5), timings=path)
    with pytest.raises(ZeroDivisionError):
        fit(Steps("a", 6), Steps("b", 7, ZeroDivisionError()), timings=path)
    timings = Timings.read(path).of_stages(limited=False)
    assert {name: timing.units for name, timing in timings.items()} == {"a": 6, "b": 5}


GOOD = {"units": 1, "budget": None, "curve": [0.0] * 21}


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        "no JSON",
        "[" * 100_000,
        json.dumps({"format": "schoolbell timings 9"}),
        *(
            json.dumps(
                {
                    "format": "schoolbell timings 1",
                    "with_time_limit": {},
                    "without_time_limit": {"a": GOOD | wrong},
                }
            )
            for wrong in (
                {"units": -1},
                {"units": "1"},
                {"total": -1},
                {"total": "9"},
                {"budget": -2.0},
                {"curve": []},
                {"curve": [0.0] * 20 + [math.inf]},
                {"curve": [float(-i) for i in range(21)]},
                {"curve": "0" * 21},
            )
        ),
        "x" * 2_000_000,
    ],
)
def test_another_file_is_refused_before_anything_runs_and_left_as_it_is(tmp_path, content):
    path = tmp_path / "timings.json"
    path.write_text(content)
    began = []
    with pytest.raises(FormatError, match=r"timings\.json: found .*, expected"):
        fit(
            Steps(),
            timings=path,
            callbacks=LambdaCallback(on_pipeline_begin=lambda logs: began.append(1)),
        )
    assert path.read_text() == content
    assert not began


def test_a_file_that_cannot_be_written_is_told_of_before_anything_runs(tmp_path):
    with pytest.raises(FileNotFoundError):
        fit(Steps(), timings=tmp_path / "missing" / "timings.json")


def test_a_file_that_cannot_be_written_any_more_costs_a_warning_and_no_run(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    leave = LambdaCallback(on_pipeline_end=lambda logs: folder.rmdir())
    with pytest.warns(RuntimeWarning, match="the timings could not be written"):
        run = fit(Steps(), timings=folder / "timings.json", callbacks=leave)
    assert run.status == "finished"
