"""Writes a run to MLflow, from a thread of its own."""

import logging
import math
import os
import re
import socket
import time
import urllib.request
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit
from uuid import UUID, uuid4

from ..background.feed import Feed
from ..background.thinning import Thinning
from ..callback import metrics_of
from ..control import Control
from ..formatting import format_seconds
from ..monitor import check_numbers, number_of
from ..parameters import public_parameters, without_secrets
from ..plain_value import error_text, plain_row, plain_text, short_text
from ..vocabulary import (
    FAILED,
    FINISHED,
    INTERRUPTED,
    RUN_COLUMNS,
    STOPPED,
    best_text,
    outcome_text,
)

_WRITE_SECONDS = 1.0
# The end of a run waits so long for a database on this machine, which may be new, or for a server.
_LOCAL_SECONDS, _SERVER_SECONDS = 30.0, 5.0
_PROBE_SECONDS = 2.0
_MOST_ROWS, _MOST_SAVED = 10_000, 1_000
# What MLflow takes at once.
_MOST_METRICS, _MOST_PARAMS = 1_000, 100
_LONGEST_VALUE = 500
_STATUSES = {FINISHED: "FINISHED", STOPPED: "FINISHED", INTERRUPTED: "KILLED", FAILED: "FAILED"}
# What it refuses however often it is sent.
_REFUSALS = {"INVALID_PARAMETER_VALUE", "BAD_REQUEST"}
_COUNTERS = ("batches", "steps_before")
# MLflow would try again for minutes by itself, in which nobody is told and the end waits; and it
# would print the run's URL, which may hold a password.
_BRIEF = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1"}
_SILENT = {"MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true"}
_KEY = "schoolbell.key"
_NO_NAME = re.compile(r"[^/\w.\- :]|\.\.+|^/+|/+$|(?<=/)/+")


class _Row(NamedTuple):
    """The logs of a batch, waiting to be written."""

    wall_time: float
    batch: int
    step: int
    logs: dict[str, Any]


