"""Runs on a real MLflow server, which the whole of MLflow brings (``pip install mlflow``)."""

import contextlib
import importlib.metadata
import os
import shutil
import socket
import subprocess
import time
import urllib.error
import urllib.request
import warnings

import pytest
from schoolbell.callbacks import CSVLogger, MLflowLogger
from schoolbell.callbacks.recording import mlflow_feed
from schoolbell.runner import Pipeline
from schoolbell.stages import Batch, Stage

from ...late import Late

mlflow = Late("mlflow")


def program():
    """The command `mlflow` of a whole MLflow: that of the environment, or this one's own."""
    told = os.environ.get("SCHOOLBELL_MLFLOW")
    if told:
        return told
    try:
        importlib.metadata.version("mlflow")
    except importlib.metadata.PackageNotFoundError:
        pytest.skip(
            "mlflow-skinny has no server: pip install mlflow, or name the program of another "
            "environment in SCHOOLBELL_MLFLOW"
        )
    found = shutil.which("mlflow")
    if found is None:
        pytest.skip("the program of mlflow is not on the path; SCHOOLBELL_MLFLOW may name it")
    return found


class Server:
    """A server with its database, to be killed and started again."""

    def __init__(self, folder, command):
        with socket.socket() as one:
            one.bind(("127.0.0.1", 0))
            port = one.getsockname()[1]
        self.uri = f"http://127.0.0.1:{port}"
        self._command = [command, "server", "--host", "127.0.0.1", "--port", str(port)]
        self._command += ["--backend-store-uri", f"sqlite:///{folder}/mlflow.db"]
        self._command += ["--artifacts-destination", str(folder / "files"), "--workers", "1"]
        self._log = (folder / "log").open("ab")

    def start(self):
        self._process = subprocess.Popen(
            self._command, stdout=self._log, stderr=self._log, start_new_session=True
        )
        deadline = time.monotonic() + 600
        while True:
            try:
                urllib.request.urlopen(f"{self.uri}/health", timeout=5).close()
            except (urllib.error.URLError, OSError):
                assert self._process.poll() is None, "it has ended"
                assert time.monotonic() < deadline, "it does not answer"
                time.sleep(0.1)
            else:
                return self

    def kill(self):
        # With its workers.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, 9)
        self._process.wait()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    pytest.importorskip("mlflow", reason="MLflow is not installed")
    server = Server(tmp_path_factory.mktemp("mlflow"), program()).start()
    yield server
    server.kill()


class Rounds(Stage):
    name, metrics = "ga", ("speed",)

    def __init__(self, between=None):
        self.between = between

    def run(self, state, budget):
        for step in range(6):
            state.offer(step, 100 - step, 0)
            yield Batch(step + 1, 6, {"speed": step / 2})
            if step == 2 and self.between is not None:
                self.between()


def the_run(server, experiment):
    client = mlflow.MlflowClient(server.uri)
    identity = client.get_experiment_by_name(experiment).experiment_id
    (run,) = client.search_runs([identity])
    return client, run


def test_a_run_is_on_the_server_with_its_files(server, tmp_path, monkeypatch):
    monkeypatch.setattr(mlflow_feed, "_SERVER_SECONDS", 120.0)
    log = CSVLogger(tmp_path / "log.csv")
    logger = MLflowLogger(server.uri, "whole", files=[log.filename])
    Pipeline([Rounds()]).fit(callbacks=[log, logger], seed=7, verbose=False)
    client, run = the_run(server, "whole")
    assert run.info.status == "FINISHED"
    assert run.data.params["seed"] == "7"
    assert run.data.metrics["run/cost"] == 95
    speeds = client.get_metric_history(run.info.run_id, "ga/speed")
    assert [(one.step, one.value) for one in speeds] == [(step, step / 2) for step in range(6)]
    stored = client.download_artifacts(run.info.run_id, "log.csv", str(tmp_path / "."))
    with open(stored) as file:  # noqa: PTH123
        assert file.read() == log.filename.read_text()


def test_a_server_that_is_killed_has_everything_once_when_it_is_back(server, monkeypatch):
    monkeypatch.setattr(mlflow_feed, "_SERVER_SECONDS", 120.0)
    monkeypatch.setattr(mlflow_feed, "_WRITE_SECONDS", 0.05)
    logger = MLflowLogger(server.uri, "killed")

    def kill_and_start():
        server.kill()
        deadline = time.monotonic() + 120
        while not logger._feed._failed:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        server.start()

    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        Pipeline([Rounds(kill_and_start)]).fit(callbacks=logger, verbose=False)
    assert len([one for one in caught if "writing to MLflow" in str(one.message)]) == 1
    client, run = the_run(server, "killed")
    assert run.info.status == "FINISHED"
    costs = client.get_metric_history(run.info.run_id, "run/cost")
    assert [(one.step, one.value) for one in costs] == [(n + 1, 100 - n) for n in range(6)]
