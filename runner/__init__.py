"""The runner: drives stages and calls callbacks."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backup_error import BackupError
    from .job_control import list_jobs, send_command
    from .pipeline import Pipeline
    from .progress_tracker import ProgressTracker
    from .replaying import replay
    from .run import Run
    from .stage_record import StageRecord
    from .timetabling import timetabling_pipeline
    from .unknown_job_error import UnknownJobError
    from .watched_snapshot import WatchedSnapshot
    from .watching import awatch, watch

__all__ = [
    "BackupError",
    "Pipeline",
    "ProgressTracker",
    "Run",
    "StageRecord",
    "UnknownJobError",
    "WatchedSnapshot",
    "awatch",
    "list_jobs",
    "replay",
    "send_command",
    "timetabling_pipeline",
    "watch",
]

# A module is imported when something of it is asked for: the command line stands in this
# package, and whoever wants its help shall not wait for all the rest. No module may have the
# name of what it gives, or it would take its place.
_MODULES = {
    "BackupError": "backup_error",
    "Pipeline": "pipeline",
    "ProgressTracker": "progress_tracker",
    "Run": "run",
    "StageRecord": "stage_record",
    "UnknownJobError": "unknown_job_error",
    "WatchedSnapshot": "watched_snapshot",
    "awatch": "watching",
    "list_jobs": "job_control",
    "replay": "replaying",
    "send_command": "job_control",
    "timetabling_pipeline": "timetabling",
    "watch": "watching",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
