"""Callbacks: what watches a run."""

from .callback import Callback, Logs
from .callback_error import CallbackError
from .callback_list import CallbackList
from .control import Control
from .history import History
from .lambda_callback import LambdaCallback
from .snapshot import Snapshot

__all__ = [
    "Callback",
    "CallbackError",
    "CallbackList",
    "Control",
    "History",
    "LambdaCallback",
    "Logs",
    "Snapshot",
]
