"""Callbacks: what watches a run."""

from .adjust_on_plateau import AdjustOnPlateau
from .argument_error import ArgumentError
from .backup_and_restore import BackupAndRestore
from .batch_scheduler import BatchScheduler
from .callback import Callback, Logs
from .callback_error import CallbackError
from .callback_list import CallbackList
from .control import Control
from .csv_logger import CSVLogger
from .display import Display
from .early_stopping import EarlyStopping
from .history import History
from .lambda_callback import LambdaCallback
from .progbar_logger import ProgbarLogger
from .redis_logger import RedisLogger
from .redis_unavailable_error import RedisUnavailableError
from .remote_monitor import RemoteMonitor
from .snapshot import Snapshot
from .solution_checkpoint import SolutionCheckpoint
from .tensor_board import TensorBoard
from .terminate_on_nan import TerminateOnNaN
from .terminate_on_target import TerminateOnTarget
from .timer import Timer

__all__ = [
    "AdjustOnPlateau",
    "ArgumentError",
    "BackupAndRestore",
    "BatchScheduler",
    "CSVLogger",
    "Callback",
    "CallbackError",
    "CallbackList",
    "Control",
    "Display",
    "EarlyStopping",
    "History",
    "LambdaCallback",
    "Logs",
    "ProgbarLogger",
    "RedisLogger",
    "RedisUnavailableError",
    "RemoteMonitor",
    "Snapshot",
    "SolutionCheckpoint",
    "TensorBoard",
    "TerminateOnNaN",
    "TerminateOnTarget",
    "Timer",
]
