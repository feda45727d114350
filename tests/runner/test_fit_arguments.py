"""What `fit` refuses before it begins, and what it takes as it is meant."""

import math
import re
import threading
import time
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pytest
from schoolbell.callbacks import (
    ArgumentError,
    Callback,
    CallbackError,
    CSVLogger,
    EarlyStopping,
    History,
    LambdaCallback,
    SolutionCheckpoint,
    TerminateOnNaN,
    Timer,
)
from schoolbell.runner import Pipeline, timetabling_pipeline
from schoolbell.runner.cli.main import main
from schoolbell.stages import Batch, Stage
from schoolbell.stages.timetable import Formulation, generate


class Steps(Stage):
    name, metrics = "steps", ("speed",)

    def __init__(self, steps=2):
        self.steps = steps

    def run(self, state, budget):
        self.limit = budget.seconds
        yield Batch(self.steps, self.steps)


def fit(problem=None, callbacks=None, **options):
    pipeline = Pipeline([Steps()])
    return pipeline.fit(problem, callbacks, **{"verbose": False, **options})


WRONG = {
    "time_limit": [0, -1, math.nan, "5", True, [5], {}, np.array([5.0]), Decimal("NaN"), 1j, fit],
    "seed": [-1, 1.5, 2.0, "3", None, True, np.array([1, 2]), np.bool_(True)],
    "workers": [0, "2", 1.0, False, [1]],
    "job_id": [5, "", "a/b", "..", "-x", "two words", "x" * 101, "a\nb", b"monday"],
    "verbose": [2, "loud", "Rich", None, 1.0, ["plain"], {}],
    "callback_errors": ["ignore", True, None, ["raise"]],
    "executor": [3, "threads", threading.Thread, dict, object()],
    "timings": [3, "", True, b"x", {"ga": 3}],
    "started": ["now", math.nan, math.inf, time.monotonic() + 1e6],
    "callbacks": [CSVLogger, History, "csv", b"csv", {"a": EarlyStopping()}, 7, print],
    "callbacks[0]": [[CSVLogger], ["csv"], [print], (None,), [[EarlyStopping()]]],
}
CASES = [(name, value) for name, values in WRONG.items() for value in values]


