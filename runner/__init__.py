"""The runner: drives stages and calls callbacks."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .backups.backup_error import BackupError
    from .loops.track import track
    from .loops.tracked_loop import TrackedLoop
    from .pipeline import Pipeline
    from .progress.progress_tracker import ProgressTracker
    from .replaying.replay import replay
    from .results.run import Run
    from .results.stage_record import StageRecord
    from .timetabling import timetabling_pipeline
    from .watching.job_control import list_jobs, send_command
    from .watching.unknown_job_error import UnknownJobError
    from .watching.watch import awatch, watch
    from .watching.watched_snapshot import WatchedSnapshot

__all__ = [
    "BackupError",
    "Pipeline",
    "ProgressTracker",
    "Run",
    "StageRecord",
    "TrackedLoop",
    "UnknownJobError",
    "WatchedSnapshot",
    "awatch",
    "list_jobs",
    "replay",
    "send_command",
    "timetabling_pipeline",
    "track",
    "watch",
]

# A module is imported when something of it is asked for: the command line stands in this
# package, and whoever wants its help shall not wait for all the rest. No module may have the
# name of what it gives, or it would take its place.
_MODULES = {
    "BackupError": "backups.backup_error",
    "Pipeline": "pipeline",
    "ProgressTracker": "progress.progress_tracker",
    "Run": "results.run",
    "StageRecord": "results.stage_record",
    "TrackedLoop": "loops.tracked_loop",
    "UnknownJobError": "watching.unknown_job_error",
    "WatchedSnapshot": "watching.watched_snapshot",
    "awatch": "watching.watch",
    "list_jobs": "watching.job_control",
    "replay": "replaying.replay",
    "send_command": "watching.job_control",
    "timetabling_pipeline": "timetabling",
    "track": "loops.track",
    "watch": "watching.watch",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = globals()[name] = getattr(import_module(f".{_MODULES[name]}", __name__), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
