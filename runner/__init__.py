"""The runner: drives stages and calls callbacks."""

from .backup_error import BackupError
from .job_control import list_jobs, send_command
from .pipeline import Pipeline
from .progress_tracker import ProgressTracker
from .replay import replay
from .run import Run
from .stage_record import StageRecord
from .timetabling import timetabling_pipeline
from .unknown_job_error import UnknownJobError
from .watch import awatch, watch
from .watched_snapshot import WatchedSnapshot

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