@pytest.mark.parametrize(
    ("name", "value"), CASES, ids=[f"{name}-{k}" for k, (name, _) in enumerate(CASES)]
)
def test_a_wrong_argument_is_named_with_its_value_before_anything_happens(
    name, value, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    threads = threading.active_count()
    seen = LambdaCallback(on_pipeline_begin=lambda logs: pytest.fail("it has begun"))
    options = {"callbacks": [seen], name.partition("[")[0]: value}
    with pytest.raises(ArgumentError) as caught:
        fit(**options)
    assert isinstance(caught.value, ValueError)
    assert isinstance(caught.value, TypeError)
    message = str(caught.value)
    assert re.match(rf"{re.escape(name)} must be .+, got .", message)
    assert "\n" not in message
    assert list(tmp_path.iterdir()) == []
    assert threading.active_count() == threads


@pytest.mark.parametrize(
    "limit", [5, 5.0, Decimal("5"), Fraction(5), np.float32(5), np.int64(5), np.array(5)]
)
def test_any_kind_of_number_is_a_time_limit(limit):
    run = fit(time_limit=limit)
    assert run.config["time_limit"] == 5.0
    assert type(run.config["time_limit"]) is float


@pytest.mark.parametrize("limit", [math.inf, np.inf, Decimal("Infinity"), 10**400])
def test_an_infinite_time_limit_is_none(limit):
    stage = Steps()
    run = Pipeline([stage]).fit(time_limit=limit, verbose=False)
    assert stage.limit is None
    assert run.config["time_limit"] is None


def test_numbers_of_numpy_are_taken_as_such():
    run = fit(seed=np.int64(3), workers=np.int32(2), verbose=np.bool_(False))
    assert (run.seed, type(run.seed)) == (3, int)
    assert (run.config["workers"], type(run.config["workers"])) == (2, int)


@pytest.mark.parametrize("value", ["monday", "a.b_c-d+e=1", "Prüfung-7", "tues:day", "0"])
def test_a_job_id_is_taken_as_it_is(value):
    assert fit(job_id=value).job_id == value


def test_a_class_in_the_place_of_a_callback_says_how_to_write_it():
    with pytest.raises(ArgumentError, match=r"got the class CSVLogger; write CSVLogger\(\.\.\.\)"):
        fit(callbacks=CSVLogger)
    with pytest.raises(ArgumentError, match=r"callbacks\[1\] .* write History\(\.\.\.\)"):
        fit(callbacks=[EarlyStopping(), History])


def test_swapped_arguments_are_told():
    with pytest.raises(ArgumentError, match="the problem comes first, then the callbacks"):
        fit([EarlyStopping()], generate(5))


def test_iterables_of_callbacks_are_taken():
    seen = []
    note = LambdaCallback(on_pipeline_begin=lambda logs: seen.append(1))
    for several in (note, [note], (note,), iter([note])):
        fit(callbacks=several)
    assert len(seen) == 4


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--time-limit", "nan"], "argument --time-limit: must be a positive number of seconds"),
        (["--time-limit", "five"], "argument --time-limit: .* got 'five'"),
        (["--seed", "1.5"], "argument --seed: must be an integer from 0, got '1.5'"),
        (["--workers", "none"], "argument --workers: must be an integer from 1, got 'none'"),
        (["--job-id", "a/b"], "argument --job-id: must be a text .* got 'a/b'"),
    ],
)
def test_the_command_line_has_the_same_checks(options, words, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit, match="2"):
        main(["fit", "absent.ctt", *options])
    assert re.search(words, capsys.readouterr().err)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: EarlyStopping(10), r"monitor must be .* got 10; did you mean patience=10\?"),
        (lambda: EarlyStopping(History), "monitor must be .* got the class History"),
        (lambda: EarlyStopping("cots"), r"'cots' .* did you mean 'cost'\?"),
        (lambda: EarlyStopping(patience="3"), "patience must be 0 or more, got '3'"),
        (lambda: EarlyStopping(min_delta=None), "min_delta must be a number, got None"),
        (lambda: EarlyStopping(stages=Steps), "stages must be .* got the class Steps"),
        (lambda: EarlyStopping(stages=[Steps()]), "stages must be "),
        (lambda: TerminateOnNaN(3), "monitor must be .* got 3"),
        (lambda: Timer(None), "duration must be a positive time: .* got None"),
        (lambda: CSVLogger(7), "filename must be the path of a file, got 7"),
        (lambda: SolutionCheckpoint(Callback), "filepath must be .* got the class Callback"),
        (lambda: SolutionCheckpoint("{stgae}.sol"), r"did you mean 'stage'\?"),
        (lambda: EarlyStopping().set_params(patiense=3), r"did you mean 'patience'\?"),
        (lambda: Steps().set_params(step=3), r"did you mean 'steps'\?"),
        (lambda: Pipeline([Steps()]).set_params(stepz__steps=3), r"did you mean 'steps'\?"),
        (lambda: Pipeline([Steps()]).set_params(steps__stepz=3), r"did you mean 'steps'\?"),
        (lambda: timetabling_pipeline(clstering=None), r"did you mean 'clustering'\?"),
        (lambda: timetabling_pipeline(ga__populaton=3), r"did you mean 'population'\?"),
        (lambda: Formulation.of("UD22"), r"did you mean 'UD2'\?"),
        (lambda: Formulation("x", {"RoomCapcity": 1}), r"did you mean 'RoomCapacity'\?"),
        (lambda: fit(verbose="plane"), r"did you mean 'plain'\?"),
        (lambda: fit().history["elapsd"], r"did you mean 'elapsed'\?"),
    ],
)
def test_a_slip_is_told_by_name_and_what_may_have_been_meant(make, words):
    with pytest.raises((ValueError, KeyError), match=words):
        make()


@pytest.mark.parametrize(
    ("callback", "words"),
    [
        (EarlyStopping("sped", mode="max"), r"no stage reports 'sped'; .* did you mean 'speed'\?"),
        (EarlyStopping(stages="step"), r"no stage 'step'; .* did you mean 'steps'\?"),
        (Timer(5, stages="stepps"), r"did you mean 'steps'\?"),
        (TerminateOnNaN("sped"), r"did you mean 'speed'\?"),
        (SolutionCheckpoint("x.sol", monitor="sped", mode="max"), r"did you mean 'speed'\?"),
    ],
)
def test_what_callbacks_watch_is_checked_before_any_hook_or_file(
    callback, words, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    first = LambdaCallback(
        on_pipeline_begin=lambda logs: pytest.fail("a hook"),
        on_exception=lambda error: pytest.fail("a hook"),
    )
    with pytest.raises(CallbackError, match=words) as caught:
        fit(callbacks=[first, CSVLogger("log.csv"), callback])
    assert isinstance(caught.value, ValueError)
    assert list(tmp_path.iterdir()) == []


def test_a_callback_that_does_not_fit_is_switched_off_where_that_is_wanted():
    with pytest.warns(RuntimeWarning, match="no stage reports 'sped'.* switched off"):
        run = fit(callbacks=EarlyStopping("sped", mode="max"), callback_errors="warn")
    assert run.status == "finished"
