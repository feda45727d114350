"""Runs in MLflow's own database, read back by its own client."""

import signal
import socket
import warnings

import pytest
from schoolbell.callbacks import BackupAndRestore, Callback, CSVLogger, MLflowLogger
from schoolbell.callbacks.recording import mlflow_feed
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage

from ...late import Late
from ..saving.test_backup_and_restore import DieAfter, Walk

mlflow = Late("mlflow")


class Search(Stage):
    unit, metrics = "round", ("speed", "note")

    def __init__(self, name="ga", rounds=3, ending=None):
        self.name, self.rounds, self.ending = name, rounds, ending

    def run(self, state, budget):
        for step in range(self.rounds):
            state.offer(step, 100 - step, 0)
            yield Batch(step + 1, self.rounds, {"speed": step / 2, "note": "up"})
        if self.ending is not None:
            self.ending()


@pytest.fixture(scope="module")
def uri(tmp_path_factory):
    # One for all, since a new one takes MLflow some seconds.
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """A folder for what MLflow would leave in the present one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(mlflow_feed, "_WRITE_SECONDS", 0.05)
    monkeypatch.setattr(mlflow_feed, "_LOCAL_SECONDS", 600.0)


def fit(uri, experiment, *stages, more=(), **options):
    logger = MLflowLogger(uri, experiment)
    return Pipeline(stages).fit(callbacks=[*more, logger], verbose=False, **options)


def the_run(uri, experiment):
    client = mlflow.MlflowClient(uri)
    identity = client.get_experiment_by_name(experiment).experiment_id
    (run,) = client.search_runs([identity])
    return run


def points(uri, run, metric):
    history = mlflow.MlflowClient(uri).get_metric_history(run.info.run_id, metric)
    return [(one.step, one.value) for one in history]


def test_a_run_is_there_with_parameters_metrics_and_outcome(uri):
    fit(uri, "whole", Search(), Search("rl", 2), seed=7, job_id="monday")
    run = the_run(uri, "whole")
    assert run.info.run_name == "monday"
    assert run.info.status == "FINISHED"
    assert run.info.end_time >= run.info.start_time
    assert run.data.params["seed"] == "7"
    assert run.data.params["ga__rounds"] == "3"
    assert run.data.tags["schoolbell.job_id"] == "monday"
    assert run.data.tags["schoolbell.outcome"].startswith("finished in ")
    assert points(uri, run, "ga/speed") == [(0, 0.0), (1, 0.5), (2, 1.0)]
    assert points(uri, run, "rl/speed") == [(0, 0.0), (1, 0.5)]
    assert points(uri, run, "run/cost") == [(1, 100), (2, 99), (3, 98), (4, 98), (5, 98)]
    assert points(uri, run, "run/progress")[-1] == (5, 1.0)
    assert "ga/note" not in run.data.metrics


def fail():
    raise ZeroDivisionError("no luck with http://ann:hunter2@host")


@pytest.mark.parametrize(
    ("ending", "status", "words"),
    [
        (fail, "FAILED", "failed: ZeroDivisionError: no luck with http://***@host"),
        (lambda: signal.raise_signal(signal.SIGINT), "KILLED", "interrupted"),
        (lambda: signal.raise_signal(signal.SIGTERM), "KILLED", "interrupted by SIGTERM"),
    ],
)
def test_every_ending_is_told(uri, request, ending, status, words):
    name = request.node.name
    if status == "FAILED":
        with pytest.raises(ZeroDivisionError):
            fit(uri, name, Search(ending=ending))
    else:
        fit(uri, name, Search(ending=ending))
    run = the_run(uri, name)
    assert run.info.status == status
    assert run.data.tags["schoolbell.outcome"].startswith(f"{words} in ")


def test_files_are_uploaded_at_the_end(uri, tmp_path):
    log = CSVLogger(tmp_path / "log.csv")
    logger = MLflowLogger(uri, "files", files=[log.filename, "missing.sol"], tags={"team": "a"})
    Pipeline([Search()]).fit(callbacks=[log, logger], verbose=False)
    run = the_run(uri, "files")
    assert run.data.tags["team"] == "a"
    client = mlflow.MlflowClient(uri)
    assert [one.path for one in client.list_artifacts(run.info.run_id)] == ["log.csv"]
    stored = client.download_artifacts(run.info.run_id, "log.csv", str(tmp_path / "."))
    assert open(stored).read() == log.filename.read_text()  # noqa: PTH123, SIM115


def test_of_many_batches_ever_fewer_are_written(uri):
    fit(uri, "many", Search(rounds=3000))
    run = the_run(uri, "many")
    steps = [step for step, _ in points(uri, run, "run/cost")]
    assert 512 < len(steps) < 1500
    assert steps[:512] == list(range(1, 513))
    assert steps[-1] == 3000


@pytest.mark.parametrize("batches", [2, 6])
def test_a_resumed_run_goes_on_in_the_same_run_and_writes_nothing_twice(uri, tmp_path, batches):
    def begin(*more):
        backup = BackupAndRestore(tmp_path / "backup", save_freq=1, interval=None)
        logger = MLflowLogger(uri, f"resumed {batches}")
        stages = [Walk("one", 4), Walk("two", 5)]
        return Pipeline(stages).fit(callbacks=[backup, logger, *more], verbose=False)

    with pytest.raises(Exception, match="DieAfter"):
        begin(DieAfter(batches))
    assert the_run(uri, f"resumed {batches}").info.status == "FAILED"
    begin()
    run = the_run(uri, f"resumed {batches}")
    assert run.info.status == "FINISHED"
    assert [step for step, _ in points(uri, run, "run/cost")] == list(range(1, 10))
    assert [step for step, _ in points(uri, run, "two/height")] == list(range(5))


def test_parameters_that_a_kill_has_lost_are_there_after_a_resume(uri, tmp_path, monkeypatch):
    def begin(*more):
        backup = BackupAndRestore(tmp_path / "backup", save_freq=1, interval=None)
        logger = MLflowLogger(uri, "parameters")
        return Pipeline([Walk("one", 4)]).fit(callbacks=[backup, logger, *more], verbose=False)

    with monkeypatch.context() as killed:
        killed.setattr(mlflow_feed.MLflowFeed, "_write_parameters", lambda *_: None)
        with pytest.raises(Exception, match="DieAfter"):
            begin(DieAfter(2))
    assert not the_run(uri, "parameters").data.params
    begin()
    assert the_run(uri, "parameters").data.params["one__steps"] == "4"


def test_names_and_values_that_mlflow_does_not_take_end_nothing(uri):
    class Odd(Search):
        metrics = ("ü (%)", "../up", "big", "none")

        def run(self, state, budget):
            yield Batch(1, 1, {"ü (%)": 1, "../up": 2, "big": float("inf"), "none": float("nan")})

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fit(uri, "odd", Odd("a//b"))
    run = the_run(uri, "odd")
    assert run.info.status == "FINISHED"
    assert {1.0, 2.0} <= set(run.data.metrics.values())


class Waits(Callback):
    """Ends the stage when the logger has noticed that the server is away."""

    def __init__(self, logger):
        super().__init__()
        self.logger = logger

    def on_batch_end(self, batch, logs=None):
        import time

        while not self.logger._feed._failed:
            time.sleep(0.005)


def test_a_server_that_is_away_is_warned_of_once_without_its_password(monkeypatch, capfd):
    monkeypatch.setattr(mlflow_feed, "_SERVER_SECONDS", 0.1)
    monkeypatch.setattr(mlflow_feed.MLflowFeed, "last_seconds", 0.0)
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = one.getsockname()[1]
    logger = MLflowLogger(f"http://ann:hunter2@127.0.0.1:{port}")
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        run = Pipeline([Search()]).fit(callbacks=[logger, Waits(logger)], verbose=False)
    assert run.status == "finished"
    (warning,) = [one for one in caught if "MLflow" in str(one.message)]
    assert "refused" in str(warning.message)
    shown = [str(warning.message), repr(logger), str(logger.get_params()), *capfd.readouterr()]
    assert not [text for text in shown if "hunter2" in text]
    assert logger.set_params(experiment="x")._uri.startswith("http://ann:hunter2@")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"tracking_uri": 7}, "tracking_uri must be a text or None, got 7"),
        ({"experiment": ""}, "experiment must be the name of an experiment"),
        ({"tags": "a"}, "tags must be a dict"),
        ({"files": [3]}, "files must be paths of files, got 3"),
    ],
)
def test_an_impossible_argument_is_refused(options, words):
    with pytest.raises(ValueError, match=words):
        MLflowLogger(**options)


def test_a_database_that_cannot_be_written_is_told_before_any_work(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(Exception, match="MLflowLogger failed in check: NotADirectoryError"):
        fit(f"sqlite:///{tmp_path}/file/mlflow.db", "none", Search())
