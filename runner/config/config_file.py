"""Writes the file of a run."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ...callbacks import Callback, Logs
from ...callbacks.parameters import without_secrets
from ...callbacks.remote.snapshot_fields import plain_tree
from ...callbacks.safe_warning import warn_safely
from ...callbacks.vocabulary import RUN_COLUMNS, RUNNING
from ...stages.files.atomic import write_atomically

if TYPE_CHECKING:
    from ..pipeline import Pipeline

# How each stage went, in the file of a run that is over.
_OF_A_STAGE = ("done", "total", "seconds", "cost", "violations", "ended_by", "stopped_by")


class ConfigFile(Callback):
    """Writes what a run is made of when it begins, and how it ended.

    When the disk takes nothing, it warns once and tries again at the end.

    Parameters
    ----------
    path
        The file.
    about
        What to tell beside what the run's stages do, or in its place.
    """

    def __init__(self, path: Path, about: dict[str, Any]) -> None:
        super().__init__()
        self.path = path
        self.about = about
        self._warned = False
        self._stages: list[Logs] = []

    def on_pipeline_begin(self, logs: Logs | None = None) -> None:
        self._warned = False
        self._stages = [
            {"name": stage["name"], "stopped_by": None, **stage["restored"]}
            for stage in self.params["stages"]
            if stage.get("restored")
        ]
        self._write({"status": RUNNING})

    def on_stage_end(self, stage: str, logs: Logs | None = None) -> None:
        about = logs or {}
        self._stages.append({"name": stage, **{name: about.get(name) for name in _OF_A_STAGE}})

    def on_pipeline_end(self, logs: Logs | None = None) -> None:
        about = logs or {}
        names = ("status", "stopped_by", *RUN_COLUMNS)
        outcome = {name: about.get(name) for name in names} | {"stages": self._stages}
        if about.get("error"):
            outcome["error"] = without_secrets(about["error"])
        try:
            self._write(outcome)
        except KeyboardInterrupt:
            # It takes a moment, and tells how the run ended that has been interrupted so late.
            self._write(outcome)
            raise

    def _write(self, outcome: dict[str, Any]) -> None:
        run = cast("Pipeline", self.pipeline).run
        config = {} if run is None else run.config
        content = config | self.about | {"outcome": plain_tree(outcome)}
        text = json.dumps(content, indent=2, default=str)
        try:
            write_atomically(self.path, text + "\n")
        except OSError as error:
            if not self._warned:
                self._warned = True
                reason = error.strerror or error
                message = f"{self.path} could not be written: {reason}"
                warn_safely(message, stacklevel=2)
