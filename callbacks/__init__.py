"""Callbacks: what watches a run."""

from .argument_error import ArgumentError
from .callback import Callback, Logs
from .callback_error import CallbackError
from .callback_list import CallbackList
from .control import Control
from .lambda_callback import LambdaCallback
from .progress.display import Display
from .progress.progbar_logger import ProgbarLogger
from .recording.csv_logger import CSVLogger
from .recording.history import History
from .recording.mlflow_logger import MLflowLogger
from .recording.system_monitor import SystemMonitor
from .recording.tensor_board import TensorBoard
from .remote.notify import Notify
from .remote.redis_logger import RedisLogger
from .remote.redis_unavailable_error import RedisUnavailableError
from .remote.remote_monitor import RemoteMonitor
from .saving.backup_and_restore import BackupAndRestore
from .saving.solution_checkpoint import SolutionCheckpoint
from .snapshot import Snapshot
from .stopping.early_stopping import EarlyStopping
from .stopping.terminate_on_nan import TerminateOnNaN
from .stopping.terminate_on_target import TerminateOnTarget
from .stopping.timer import Timer
from .tuning.adjust_on_plateau import AdjustOnPlateau
from .tuning.batch_scheduler import BatchScheduler

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
    "MLflowLogger",
    "Notify",
    "ProgbarLogger",
    "RedisLogger",
    "RedisUnavailableError",
    "RemoteMonitor",
    "Snapshot",
    "SolutionCheckpoint",
    "SystemMonitor",
    "TensorBoard",
    "TerminateOnNaN",
    "TerminateOnTarget",
    "Timer",
]
