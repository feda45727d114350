"""The runner: drives stages and calls callbacks."""

from .pipeline import Pipeline
from .progress_tracker import ProgressTracker
from .run import Run
from .stage_record import StageRecord
from .timetabling import timetabling_pipeline

__all__ = ["Pipeline", "ProgressTracker", "Run", "StageRecord", "timetabling_pipeline"]
