"""Keeps a run in MLflow."""

import atexit
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from ..argument_error import ArgumentError
from ..background.needing import needing
from ..background.writable import check_file
from ..callback import Callback, Logs, nothing
from ..parameters import without_secrets
from ..safe_warning import warn_safely
from .mlflow_feed import MLflowFeed

_SQLITE = "sqlite:///"


class MLflowLogger(Callback):
    """Keeps a run in MLflow: parameters, metrics, files, and how it ended.

    Parameters are those of the stages, the seed, the limits. Metrics are those
    of a stage as ``ga/diversity`` by the stage's batches, and ``run/progress``,
    ``run/cost``, ``run/violations`` and ``run/elapsed`` by the batches of the whole run;
    of a stage with many batches ever fewer are written. The run's id is the tag
    ``schoolbell.job_id``, its outcome in words ``schoolbell.outcome``. A run that
    finished or was stopped is ``FINISHED`` there, one that Ctrl-C or a signal ended
    ``KILLED``, the rest ``FAILED``.

    Everything is written by a thread of its own, with bounded memory. When the
    server is away it warns once, tries again every second, and goes on for a
    minute after the run, as long as the process lives. A run that goes on from a
    backup goes on in the same run of MLflow; what had been written after the
    backup stays, and is not written twice.

    Parameters
    ----------
    tracking_uri
        ``sqlite:///mlflow.db``, ``http://host:5000``, or what else MLflow takes;
        by default the environment's ``MLFLOW_TRACKING_URI``, else
        ``sqlite:///mlflow.db``. User and password are better in
        ``MLFLOW_TRACKING_USERNAME`` and ``MLFLOW_TRACKING_PASSWORD``, a token in
        ``MLFLOW_TRACKING_TOKEN``; none is ever shown.
    experiment
        The experiment's name; made when it is missing.
    run_name
        By default the run's id.
    tags
        More tags.
    files
        Paths of files that are uploaded at the end, if they are there then: put
        this callback behind those that write them.

    Raises
    ------
    ImportError
        Where MLflow is not installed.
    ArgumentError
        For an argument of another kind.
    OSError
        Before a run, for an SQLite file that cannot be written.
    """

    __module__ = "schoolbell.callbacks"

    made_anew: ClassVar = {"_feed": nothing}

    def __init__(
        self,
        tracking_uri: str | None = None,
        experiment: str = "schoolbell",
        run_name: str | None = None,
        tags: Mapping[str, str] | None = None,
        files: str | os.PathLike[str] | Sequence[str | os.PathLike[str]] = (),
    ) -> None:
        super().__init__()
        with needing("MLflowLogger", "mlflow"):
            # Here and not in the run, since it takes some seconds.
            import mlflow  # noqa: F401  # pyright: ignore[reportMissingImports] - optional
        for name, text in (("tracking_uri", tracking_uri), ("run_name", run_name)):
            if text is not None and not isinstance(text, str):
                raise ArgumentError.of(name, "a text or None", text)
        if not isinstance(experiment, str) or not experiment:
            raise ArgumentError.of("experiment", "the name of an experiment", experiment)
        if tags is not None and not isinstance(tags, Mapping):
            raise ArgumentError.of("tags", "a dict of texts or None", tags)
        paths = [files] if isinstance(files, str | os.PathLike) else list(files)
        for path in paths:
            if not isinstance(path, str | os.PathLike):
                raise ArgumentError.of("files", "paths of files", path)
        self._tracking_uri = tracking_uri
        self.experiment = experiment
        self.run_name = run_name
        self.tags = None if tags is None else {str(k): str(v) for k, v in tags.items()}
        self.files = paths
        self._feed: MLflowFeed | None = None

    @property
    def tracking_uri(self) -> str:
        """Where to, without user and password."""
        return without_secrets(self._uri)

    @property
    def _uri(self) -> str:
        return self._tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or f"{_SQLITE}mlflow.db"

    def _given_params(self) -> dict[str, Any]:
        return super()._given_params() | {"tracking_uri": self._tracking_uri}

    def check(self) -> None:
        if self._uri.startswith(_SQLITE):
            check_file(Path(self._uri.removeprefix(_SQLITE).partition("?")[0]))

    def state_dict(self) -> dict[str, Any]:
        return {} if self._feed is None else self._feed.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Go on in the run of MLflow that a resumed run has left."""
        if self._feed is not None:
            self._feed.load_state_dict(state)

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._abandon()
        self._feed = MLflowFeed(
            self._uri,
            self.experiment,
            self.run_name or self.params.get("job_id") or "run",
            self.tags or {},
            list(map(Path, self.files)),
            self.params,
            self.pipeline,
        )
        self._feed.open()
        # A process that ends in a hurry still says so.
        atexit.register(self._abandon)

    def on_stage_begin(self, stage: str, logs: Logs | None = None) -> None:
        if self._feed is not None:
            self._feed.begin_stage(stage)

    def on_batch_end(self, batch: int, logs: Logs | None = None) -> None:
        if self._feed is not None:
            self._feed.leave_batch(batch, logs or {})

    def on_stage_end(self, stage: str, logs: Logs | None = None) -> None:
        if self._feed is not None:
            self._feed.end_stage(logs or {})

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        self._end(logs or {})

    def _end(self, logs: Logs) -> None:
        feed, self._feed = self._feed, None
        if feed is None:
            return
        if not feed.close(logs):
            message = f"MLflow at {self.tracking_uri} does not know yet how the run ended"
            warn_safely(message, stacklevel=2)
        atexit.unregister(self._abandon)

    def _abandon(self) -> None:
        """End the feed of a run that never came to its end."""
        self._end({})
