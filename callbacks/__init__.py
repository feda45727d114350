"""Callbacks: what watches a run."""

from .callback import Callback, Logs
from .callback_error import CallbackError
from .callback_list import CallbackList
from .control import Control
from .csv_logger import CSVLogger
from .display import Display
from .history import History
from .lambda_callback import LambdaCallback
from .progbar_logger import ProgbarLogger
from .redis_logger import RedisLogger
from .redis_unavailable_error import RedisUnavailableError
from .snapshot import Snapshot
from .tensor_board import TensorBoard

__all__ = [
    "CSVLogger",
    "Callback",
    "CallbackError",
    "CallbackList",
    "Control",
    "Display",
    "History",
    "LambdaCallback",
    "Logs",
    "ProgbarLogger",
    "RedisLogger",
    "RedisUnavailableError",
    "Snapshot",
    "TensorBoard",
]