class MLflowFeed(Feed):
    """Writes what the hooks are told to one run of MLflow.

    Parameters
    ----------
    uri
        Of the tracking server or database.
    experiment, run_name, tags, files
        As for `MLflowLogger`.
    params
        As a callback has them.
    control
        The running pipeline.
    """

    def __init__(
        self,
        uri: str,
        experiment: str,
        run_name: str,
        tags: Mapping[str, str],
        files: Sequence[Path],
        params: Mapping[str, Any],
        control: Control,
    ) -> None:
        super().__init__(_WRITE_SECONDS, f"writing to MLflow at {without_secrets(uri)}", _MOST_ROWS)
        self._uri = uri
        self._experiment = experiment
        self._run_name = run_name
        self._tags = dict(tags)
        self._files = list(files)
        self._params = params
        self._control = control
        self._thinning = Thinning()
        self._batches, self._steps_before = 0, 0
        self._stage: str | None = None
        self._began = time.time()
        self._client: Any = None
        self._run_id: str | None = None
        # By which the run is found again: it may have been made without an answer having come.
        self._key = uuid4().hex
        self._resumed = False
        # In a run that goes on from a backup, rows up to this step are there already.
        self._known_step = -1
        self._outcome: tuple[str, str] | None = None

    def open(self) -> None:
        """Begin to write; in a resumed run when it is known from where it goes on."""
        if not self._params.get("resumed"):
            self._start()

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed run needs to go on in the same run of MLflow."""
        rows = list(self._inbox.copy())[-_MOST_SAVED:]
        return self._thinning.state_dict() | {
            "key": self._key,
            "stage": self._stage,
            "batches": self._batches,
            "steps_before": self._steps_before,
            "rows": [tuple(row) for row in rows],
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on in the run of MLflow, at the step, where `state_dict` was called."""
        if self._ticks:
            return
        check_numbers(state, (*_COUNTERS, *self._thinning.state_dict()))
        self._thinning.load_state_dict(state)
        self._batches, self._steps_before = state["batches"], state["steps_before"]
        self._stage = state["stage"]
        self._key, self._resumed = str(UUID(state["key"]).hex), True
        rows = [_Row(float(t), int(b), int(s), dict(logs)) for t, b, s, logs in state["rows"]]
        self._inbox.extend(rows)
        self._start()

    def begin_stage(self, stage: str) -> None:
        """Begin with a stage, or go on within it in a resumed run."""
        self._start()
        if stage != self._stage:
            self._stage, self._batches = stage, 0
            self._thinning.begin()

    def leave_batch(self, batch: int, logs: Mapping[str, Any]) -> None:
        """Leave a batch for the thread that writes, if it is one of those that are written."""
        self._batches = batch + 1
        if batch >= self._thinning.due:
            self._keep(batch, logs)

    def end_stage(self, logs: Mapping[str, Any]) -> None:
        """Leave the end of a stage; `logs` are those of ``on_stage_end``."""
        batches = logs.get("batches", 0)
        if batches - 1 > self._thinning.newest:
            self._keep(batches - 1, logs)
        self._steps_before += batches
        self._stage, self._batches = None, 0
        self._thinning.begin()

    def close(self, logs: Mapping[str, Any]) -> bool:
        """Write for the last time, waiting for that a moment at most.

        Parameters
        ----------
        logs
            As for ``on_pipeline_end``; empty for a run that never came to its end.

        Returns
        -------
        bool
            Whether it is written, or at least a warning was given before.
        """
        status, violations = logs.get("status", INTERRUPTED), logs.get("violations")
        outcome = outcome_text(status, logs.get("stopped_by"), logs.get("error"), violations)
        best = best_text(logs.get("cost"), violations)
        words = f"{outcome} in {format_seconds(logs.get('elapsed'))}, {best}"
        self._outcome = (_STATUSES.get(status, "KILLED"), without_secrets(words))
        return self._end(_SERVER_SECONDS if _is_server(self._uri) else _LOCAL_SECONDS)

    def _keep(self, batch: int, logs: Mapping[str, Any]) -> None:
        now = time.time()
        if self._params.get("replayed"):
            # As far apart as in the run itself.
            now = self._began + logs.get("elapsed", 0.0)
        # Now, since the stage may change what it has reported.
        row = plain_row(logs, self._control)
        self._inbox.append(_Row(now, batch, self._steps_before + batch + 1, row))
        self._thinning.keep(batch)

    def _deliver(self) -> None:
        with _plain_errors(), _environment(_unless_set(_BRIEF)):
            _probe(self._uri)
            if self._client is None:
                self._connect()
            while self._inbox:
                self._write_rows()
            if self._ending:
                self._write_end()

    def _connect(self) -> None:
        """Find the run of MLflow to go on in, or make one."""
        from mlflow import MlflowClient  # pyright: ignore[reportMissingImports] - optional

        # What it says of a new database would stand among the bars of the run.
        for name in ("alembic", "mlflow.store.db.utils"):
            logging.getLogger(name).setLevel(logging.WARNING)
        client = MlflowClient(tracking_uri=self._uri)
        known = client.get_experiment_by_name(self._experiment)
        experiment = (
            client.create_experiment(self._experiment) if known is None else known.experiment_id
        )
        found = client.search_runs([experiment], f"tags.`{_KEY}` = '{self._key}'", max_results=1)
        if found:
            self._run_id = found[0].info.run_id
        else:
            begin = int(1000 * self._began)
            made = client.create_run(experiment, begin, self._about(), self._run_name)
            self._run_id = made.info.run_id
        if found and self._resumed:
            client.update_run(self._run_id, status="RUNNING")
            steps = [one.step for one in client.get_metric_history(self._run_id, "run/progress")]
            self._known_step = max(steps, default=-1)
        # A kill may have come before all were there; what is there cannot be written again.
        self._write_parameters(client, set(found[0].data.params) if found else set())
        self._client = client

    def _about(self) -> dict[str, str]:
        names = ("job_id", "pipeline")
        known = {f"schoolbell.{name}": self._params.get(name) for name in names}
        about = {name: str(value) for name, value in known.items() if value}
        return {_KEY: self._key, **about, **self._tags}

    def _write_parameters(self, client: Any, there: Collection[str]) -> None:
        from mlflow.entities import Param  # pyright: ignore[reportMissingImports] - optional

        known = {name: self._params.get(name) for name in ("seed", "time_limit", "workers")}
        values = public_parameters({**known, **self._params.get("parameters", {})})
        params = [
            Param(_name(name), short_text(value)[:_LONGEST_VALUE])
            for name, value in values.items()
            if value is not None and _name(name) not in there
        ]
        for begin in range(0, len(params), _MOST_PARAMS):
            client.log_batch(self._run_id, params=params[begin : begin + _MOST_PARAMS])

    def _write_rows(self) -> None:
        """Write the oldest rows, as many as MLflow takes at once."""
        metrics: list[Any] = []
        count = 0
        for row in self._inbox.copy():
            own = list(self._metrics(row)) if row.step > self._known_step else []
            if metrics and len(metrics) + len(own) > _MOST_METRICS:
                break
            metrics += own[:_MOST_METRICS]
            count += 1
        try:
            if metrics:
                self._client.log_batch(self._run_id, metrics=metrics)
        except Exception as error:
            if _is_refusal(error):
                self._forget(count)
            raise
        self._forget(count)

    def _forget(self, count: int) -> None:
        for _ in range(min(count, len(self._inbox))):
            self._inbox.popleft()

    def _metrics(self, row: _Row) -> Iterator[Any]:
        from mlflow.entities import Metric  # pyright: ignore[reportMissingImports] - optional

        logs, moment = row.logs, int(1000 * row.wall_time)
        stage = logs.get("stage")
        own = [
            (f"{stage}/{name}", name, row.batch) for name in metrics_of(self._params, stage, logs)
        ]
        run = [(f"run/{name}", name, row.step) for name in RUN_COLUMNS]
        for tag, name, step in [*own, *run]:
            number = number_of(logs.get(name))
            if number is not None and not math.isinf(number):
                yield Metric(_name(tag), float(number), moment, step)

    def _write_end(self) -> None:
        assert self._outcome is not None
        status, words = self._outcome
        self._client.set_tag(self._run_id, "schoolbell.outcome", words[:_LONGEST_VALUE])
        self._client.set_tag(self._run_id, "mlflow.note.content", words)
        while self._files:
            if self._files[0].exists():
                self._client.log_artifact(self._run_id, str(self._files[0]))
            self._files.pop(0)
        with _environment(_SILENT):
            self._client.set_terminated(self._run_id, status)


def _unless_set(values: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that whoever started the process has not set."""
    return {name: value for name, value in values.items() if name not in os.environ}


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set variables that MLflow reads with each request, for a while."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


def _name(text: str) -> str:
    """Return a name that MLflow takes."""
    return _NO_NAME.sub("_", plain_text(text)) or "_"


def _is_server(uri: str) -> bool:
    return urlsplit(uri).scheme in ("http", "https")


def _probe(uri: str) -> None:
    """See that a server can be reached, since MLflow itself would try for minutes."""
    parts = urlsplit(uri)
    if _is_server(uri) and parts.hostname and not urllib.request.getproxies():
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        socket.create_connection((parts.hostname, port), _PROBE_SECONDS).close()


def _is_refusal(error: Exception) -> bool:
    return getattr(error, "error_code", None) in _REFUSALS


@contextmanager
def _plain_errors() -> Iterator[None]:
    """Tell of what fails in one line without secrets: an OSError where it may help to try again."""
    try:
        yield
    except Exception as error:
        kind = ValueError if _is_refusal(error) else ConnectionError
        text = without_secrets(" ".join(error_text(error).split()))[:200]
        raise kind(f"{text}; trying again" if kind is ConnectionError else text) from None
