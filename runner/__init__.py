"""The runner: drives stages and calls callbacks."""

from typing import TYPE_CHECKING

from ..stages.lazy import lazy_names

if TYPE_CHECKING:
    from .backups.backup_error import BackupError
    from .loops.track import track
    from .loops.tracked_loop import TrackedLoop
    from .pipeline import Pipeline
    from .progress.progress_tracker import ProgressTracker
    from .replaying.replay import replay
    from .results.run import Run
    from .results.stage_record import StageRecord
    from .timetabling import timetabling_pipeline, university_pipeline
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
    "university_pipeline",
    "watch",
]

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
    "university_pipeline": "timetabling",
    "watch": "watching.watch",
}

__getattr__, __dir__ = lazy_names(__name__, _MODULES)
