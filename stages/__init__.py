"""Stages: the work of a pipeline."""

from .batch import Batch
from .budget import Budget
from .clustering.louvain_clustering import LouvainClustering
from .evolution.genetic_algorithm import GeneticAlgorithm
from .exact.cp_sat import CPSAT
from .functions.as_stage import as_stage
from .functions.report import Report
from .functions.stage_ended import StageEnded
from .map_batches import MapBatches
from .pulse import Pulse
from .repair.rl_repair import RLRepair
from .stage import Stage
from .state import State
from .timetable.steps.finalize import Finalize
from .timetable.steps.load import Load
from .timetable.steps.train_agent import TrainAgent

__all__ = [
    "CPSAT",
    "Batch",
    "Budget",
    "Finalize",
    "GeneticAlgorithm",
    "Load",
    "LouvainClustering",
    "MapBatches",
    "Pulse",
    "RLRepair",
    "Report",
    "Stage",
    "StageEnded",
    "State",
    "TrainAgent",
    "as_stage",
]
