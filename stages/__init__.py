"""Stages: the work of a pipeline."""

from .batch import Batch
from .budget import Budget
from .stage import Stage
from .state import State

__all__ = ["Batch", "Budget", "Stage", "State"]
